from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import calibration_examples
from samantic.segsam.calibration_examples import (
    SMALLEST_KNOWN,
    SMALLEST_UNKNOWN,
    Example,
    domain_pictures,
    known_examples,
    unknown_examples,
    unlabelled_tissue,
)

NAMES = ("liver", "rib_left_1", "spleen")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def slice_view() -> LabelledView:
    """A liver, a rib, a speck of spleen and three unlabelled tissues in a body with air around it."""
    image, labels = np.zeros((96, 96, 3), np.uint8), np.zeros((96, 96), np.int16)
    image[10:86, 10:86] = 90
    image[15:30, 60:80], image[60:80, 60:80] = 160, 220
    labels[20:50, 20:45], labels[55:65, 20:40], labels[70:73, 20:23] = 1, 2, 3
    image[labels == 1], image[labels == 2], image[labels == 3] = 130, 250, 140
    return LabelledView("ct/axis2-1", "ct", image, labels, NAMES, (1.5, 1.5))


def is_about(example: Example) -> bool:
    """Whether the prompts point at the region of the example."""
    prompts, inside = example.prompts, example.region
    if prompts.box_xyxy is None:
        ((x, y),) = prompts.points_xy
        return bool(inside[round(y), round(x)]) and prompts.point_labels.tolist() == [1]
    x0, y0, x1, y1 = prompts.box_xyxy
    rows, columns = np.nonzero(inside)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    near = np.abs(np.subtract(middle, ((columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2)))
    return len(prompts.points_xy) == 0 and bool((near < 5).all())


def test_structures_that_the_network_knows_are_examples_but_for_specks(
    slice_view: LabelledView, random: np.random.Generator
):
    examples = known_examples([slice_view], ("liver", "spleen"), random)
    assert [one.class_name for one in examples] == ["liver"]
    np.testing.assert_array_equal(examples[0].region, slice_view.labels == 1)
    assert (slice_view.labels == 3).sum() < SMALLEST_KNOWN


def test_prompts_are_boxes_and_clicks_on_the_region(slice_view: LabelledView, random: np.random.Generator):
    examples = known_examples([slice_view] * 20, NAMES, random) + unknown_examples([slice_view] * 20, random)
    assert len(examples) == 60
    assert all(is_about(one) for one in examples)
    boxes = sum(one.prompts.box_xyxy is not None for one in examples)
    assert 15 < boxes < 45


def test_unknown_tissue_is_one_piece_without_a_label_and_no_air(slice_view: LabelledView, random: np.random.Generator):
    for example in unknown_examples([slice_view] * 30, random):
        region = example.region
        assert example.class_name is None
        assert not (region & (slice_view.labels > 0)).any()
        assert slice_view.image[region].min() > 0
        assert ndimage.label(region)[1] == 1
        assert region.sum() >= SMALLEST_UNKNOWN


def test_different_tissues_are_drawn(slice_view: LabelledView, random: np.random.Generator):
    drawn = [unlabelled_tissue(slice_view, random) for _ in range(40)]
    seen = {int(np.median(slice_view.image[region])) for region in drawn if region is not None}
    assert {160, 220} <= seen


@pytest.mark.parametrize("changed", ["black", "labelled"])
def test_a_picture_without_room_gives_no_unknown_tissue(
    slice_view: LabelledView, random: np.random.Generator, changed: str
):
    full = (
        replace(slice_view, image=np.zeros_like(slice_view.image))
        if changed == "black"
        else replace(slice_view, labels=np.ones_like(slice_view.labels))
    )
    assert unlabelled_tissue(full, random) is None
    assert unknown_examples([full], random) == []


def test_held_out_pictures_are_others_than_those_of_training(
    slice_view: LabelledView, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
):
    def part(domain: str, which: str) -> Iterator[LabelledView]:
        for number in range(12):
            yield replace(slice_view, image_id=f"{domain}/{which}-{number}", domain=domain)
        yield replace(slice_view, image_id="empty", labels=np.zeros_like(slice_view.labels))

    for name in ("isic2017", "busi", "hippocampus"):
        monkeypatch.setattr(calibration_examples, name, lambda _, which, name=name: part(name, which))
    for name in ("ct", "mr"):
        monkeypatch.setattr(calibration_examples, name, lambda _, name=name: part(name, "all"))
    pictures = domain_pictures(Path(), 6, random)
    assert list(pictures) == ["dermoscopy", "breast_ultrasound", "hippocampus_mr", "ct", "mr"]
    for name, views in pictures.items():
        training, held_out = ({view.image_id for view in some} for some in (views.training, views.held_out))
        assert len(held_out) == 6
        assert not training & held_out, name
        assert "empty" not in training | held_out
    assert {view.image_id.split("-")[0] for view in pictures["breast_ultrasound"].held_out} == {"busi/val"}


def test_held_out_slices_of_the_one_patient_are_synthesised(
    slice_view: LabelledView, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
):
    for name in ("isic2017", "busi", "hippocampus"):
        monkeypatch.setattr(calibration_examples, name, lambda *_: iter([slice_view]))
    for name in ("ct", "mr"):
        monkeypatch.setattr(
            calibration_examples, name, lambda _, name=name: iter([replace(slice_view, domain=name)] * 4)
        )
    pictures = domain_pictures(Path(), 4, random)
    for name in ("ct", "mr"):
        assert all(not np.array_equal(view.image, slice_view.image) for view in pictures[name].held_out)
        assert any(np.array_equal(view.image, slice_view.image) for view in pictures[name].training)
