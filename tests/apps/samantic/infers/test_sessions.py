from samantic.app.lib.infers.sessions import ObjectKey, PromptSummary, Refinements, Remembered, start_of
from samantic.prompts import Box, Point, PromptSet

ONE = Point((1, 1, 0))
TWO = Point((2, 2, 0))
NOT_THREE = Point((3, 3, 0), positive=False)


def summary(*points: Point, boxes: tuple[Box, ...] = ()) -> PromptSummary:
    return PromptSummary.of(PromptSet(points=points, boxes=boxes))


def key(owner: str = "session a", image: str = "image", view: str = "axis2-slice0", name: str = "") -> ObjectKey:
    return ObjectKey(owner, image, view, name)


def answer(*points: Point) -> Remembered:
    return Remembered(summary(*points), None, None, None, "these weights")


def test_a_further_click_extends_the_earlier_ones() -> None:
    assert summary(ONE, NOT_THREE).extends(summary(ONE))
    assert summary(TWO, ONE).extends(summary(ONE))


def test_a_moved_or_removed_click_starts_anew() -> None:
    assert not summary(TWO).extends(summary(ONE))
    assert not summary(ONE).extends(summary(ONE, TWO))
    assert not summary(Point((1, 1, 0), positive=False), TWO).extends(summary(ONE))


def test_a_changed_box_starts_anew_but_an_added_one_does_not() -> None:
    first, second = Box((0, 0, 0), (4, 4, 1)), Box((0, 0, 0), (5, 5, 1))
    assert not summary(ONE, boxes=(second,)).extends(summary(boxes=(first,)))
    assert summary(ONE, boxes=(first,)).extends(summary(ONE))


def test_repeating_a_request_starts_from_what_it_started_from_before() -> None:
    started, logits = object(), object()
    earlier = Remembered(summary(ONE), started, logits, None, "these")  # type: ignore[arg-type]
    assert start_of(summary(ONE), earlier, "these") is started
    assert start_of(summary(ONE, TWO), earlier, "these") is logits
    assert start_of(summary(TWO), earlier, "these") is None
    assert start_of(summary(ONE), None, "these") is None
    assert start_of(summary(ONE), earlier, "other weights") is None


def test_nobody_recalls_what_another_session_image_view_or_object_did() -> None:
    refinements = Refinements()
    refinements.remember(key(), answer(ONE))
    assert refinements.recall(key()) is not None
    for other in (key(owner="session b"), key(image="other"), key(view="axis2-slice1"), key(name="liver")):
        assert refinements.recall(other) is None


def test_the_oldest_answers_go_when_there_are_too_many() -> None:
    refinements = Refinements(max_entries=2)
    for owner in ("session a", "session b", "session c"):
        refinements.remember(key(owner), answer(ONE))
    assert len(refinements) == 2
    assert refinements.recall(key("session a")) is None
    assert refinements.recall(key("session c")) is not None


def test_an_answer_expires() -> None:
    now = [0.0]
    refinements = Refinements(life_s=60, clock=lambda: now[0])
    refinements.remember(key("session a"), answer(ONE))
    now[0] = 50
    refinements.remember(key("session b"), answer(ONE))
    assert refinements.recall(key("session a")) is not None
    now[0] = 61
    assert refinements.recall(key("session a")) is None
    assert refinements.recall(key("session b")) is not None
    assert len(refinements) == 1


def test_forgetting_touches_one_owner_and_one_image_only() -> None:
    refinements = Refinements()
    kept = [key(owner="session b"), key(image="other")]
    for one in (key(), key(view="axis2-slice1"), *kept):
        refinements.remember(one, answer(ONE))
    refinements.forget("session a", "image")
    assert len(refinements) == 2
    assert all(refinements.recall(one) is not None for one in kept)
