from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.synthesis import intensities_of, synthesise
from samantic.evaluation import dice
from samantic.imaging import Window, to_uint8
from samantic.imaging.windowing import PRESETS

CLASSES = ("vertebrae_L1", "liver", "aorta", "stomach")
SEEDS = range(12)


def disc(centre_y: float, centre_x: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[:120, :150]
    return np.hypot(y - centre_y, x - centre_x) < radius


@pytest.fixture
def hounsfield() -> np.ndarray:
    """A body of fat and muscle in air with a bone, a liver, a vessel with contrast and a stomach full of gas."""
    image = np.full((120, 150), -1000.0, dtype=np.float32)
    image[disc(60, 75, 55)] = -100.0
    image[disc(60, 75, 46)] = 50.0
    for value, where in zip((600.0, 110.0, 200.0, -900.0), structures(), strict=True):
        image[where] = value
    return image


def structures() -> list[np.ndarray]:
    return [disc(85, 75, 10), disc(55, 52, 17), disc(66, 75, 6), disc(45, 92, 12)]


@pytest.fixture
def ct_slice(hounsfield: np.ndarray) -> LabelledView:
    labels = np.zeros(hounsfield.shape, dtype=np.int16)
    for value, where in enumerate(structures(), 1):
        labels[where] = value
    image = to_uint8(hounsfield, Window("ct", PRESETS["ct"]))
    return LabelledView("body/axis2-slice0", "ct", image, labels, CLASSES, (1.5, 1.5))


@pytest.fixture
def mr_slice(ct_slice: LabelledView) -> LabelledView:
    grey = np.array([110, 230, 90, 140, 60], dtype=np.uint8)[ct_slice.labels]
    grey[~disc(60, 75, 55)] = 0
    return replace(ct_slice, domain="mr", image=np.repeat(grey[..., None], 3, axis=2))


def drawn(view: LabelledView) -> list[LabelledView]:
    with np.errstate(all="raise", under="ignore"):  # no NaN on the way to 8 bits
        return [synthesise(view, np.random.default_rng(seed)) for seed in SEEDS]


class TestIntensities:
    def test_three_windows_still_hold_the_hounsfield_units(self, ct_slice: LabelledView, hounsfield: np.ndarray):
        found = intensities_of(ct_slice)
        in_soft_window = (hounsfield > -160) & (hounsfield < 240)
        # Half a grey level: 0.8 HU in the soft window, 2.4 HU in the others.
        assert np.abs(found - hounsfield)[in_soft_window].max() < 0.8
        assert np.abs(found - hounsfield).max() < 2.4

    def test_every_hounsfield_unit_survives_the_windows(self, ct_slice: LabelledView):
        ramp = np.linspace(-1000, 1000, 4001, dtype=np.float32)[None, :]
        image = to_uint8(ramp, Window("ct", PRESETS["ct"]))
        assert np.abs(intensities_of(replace(ct_slice, image=image)) - ramp).max() < 2.4


class TestSynthesis:
    @pytest.fixture(params=["ct_slice", "mr_slice"])
    def view(self, request: pytest.FixtureRequest) -> LabelledView:
        chosen: LabelledView = request.getfixturevalue(request.param)
        return chosen

    def test_the_same_seed_draws_the_same_picture_and_another_seed_another(self, view: LabelledView):
        first, again, other = (synthesise(view, np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert np.array_equal(first.image, again.image) and np.array_equal(first.labels, again.labels)
        assert not np.array_equal(first.image, other.image) and not np.array_equal(first.labels, other.labels)

    def test_only_image_and_labels_change(self, view: LabelledView):
        image, labels = view.image.copy(), view.labels.copy()
        for made in drawn(view):
            assert replace(made, image=view.image, labels=view.labels).__dict__ == view.__dict__
            assert made.image.shape == view.image.shape and made.image.dtype == np.uint8
            assert made.labels.shape == view.labels.shape and made.labels.dtype == np.int16
        assert np.array_equal(view.image, image) and np.array_equal(view.labels, labels)

    def test_every_structure_stays_near_its_place_and_its_size(self, view: LabelledView):
        for made in drawn(view):
            for value in range(1, len(CLASSES) + 1):
                before, after = np.argwhere(view.labels == value), np.argwhere(made.labels == value)
                assert 0.4 < len(after) / len(before) < 2.5
                assert (np.abs(after.mean(0) - before.mean(0)) < 0.08 * np.array(view.labels.shape)).all()

    def test_shapes_differ_from_picture_to_picture(self, view: LabelledView):
        liver = [made.labels == 2 for made in drawn(view)]
        union, both = np.logical_or.reduce(liver).sum(), np.logical_and.reduce(liver).sum()
        assert both < 0.6 * union

    def test_a_picture_is_neither_empty_nor_saturated(self, view: LabelledView):
        for made in drawn(view):
            body = made.image[..., 1][made.labels > 0]
            assert body.std() > 5 and (body == 255).mean() < 0.6

    def test_contrast_differs_from_picture_to_picture(self, view: LabelledView):
        means = np.array([made.image[..., 1][made.labels == 3].mean() for made in drawn(view)])
        assert means.std() > 15

    @pytest.mark.parametrize("size", [(40, 234), (35, 50), (9, 11)])
    def test_small_and_narrow_slices_are_drawn_too(self, view: LabelledView, size: tuple[int, int]):
        small = replace(view, image=view.image[: size[0], : size[1]], labels=view.labels[: size[0], : size[1]])
        for made in drawn(small):
            assert made.image.shape == small.image.shape

    def test_a_slice_without_labels_is_drawn_too(self, view: LabelledView):
        for made in drawn(replace(view, labels=np.zeros_like(view.labels))):
            assert not made.labels.any() and made.image.std() > 5


class TestCt:
    def test_bone_is_bright_and_gas_black_inside_their_moved_labels(self, ct_slice: LabelledView):
        for made in drawn(ct_slice):
            soft, bone = made.image[..., 1], made.image[..., 2]
            assert bone[made.labels == 1].mean() > bone[made.labels == 2].mean() + 20
            assert np.median(soft[made.labels == 4]) < 20

    def test_labels_move_with_the_image(self, ct_slice: LabelledView):
        for made in drawn(ct_slice):
            gas = made.image[..., 0] < 110  # below -480 HU in the lung window
            inside = disc(60, 75, 40)
            assert dice(gas & inside, made.labels == 4) > 0.85

    def test_air_around_the_body_is_black_in_the_soft_window(self, ct_slice: LabelledView):
        for made in drawn(ct_slice):
            corners = made.image[[0, 0, -1, -1], [0, -1, 0, -1]]
            assert (corners[:, 1] == 0).all() and (corners[:, 2] == 0).all() and (corners[:, 0] < 50).all()

    def test_the_three_windows_show_one_image(self, ct_slice: LabelledView):
        for made in drawn(ct_slice):
            again = to_uint8(intensities_of(made), Window("ct", PRESETS["ct"]))
            # Half a level of a wide window is one and a half of the narrow one.
            assert np.abs(again.astype(int) - made.image).max() <= 2


class TestMr:
    def test_the_three_channels_are_one(self, mr_slice: LabelledView):
        for made in drawn(mr_slice):
            assert (made.image == made.image[..., :1]).all()

    def test_air_stays_darker_than_the_body(self, mr_slice: LabelledView):
        for made in drawn(mr_slice):
            assert made.image[:6, :6].mean() < 40 < made.image[made.labels > 0].mean()


def test_a_photograph_is_refused_by_name(ct_slice: LabelledView):
    with pytest.raises(ValueError, match=r"'body/axis2-slice0' is of the domain 'dermoscopy'.*ct and mr"):
        synthesise(replace(ct_slice, domain="dermoscopy"), np.random.default_rng(0))
