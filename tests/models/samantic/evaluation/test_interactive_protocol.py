"""The protocol with an annotator who simulates and a model that can be told how good to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation.cases import Case, cases_of, drawn, evenly, middle_slices
from samantic.evaluation.interactive_protocol import InteractiveProtocol, best_disc_radius, measure
from samantic.evaluation.pictures import best_median_worst
from samantic.evaluation.summary import summarise
from samantic.segsam import ObjectPrediction, SegSamPredictor, ViewPrompts
from samantic.segsam.familiarity import ImageFamiliarity


def view(image_id: str = "one", radius: int = 12, domain: str = "dermoscopy") -> LabelledView:
    """A dark disc (label 1) and a small square (label 2) on pale ground."""
    y, x = np.mgrid[:64, :80]
    labels = np.where((x - 30) ** 2 + (y - 32) ** 2 <= radius**2, 1, 0).astype(np.int16)
    labels[4:8, 60:64] = 2
    image = np.where((labels == 1)[..., None], (90, 60, 50), (220, 180, 160)).astype(np.uint8)
    return LabelledView(image_id, domain, image, labels, ("skin_lesion", "ruler"))


class Draughtsman:
    """Draws a disc of one radius around the first click, then of the true one from the third click on."""

    class_names = ("skin_lesion", "naevus")

    def __init__(self, radius: float = 8.0, true_radius: float = 12.0, unsure: bool | None = None) -> None:
        self.unsure = unsure
        self.radius, self.true_radius, self.encoded = radius, true_radius, 0
        self.boxes: list[Any] = []

    def encode(self, image: np.ndarray, _spacing_yx_mm: tuple[float, float]) -> tuple[int, ...]:
        self.encoded += 1
        return image.shape[:2]

    def decode(self, features: tuple[int, ...], prompts: Sequence[ViewPrompts]) -> list[ObjectPrediction]:
        prompt = prompts[0]
        y, x = np.mgrid[: features[0], : features[1]]
        if prompt.box_xyxy is not None:
            self.boxes.append(prompt.box_xyxy)
            x0, y0, x1, y1 = prompt.box_xyxy
            mask = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        else:
            assert (prompt.low_res_logits is None) == (len(prompt.points_xy) == 1)
            radius = self.true_radius if len(prompt.points_xy) >= 3 else self.radius
            mask = np.hypot(x - prompt.points_xy[0, 0], y - prompt.points_xy[0, 1]) <= radius
        shares = {"skin_lesion": 0.7, "naevus": 0.3}
        return [
            ObjectPrediction(
                mask=mask,
                mask_logits=mask * 1.0,
                low_res_logits=torch.zeros(1, 4, 4),
                predicted_iou=0.9,
                class_probabilities=shares,
                predicted_class="skin_lesion",
                presence={},
                class_confidence=0.7,
                unsure=self.unsure,
                familiarity=None if self.unsure is None else ImageFamiliarity("dermoscopy", 1.5),
            )
        ]


def test_structures_that_are_too_small_are_left_out():
    assert [case.class_name for case in cases_of([view()])] == ["skin_lesion"]
    assert [case.class_name for case in cases_of([view()], smallest=16)] == ["skin_lesion", "ruler"]


def test_slices_of_one_volume_are_one_group_and_photographs_are_their_own():
    lesion, scan = next(cases_of([view("a/b")])), next(cases_of([view("patient/axis2-slice7", domain="mr")]))
    assert (lesion.group, lesion.unit) == ("a/b", "px")
    assert (scan.group, scan.unit) == ("patient", "mm")


def test_the_middle_slice_of_each_volume_along_each_axis_is_taken():
    ids = [f"p/axis{axis}-slice{index}" for axis in (0, 2) for index in range(5)]
    middle = middle_slices(view(image_id) for image_id in ids)
    assert [one.image_id for one in middle] == ["p/axis0-slice2", "p/axis2-slice2"]


def test_a_limit_spreads_over_all():
    assert list(evenly(lambda: range(101), 101, 3)) == [0, 50, 100]
    assert list(evenly(lambda: range(3), 3, None)) == [0, 1, 2]


def test_a_draw_is_a_subset_that_every_item_can_be_in():
    assert drawn(range(3), 5) == [0, 1, 2]
    chosen = [item for seed in range(400) for item in drawn(range(10), 5, seed)]
    assert np.bincount(chosen).min() > 150


def test_the_picture_is_encoded_once_for_all_its_structures():
    model = Draughtsman()
    assert len(measure(model, cases_of([view("one"), view("two")], smallest=16))) == 4
    assert model.encoded == 2


def test_every_model_meets_the_same_boxes_in_any_order():
    first, second = Draughtsman(), Draughtsman()
    cases = list(cases_of([view("one"), view("two")]))
    measure(first, cases)
    measure(second, cases[::-1])
    assert first.boxes == second.boxes[::-1]
    assert first.boxes[0] != first.boxes[1]


def test_the_curve_ends_with_a_perfect_answer_and_the_clicks_to_a_target_are_those_of_the_curve():
    result = measure(Draughtsman(), cases_of([view()]))[0]
    assert len(result.dice_by_click) == 3
    assert result.dice_by_click[0] == result.one_click.dice < 0.7
    assert result.dice_by_click[2] == result.several_clicks.dice == 1.0
    assert summarise([result]).targets[0].median_clicks == 3


def test_a_model_that_never_gets_better_uses_up_the_limit_and_reaches_nothing():
    result = measure(Draughtsman(true_radius=8.0), cases_of([view()]), InteractiveProtocol(click_limit=7))[0]
    assert len(result.dice_by_click) == 7
    assert summarise([result], InteractiveProtocol(click_limit=7)).targets[0].median_text == "more than 7"


def test_a_class_that_the_model_does_not_know_is_measured_but_takes_no_part_in_naming():
    results = measure(Draughtsman(), cases_of([view()], smallest=16))
    assert results[1].class_name == "ruler"
    assert results[1].box_name is None
    summary = summarise(results)
    assert summary.structures == 2
    assert summary.naming[0].confusion.true_names == ("skin_lesion",)
    assert summary.naming[0].reliability.expected_calibration_error == pytest.approx(0.3)


def test_doubts_are_counted_apart_for_right_names_and_for_classes_the_model_does_not_know():
    summary = summarise(measure(Draughtsman(unsure=True), cases_of([view()], smallest=16)))
    rates = summary.naming[0].unsure
    assert rates is not None
    assert (rates.right.count, rates.right.of) == (1, 1)
    assert (rates.unknown.count, rates.unknown.of) == (1, 1)
    assert rates.wrong.share is None
    assert summary.out_of_domain is not None
    assert (summary.out_of_domain.count, summary.out_of_domain.of) == (1, 1)


def test_a_model_that_never_says_unsure_has_no_such_row():
    summary = summarise(measure(Draughtsman(), cases_of([view()])))
    assert summary.naming[0].unsure is None
    assert summary.out_of_domain is None


def test_the_disc_of_the_best_radius_is_the_structure_where_that_is_a_disc():
    radius = best_disc_radius(cases_of([view(radius=12)]))
    assert radius == pytest.approx(12, rel=0.06)
    result = measure(Draughtsman(), cases_of([view()]), disc_radius=radius)[0]
    assert result.disc_at_click is not None
    assert result.disc_at_click.dice > 0.95
    assert best_disc_radius([]) is None


def test_without_a_radius_there_is_no_row_of_the_disc_and_no_difference_to_it():
    rows = summarise(measure(Draughtsman(), cases_of([view()])))
    assert [row.prompt for row in rows.prompts] == ["box", "ellipse in the box", "one click", "5 clicks"]
    assert [row.compared for row in rows.differences] == ["box minus ellipse in it"]


def test_the_model_is_no_better_than_the_ellipse_by_the_mean_of_their_differences():
    results = measure(Draughtsman(), cases_of([view("one", 10), view("two", 14)]))
    expected = np.mean([result.box.dice - result.ellipse_in_box.dice for result in results])
    assert summarise(results).differences[0].dice.mean == pytest.approx(expected)


def test_nothing_measured_cannot_be_summarised():
    with pytest.raises(ValueError, match="nothing to summarise"):
        summarise([])


def test_more_clicks_than_the_limit_are_refused():
    with pytest.raises(ValueError, match="1 to the limit of 3, not 5"):
        InteractiveProtocol(click_limit=3)


def test_pictures_show_best_median_and_worst_as_they_were_measured():
    views = [view(str(radius), radius) for radius in (9, 11, 13, 15, 17)]
    model = Draughtsman(radius=9.0)
    results = measure(model, cases_of(views))
    pictures = best_median_worst(model, lambda: cases_of(views), results)
    clicked = [picture for picture in pictures if picture.prompt == "one click"]
    assert [(picture.place, picture.result.image_id) for picture in clicked] == [
        ("best", "9"),
        ("median", "13"),
        ("worst", "17"),
    ]
    for picture in pictures:
        tile = picture.tile
        overlap = 2 * (tile.predicted & tile.truth).sum() / (tile.predicted.sum() + tile.truth.sum())
        measured = picture.result.box if picture.prompt == "box" else picture.result.one_click
        assert overlap == pytest.approx(measured.dice)
        assert (tile.box_xyxy is None) == (picture.prompt == "one click")


def test_two_pictures_are_the_best_and_the_worst():
    views = [view("one", 9), view("two", 15)]
    results = measure(Draughtsman(), cases_of(views))
    pictures = best_median_worst(Draughtsman(), lambda: cases_of(views), results)
    assert [picture.place for picture in pictures if picture.prompt == "box"] == ["best", "worst"]


def test_the_bundled_model_is_measured_the_same_way_twice():
    model = SegSamPredictor.from_bundled(device="cpu")
    cases: list[Case] = list(cases_of([view()]))
    first, second = (measure(model, cases, InteractiveProtocol(clicks=2, click_limit=3)) for _ in range(2))
    assert first == second
    assert first[0].box.dice > 0.8
    assert first[0].box_name is not None
    assert first[0].box_name.ranking[0] in model.class_names
