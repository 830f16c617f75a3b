"""Every strategy on real files, with a small network that really looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.segsam import SegSam
from samantic.app.lib.strategies.strategy import number_in_line
from samantic.segsam import SegSamPredictor

ALL = ("random", "first", "uncertainty", "diversity", "hybrid")
COUNT = 12


@pytest.mark.parametrize("strategy", ALL)
def test_each_strategy_gives_an_unlabelled_image_and_says_why(
    choosing: Any, save_label: Callable[..., None], strategy: str
) -> None:
    save_label("mr03")
    answer = choosing.ask(strategy, wait=True)
    assert re.fullmatch(r"mr\d\d", answer["id"]) and answer["id"] != "mr03"
    assert f"{COUNT - 1} unlabelled images" in answer["reason"]
    assert isinstance(answer["weight"], float) and answer["lease_seconds"] > 0


@pytest.mark.parametrize("strategy", ALL)
def test_two_clients_never_get_the_same_image_and_every_image_is_somebodys_in_the_end(
    choosing: Any, strategy: str
) -> None:
    given = [choosing.ask(strategy, client=f"reader {number}", wait=True)["id"] for number in range(COUNT)]
    assert sorted(given) == [f"mr{number:02d}" for number in range(COUNT)]
    assert choosing.ask(strategy, client="one more") is None
    assert choosing.ask(strategy, client="reader 4", wait=True)["id"] == given[4]


def test_a_lease_ends_with_the_label(choosing: Any, save_label: Callable[..., None]) -> None:
    assert choosing.ask("first", client="a")["id"] == "mr00"
    save_label("mr00")
    assert choosing.ask("first", client="b")["id"] == "mr01"
    assert choosing.leases.held() == {"mr01": "client b"}


def test_a_seed_makes_the_random_order_repeatable_whatever_is_leased(choosing: Any) -> None:
    order = [one["id"] for one in choosing.ask("random", seed=7, n=COUNT)["suggestions"]]
    assert sorted(order) == [f"mr{number:02d}" for number in range(COUNT)] != order
    again = choosing.ask("random", client="other", seed=7, n=COUNT)["suggestions"]
    assert [one["id"] for one in again] == order[1:]
    other = choosing.ask("random", client="third", seed=8, n=COUNT)["suggestions"]
    assert [one["id"] for one in other] != order[2:]


def test_the_most_uncertain_comes_first_with_its_number_and_place(choosing: Any) -> None:
    suggestions = choosing.ask("uncertainty", wait=True, n=COUNT)["suggestions"]
    numbers = [one["uncertainty"] for one in suggestions]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] > numbers[-1]
    assert f"uncertainty {numbers[2]:.3g}, the 3rd highest of {COUNT} unlabelled images" in suggestions[2]["reason"]
    second = choosing.ask("uncertainty", client="you", wait=True)
    assert second["id"] == suggestions[1]["id"]
    assert "the 2nd highest" in second["reason"] and "1 of them is with other people" in second["reason"]


def test_diversity_goes_away_from_what_is_labelled_and_leased(choosing: Any, save_label: Callable[..., None]) -> None:
    save_label("mr00")
    answer = choosing.ask("diversity", wait=True, n=COUNT)
    distances = [one["distance"] for one in answer["suggestions"]]
    assert distances == sorted(distances, reverse=True) and distances[0] > 0
    assert choosing.ask("diversity", client="you", wait=True)["id"] == answer["suggestions"][1]["id"]


def test_hybrid_chooses_among_the_most_uncertain(choosing: Any, save_label: Callable[..., None]) -> None:
    save_label("mr00")
    uncertain = [one["id"] for one in choosing.ask("uncertainty", wait=True, n=COUNT)["suggestions"]]
    answer = choosing.ask("hybrid", wait=True, n=COUNT)
    assert {one["id"] for one in answer["suggestions"][:8]} == set(uncertain[:8])
    assert [one["id"] for one in answer["suggestions"][8:]] == uncertain[8:]
    assert "of the 8 most uncertain the one farthest" in answer["reason"]
    assert {"uncertainty", "distance"} <= answer.keys()


def test_without_waiting_an_answer_comes_at_once_and_the_rest_is_looked_at_behind_it(
    choosing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samantic.app.lib.strategies.looking.BUDGET_S", 0.0)
    answer = choosing.ask("uncertainty")
    assert answer["id"] == "mr00" and "looked at so far" in answer["reason"]
    everything = choosing.ask("uncertainty", client="patient", wait=True, n=COUNT)
    assert all("uncertainty" in one for one in everything["suggestions"])


def test_images_that_cannot_be_read_are_named_and_passed_over(
    choosing: Any, studies: Path, store: SamanticDatastore
) -> None:
    (studies / "broken.nii.gz").write_bytes(b"no image at all")
    store.refresh()
    answer = choosing.ask("hybrid", wait=True, n=COUNT + 1)
    assert set(answer["skipped"]) == {"broken"} and answer["skipped"]["broken"].endswith(".")
    assert len(answer["suggestions"]) == COUNT


def test_nothing_is_looked_at_twice_also_by_the_next_start(choosing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = choosing.ask("uncertainty", wait=True)
    passes: list[int] = []
    monkeypatch.setattr(SegSamPredictor, "encode", lambda *_: passes.append(1))
    assert choosing.ask("uncertainty", wait=True)["uncertainty"] == first["uncertainty"]
    choosing.summaries._looked.clear()
    choosing.summaries._hashes.clear()
    assert choosing.ask("uncertainty", wait=True)["uncertainty"] == first["uncertainty"]
    assert passes == []


def test_the_classes_that_people_draw_are_those_whose_uncertainty_counts(
    choosing: Any, save_label: Callable[..., None]
) -> None:
    before = choosing.ask("uncertainty", wait=True, n=COUNT)["suggestions"]
    save_label("mr05", name="kidney_left")
    after = choosing.ask("uncertainty", wait=True, n=COUNT)["suggestions"]
    by_image = {one["id"]: one["uncertainty"] for one in before}
    assert any(by_image[one["id"]] != one["uncertainty"] for one in after)


def test_without_a_prompt_free_head_uncertainty_is_refused_and_diversity_works(
    choosing: Any, task: SegSam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task.served().predictor.network, "prompt_free_head", None)
    for strategy in ("uncertainty", "hybrid"):
        with pytest.raises(HTTPException) as refused:
            choosing.ask(strategy, wait=True)
        assert refused.value.status_code == 422 and "random, first or diversity" in refused.value.detail
    assert "distance" in choosing.ask("diversity", wait=True)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"n": 0.5}, "'n'"),
        ({"n": 101}, "1 to 100"),
        ({"seed": "abc"}, "'seed'"),
        ({"wait": "perhaps"}, "'wait'"),
        ({"model": "nobody"}, "segsam"),
        ({"client_id": 7}, "'client_id'"),
    ],
)
def test_what_cannot_be_done_is_said(choosing: Any, request_: dict[str, Any], said: str) -> None:
    with pytest.raises(HTTPException) as refused:
        choosing.strategies["uncertainty"]({"client_id": "me", **request_}, choosing.store)
    assert refused.value.status_code == 422 and said in refused.value.detail


def test_numbers_in_line_read_as_people_say_them() -> None:
    places = {1: "", 2: "2nd ", 3: "3rd ", 4: "4th ", 11: "11th ", 12: "12th ", 21: "21st ", 112: "112th "}
    assert {place: number_in_line(place) for place in places} == places
