from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.training import batches
from samantic.segsam.training.batches import SMALLEST_OBJECT
from samantic.segsam.training.looks import LookBatch, draw_looks

SIZE, GRID = 64, 32


def _draw(views: list[LabelledView], seed: int) -> LookBatch:
    batch = draw_looks(views, SIZE, GRID, np.random.default_rng(seed))
    assert batch is not None
    return batch


def test_every_view_gives_one_picture_with_the_share_of_its_object(square_view, disc_view):
    batch = _draw([square_view, disc_view, square_view], 0)
    assert batch.images.shape == (3, 3, SIZE, SIZE) and batch.shares.shape == (3, GRID, GRID)
    assert batch.images.min() >= 0 and batch.images.max() <= 255
    assert batch.shares.min() >= 0 and batch.shares.max() <= 1
    assert batch.is_whole.shape == (3,) and batch.is_whole.dtype == bool


def test_the_object_is_bright_where_its_share_says(square_view, disc_view):
    for seed in range(10):
        batch = _draw([square_view, disc_view], seed)
        for image, share in zip(batch.images, batch.shares, strict=True):
            coarse = image.mean(dim=0).reshape(GRID, 2, GRID, 2).mean(dim=(1, 3)).numpy()
            assert coarse[share > 0.9].mean() > coarse[share < 0.1].mean() + 60


def test_about_a_third_of_the_pictures_show_the_whole_view_and_the_others_are_zoomed_to_the_object():
    labels = np.zeros((100, 100), dtype=np.int16)
    labels[30:50, 60:80] = 1
    view = LabelledView("small", "ct", np.full((100, 100, 3), 90, dtype=np.uint8), labels, ("liver",))
    covered: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(10):
        batch = _draw([view] * 10, seed)
        for whole, share in zip(batch.is_whole.tolist(), batch.shares, strict=True):
            covered[whole].append(share.mean())
    assert 20 < len(covered[True]) < 50
    # A twenty-fifth of the view; zoomed, one over the square of about 1.7.
    assert 0.02 < np.median(covered[True]) < 0.07
    assert 0.2 < np.median(covered[False]) < 0.5


def test_an_object_is_any_structure_of_the_view_whole_or_one_of_its_parts():
    labels = np.zeros((64, 64), dtype=np.int16)
    labels[10:28, 6:26] = labels[36:56, 36:60] = 1
    labels[8:28, 36:60] = 2
    image = np.full((64, 64, 3), 90, dtype=np.uint8)
    image[labels == 2] = 220
    view = LabelledView("parts", "ct", image, labels, ("liver", "spleen"))
    parts, bright = set(), set()
    for seed in range(8):
        batch = _draw([view] * 6, seed)
        for share, picture, whole in zip(batch.shares, batch.images, batch.is_whole, strict=True):
            if whole:
                parts.add(ndimage.label(share > 0.5)[1])
                coarse = picture.mean(dim=0).reshape(GRID, 2, GRID, 2).mean(dim=(1, 3)).numpy()
                bright.add(bool(coarse[share > 0.9].mean() > 150))
    assert parts == {1, 2} and bright == {True, False}


def test_views_without_an_object_large_enough_are_left_out(square_view, disc_view):
    empty = replace(square_view, labels=np.zeros_like(square_view.labels))
    assert draw_looks([empty, empty], SIZE, GRID, np.random.default_rng(0)) is None
    assert len(_draw([empty, disc_view, empty], 0).images) == 1
    tiny = np.zeros_like(square_view.labels)
    tiny[30, 40] = 1
    for seed in range(10):
        batch = draw_looks([replace(square_view, labels=tiny)], SIZE, GRID, np.random.default_rng(seed))
        assert batch is None or (batch.shares >= 0.5).sum() >= SMALLEST_OBJECT


def test_most_slices_of_a_one_patient_volume_show_another_patient(square_view, monkeypatch: pytest.MonkeyPatch):
    made: list[str] = []

    def synthesise(view: LabelledView, _random: np.random.Generator) -> LabelledView:
        made.append(view.image_id)
        return view

    monkeypatch.setattr(batches, "synthesise", synthesise)
    only = replace(square_view, image_id="example_ct/axis2-7")
    for seed in range(10):
        _draw([only, square_view] * 4, seed)
    assert set(made) == {"example_ct/axis2-7"}
    assert 18 < len(made) < 37


def test_the_same_seed_draws_the_same_pictures_and_another_one_others(square_view, disc_view):
    first, again, other = (_draw([square_view, disc_view], seed) for seed in (4, 4, 5))
    assert first.images.equal(again.images) and np.array_equal(first.shares, again.shares)
    assert np.array_equal(first.is_whole, again.is_whole)
    assert not first.images.equal(other.images)
