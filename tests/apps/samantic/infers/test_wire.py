import math

import pytest

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError


@pytest.mark.parametrize("value", [True, "true", "True", "1", 1, "on"])
def test_what_stock_clients_send_for_true_is_true(value: object) -> None:
    assert wire.flag(value, "multimask") is True


@pytest.mark.parametrize("value", [False, "false", "0", 0, "", None])
def test_what_stock_clients_send_for_false_is_false(value: object) -> None:
    assert wire.flag(value, "multimask") is False


@pytest.mark.parametrize("value", ["maybe", 2, [], {}])
def test_anything_else_is_no_flag(value: object) -> None:
    with pytest.raises(RequestError, match=r"'multimask' is .* must be true or false"):
        wire.flag(value, "multimask")


@pytest.mark.parametrize(
    "value", [[[1, 2, 3]], [1, 2, 3], "[[1, 2, 3]]", "[1, 2, 3]", ((1, 2, 3),), ["[1, 2, 3]"], [[1.0, 2.0, 3.0]]]
)
def test_a_point_is_read_in_every_shape_in_which_clients_send_it(value: object) -> None:
    if value == ["[1, 2, 3]"]:
        with pytest.raises(RequestError):
            wire.points(value, "foreground", photograph=False)
        return
    assert wire.points(value, "foreground", photograph=False) == ((1.0, 2.0, 3.0),)


@pytest.mark.parametrize("value", [None, [], "", "[]"])
def test_no_points_are_no_points(value: object) -> None:
    assert wire.points(value, "foreground", photograph=False) == ()


@pytest.mark.parametrize(
    "value",
    [
        [[1, 2]],
        [[1, 2, 3, 4]],
        [[1, 2, None]],
        [[1, 2, math.nan]],
        [[1, 2, math.inf]],
        [[1, 2, True]],
        [["1", 2, 3]],
        {"a": 1},
        7,
        "click",
        "[[1, 2",
        [{"x": 1}],
    ],
)
def test_what_is_no_list_of_points_is_refused_with_the_key_and_the_value(value: object) -> None:
    with pytest.raises(RequestError, match="'foreground'"):
        wire.points(value, "foreground", photograph=False)


def test_in_a_photograph_x_and_y_are_enough() -> None:
    assert wire.points([[5, 6], [7, 8, 0]], "foreground", photograph=True) == ((5.0, 6.0, 0.0), (7.0, 8.0, 0.0))


def test_too_many_points_are_refused() -> None:
    with pytest.raises(RequestError, match="at most 1000"):
        wire.points([[1, 2, 3]] * 1001, "foreground", photograph=False)


def test_bounds_come_in_pairs_per_axis() -> None:
    assert wire.box_bounds([1, 2, 3, 4, 5, 6], "roi", photograph=False) == ((1, 3, 5), (2, 4, 6))
    assert wire.box_bounds([1, 2, 3, 4], "roi", photograph=True) == ((1, 3, 0), (2, 4, 1))
    assert wire.box_bounds([], "roi", photograph=False) is None


@pytest.mark.parametrize("value", [[1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, "6"], "box", {"x": 1}, 3])
def test_what_is_no_box_is_refused(value: object) -> None:
    with pytest.raises(RequestError, match="'roi'"):
        wire.box_bounds(value, "roi", photograph=False)


@pytest.mark.parametrize("value", ["twelve", 1.5, True, [], math.nan, 10**400 * 1.0 if False else math.inf])
def test_a_slice_must_be_a_whole_number(value: object) -> None:
    with pytest.raises(RequestError, match="'slice'"):
        wire.whole_number(value, "slice", "0 to 9")


def test_a_huge_value_does_not_flood_the_message() -> None:
    with pytest.raises(RequestError) as refused:
        wire.flag("x" * 100_000, "multimask")
    assert len(str(refused.value)) < 200
