from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import InputTransform
from samantic.segsam.training import augmentation
from samantic.segsam.training.augmentation import look_of, picture_of

SIZE = 128
DOMAINS = ("ct", "mr", "dermoscopy", "breast_ultrasound", "skin_photo")


def _view(labels: np.ndarray, domain: str, spacing: tuple[float, float] = (1.0, 1.0)) -> LabelledView:
    image = np.repeat(np.where(labels > 0, 220, 40).astype(np.uint8)[..., None], 3, axis=2)
    return LabelledView("view", domain, image, labels, ("liver", "spleen", "stomach"), spacing)


def _three_discs(shape: tuple[int, int] = (100, 100)) -> np.ndarray:
    """1 on the left, 2 on the right, 3 above: mirrored, they turn the other way round."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, dtype=np.int16)
    for value, (row, column) in enumerate([(60, 30), (60, 70), (30, 50)], start=1):
        labels[(rows - row) ** 2 + (columns - column) ** 2 < 64] = value
    return labels


def _handedness(labels: np.ndarray) -> float | None:
    """Positive as drawn, negative mirrored; None where a disc is not wholly in the picture."""
    inner = labels[2:-2, 2:-2]
    if set(np.unique(inner)) != {0, 1, 2, 3} or (inner > 0).sum() != (labels > 0).sum():
        return None
    (x1, y1), (x2, y2), (x3, y3) = (np.argwhere(labels == value).mean(axis=0)[::-1] for value in (1, 2, 3))
    return (x2 - x1) * (y1 - y3) - (y2 - y1) * (x1 - x3)


@pytest.mark.parametrize("domain", DOMAINS)
def test_image_and_labels_stay_together(domain: str):
    labels = np.zeros((90, 120), dtype=np.int16)
    labels[20:50, 30:100] = 1
    labels[50:80, 30:60] = 2
    view = _view(labels, domain)
    overlaps = []
    for seed in range(12):
        picture = picture_of(view, SIZE, np.random.default_rng(seed))
        assert picture.image.shape == (3, SIZE, SIZE) and picture.labels.shape == (SIZE, SIZE)
        assert picture.image.min() >= 0 and picture.image.max() <= 255
        assert set(picture.labels.unique().tolist()) <= {0, 1, 2}
        bright = picture.image.mean(dim=0) > 125
        inside = picture.labels > 0
        overlaps.append(((bright & inside).sum() / (bright | inside).sum()).item())
    assert min(overlaps) > 0.7
    assert np.median(overlaps) > 0.95


@pytest.mark.parametrize("domain", ["ct", "mr"])
def test_ct_and_mr_are_never_mirrored(domain: str):
    view = _view(_three_discs(), domain)
    turns = [_handedness(picture_of(view, SIZE, np.random.default_rng(seed)).labels.numpy()) for seed in range(60)]
    whole = [turn for turn in turns if turn is not None]
    assert len(whole) >= 20
    assert min(whole) > 0


@pytest.mark.parametrize("domain", ["dermoscopy", "breast_ultrasound", "skin_photo"])
def test_where_sides_mean_nothing_pictures_are_mirrored_half_of_the_time(domain: str):
    view = _view(_three_discs(), domain)
    turns = [_handedness(picture_of(view, SIZE, np.random.default_rng(seed)).labels.numpy()) for seed in range(60)]
    mirrored = [turn < 0 for turn in turns if turn is not None]
    assert len(mirrored) >= 20
    assert 0.25 < np.mean(mirrored) < 0.75


def test_ultrasound_keeps_the_skin_above():
    view = _view(_three_discs(), "breast_ultrasound")
    for seed in range(30):
        labels = picture_of(view, SIZE, np.random.default_rng(seed)).labels.numpy()
        if _handedness(labels) is not None:
            heights = [np.argwhere(labels == value)[:, 0].mean() for value in (1, 2, 3)]
            assert heights[2] < min(heights[:2])


def test_a_millimetre_stays_as_long_across_as_down():
    rows, columns = np.mgrid[:40, :100]
    # A disc of 15 mm radius in pixels of 3 by 1 mm.
    labels = (((rows - 20) * 3.0) ** 2 + (columns - 50.0) ** 2 < 15**2).astype(np.int16)
    view = _view(labels, "ct", (3.0, 1.0))
    ratios = []
    for seed in range(60):
        inside = picture_of(view, SIZE, np.random.default_rng(seed)).labels.numpy() > 0
        if not (inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any()):
            ratios.append(np.ptp(np.flatnonzero(inside.any(axis=0))) / np.ptp(np.flatnonzero(inside.any(axis=1))))
    assert len(ratios) >= 20
    assert np.median(ratios) == pytest.approx(1, abs=0.08)


def test_what_lies_beyond_the_picture_is_black_background():
    view = _view(np.ones((20, 100), dtype=np.int16), "mr")
    picture = picture_of(view, SIZE, np.random.default_rng(3))
    # 20 of 100 rows: most of the square is border.
    assert (picture.labels == 0).float().mean() > 0.5


def test_the_same_seed_draws_the_same_picture_and_another_one_another():
    view = _view(_three_discs(), "dermoscopy")
    first, again, other = (picture_of(view, SIZE, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first.image.equal(again.image) and first.labels.equal(again.labels)
    assert not first.labels.equal(other.labels)


def test_a_view_without_labels_is_drawn_as_well():
    view = _view(np.zeros((50, 50), dtype=np.int16), "ct")
    for seed in range(10):
        assert not picture_of(view, SIZE, np.random.default_rng(seed)).labels.any()


@pytest.mark.parametrize("placement", ["centre", "corner", "stretch"])
def test_a_picture_that_is_not_moved_lies_where_inference_puts_it(placement, monkeypatch: pytest.MonkeyPatch):
    still = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    monkeypatch.setattr(augmentation, "_random_affine", lambda *_: still)
    monkeypatch.setattr(augmentation, "_change_intensity", lambda image, *_: image)
    # Smooth, so that the two ways of sampling agree.
    y, x = np.mgrid[:40, :80]
    image = np.stack([x * 3, y * 6, x + y], axis=-1).astype(np.uint8)
    view = LabelledView("wide", "ct", image, np.zeros((40, 80), np.int16), ("liver",))
    border = (120.0, 110.0, 100.0)
    picture = picture_of(view, 160, np.random.default_rng(0), placement, border)
    expected = InputTransform((40, 80), (1.0, 1.0), 160, placement, border).image(image)[0]
    # At the very edge one of them mixes in the border.
    inside = (picture.image - expected).abs() < 2
    assert inside.float().mean() > 0.95


def test_a_look_shows_the_object_near_its_middle_and_the_share_moves_with_the_image():
    view = _view(_three_discs(), "ct")
    sizes = []
    for seed in range(20):
        look = look_of(view, view.labels == 2, 64, np.random.default_rng(seed))
        assert look.image.shape == (3, 64, 64) and look.share.shape == (64, 64)
        inside = (look.share > 0.5).numpy()
        y, x = np.argwhere(inside).mean(axis=0)
        assert abs(y - 32) < 12 and abs(x - 32) < 12
        assert look.image.mean(dim=0).numpy()[inside].mean() > look.image.mean(dim=0).numpy()[~inside].mean() + 40
        sizes.append(inside.mean())
    # A disc in a look of about 1.7 times its width covers a quarter of it.
    assert min(sizes) < 0.2 and max(sizes) > 0.3


def test_a_look_may_show_the_whole_view_with_one_object():
    view = _view(_three_discs(), "ct")
    for seed in range(20):
        look = look_of(view, view.labels == 2, 64, np.random.default_rng(seed), whole=True)
        # Three bright discs of 16 pixels in 100, one of which is meant.
        assert 0.01 < (look.share > 0.5).float().mean() < 0.04
        assert (look.image.mean(dim=0) > 125).float().mean() > 1.7 * (look.share > 0.5).float().mean()


@pytest.mark.parametrize("domain", ["ct", "mr", "breast_ultrasound"])
def test_looks_are_mirrored_half_of_the_time_in_every_domain(domain: str):
    view = _view(_three_discs(), domain)
    mirrored = []
    for seed in range(60):
        looks = [
            look_of(view, view.labels == value, SIZE, np.random.default_rng(seed), whole=True).share.numpy() > 0.5
            for value in (1, 2, 3)
        ]
        turn = _handedness(sum(value * look for value, look in enumerate(looks, start=1)))
        if turn is not None:
            mirrored.append(turn < 0)
    assert len(mirrored) >= 20
    assert 0.25 < np.mean(mirrored) < 0.75
