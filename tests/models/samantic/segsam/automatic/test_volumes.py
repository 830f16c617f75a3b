from __future__ import annotations

from collections.abc import Callable

import nibabel
import numpy as np
import pytest

from samantic.evaluation import dice
from samantic.imaging import SliceView, Volume, to_uint8, window_for
from samantic.segsam import SegSamPredictor
from samantic.segsam.automatic import (
    VOLUMES,
    AutomaticOptions,
    GridOptions,
    segment_slice,
    segment_volume,
    usual_axes,
    volumes,
)
from samantic.segsam.cancelling import Cancelled

BRIGHT_AND_GRAY = ("hippocampus_anterior", "liver")
ALL = ("hippocampus_anterior", "hippocampus_posterior", "liver", "kidney_left", "skin_lesion")

Balls = Callable[..., tuple[Volume, np.ndarray]]


def test_both_balls_are_found_where_they_are_with_the_values_of_the_classes_asked_for(
    headed: SegSamPredictor, balls: Balls
) -> None:
    volume, truth = balls()
    found = segment_volume(headed, volume, window_for(volume), AutomaticOptions(BRIGHT_AND_GRAY, refine=False))
    assert found.labels.shape == volume.shape_ijk
    assert found.labels.dtype == np.uint8
    assert (found.class_names, found.axes, found.source) == (BRIGHT_AND_GRAY, (2, 1, 0), "head")
    assert min(dice(found.labels == value, truth == value) for value in (1, 2)) > 0.7
    assert [one.class_name for one in found.structures] == list(BRIGHT_AND_GRAY)
    first = found.structures[0]
    assert first.voxels == (found.labels == 1).sum()
    assert all(low <= 9 < high for low, high in zip(first.lower_ijk[:2], first.upper_ijk[:2], strict=True))
    assert first.opinion in headed.class_names
    assert found.confidence is None
    assert found.uncertainty is None
    turned = segment_volume(headed, volume, window_for(volume), AutomaticOptions(BRIGHT_AND_GRAY[::-1], refine=False))
    np.testing.assert_array_equal(turned.labels, np.choose(found.labels, (0, 2, 1)))


def test_without_classes_the_hippocampus_is_1_and_2_and_the_others_follow_in_the_order_of_the_model(
    headed: SegSamPredictor, balls: Balls
) -> None:
    volume, truth = balls()
    found = segment_volume(headed, volume, window_for(volume), AutomaticOptions(axes=(2,)))
    assert found.class_names == ALL
    assert dice(found.labels == 1, truth == 1) > 0.6
    assert dice(found.labels == 1 + ALL.index("liver"), truth == 2) > 0.6


def test_a_class_that_nobody_asked_for_is_background(headed: SegSamPredictor, balls: Balls) -> None:
    volume, truth = balls()
    found = segment_volume(headed, volume, window_for(volume), AutomaticOptions(("liver",), axes=(2,)))
    assert set(np.unique(found.labels)) == {0, 1}
    assert dice(found.labels == 1, truth == 2) > 0.6


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SLA"])
def test_a_volume_stored_with_other_axes_gives_the_same_labels_in_its_own_voxels(
    headed: SegSamPredictor, balls: Balls, codes: str
) -> None:
    volume, _ = balls()
    image = nibabel.Nifti1Image(np.asarray(volume.array), volume.affine)
    there = nibabel.orientations.axcodes2ornt(codes)
    turn = nibabel.orientations.ornt_transform(nibabel.orientations.io_orientation(volume.affine), there)
    turned = image.as_reoriented(turn)
    other = Volume(np.asarray(turned.dataobj), turned.affine, "MR")
    options = AutomaticOptions(BRIGHT_AND_GRAY, refine=False)
    labels = segment_volume(headed, volume, window_for(volume), options).labels
    of_other = segment_volume(headed, other, window_for(other), options).labels
    expected = nibabel.orientations.apply_orientation(labels, turn)
    assert (of_other != expected).mean() < 0.001


def test_confidence_and_uncertainty_are_of_the_voxels_and_come_only_on_request(
    headed: SegSamPredictor, balls: Balls
) -> None:
    volume, truth = balls()
    options = AutomaticOptions(BRIGHT_AND_GRAY, axes=(2,), with_confidence=True, with_uncertainty=True)
    found = segment_volume(headed, volume, window_for(volume), options)
    assert found.confidence is not None
    assert found.uncertainty is not None
    for array in (found.confidence, found.uncertainty):
        assert (array.shape, array.dtype) == (volume.shape_ijk, np.float16)
        assert array.min() >= 0
        assert array.max() <= 1.001
    right = found.labels == truth
    assert found.uncertainty[~right].mean() > 3 * found.uncertainty[right].mean()
    assert found.confidence[~right].mean() < found.confidence[right].mean()


def test_prompting_with_the_regions_changes_borders_and_says_so(headed: SegSamPredictor, balls: Balls) -> None:
    volume, _ = balls()
    window = window_for(volume)
    plain, refined = (
        segment_volume(headed, volume, window, AutomaticOptions(BRIGHT_AND_GRAY, axes=(2,), refine=refine))
        for refine in (False, True)
    )
    assert (plain.refined, refined.refined) == (False, True)
    assert (plain.labels != refined.labels).any()


def test_progress_counts_every_slice_and_a_cancelled_call_stops_at_once(headed: SegSamPredictor, balls: Balls) -> None:
    volume, _ = balls()
    heard: list[tuple[int, int]] = []
    segment_volume(
        headed, volume, window_for(volume), AutomaticOptions(BRIGHT_AND_GRAY), on_progress=lambda *n: heard.append(n)
    )
    total = sum(volume.shape_ijk)
    assert heard == [(done, total) for done in range(1, total + 1)]
    heard.clear()
    with pytest.raises(Cancelled):
        segment_volume(
            headed,
            volume,
            window_for(volume),
            AutomaticOptions(),
            on_progress=lambda *n: heard.append(n),
            is_cancelled=lambda: len(heard) >= 5,
        )
    assert len(heard) == 5


def test_a_slice_alone_gives_what_the_same_slice_of_a_volume_of_one_gives(
    headed: SegSamPredictor, balls: Balls
) -> None:
    volume, _ = balls()
    view = SliceView.of(volume, 2, 8)
    options = AutomaticOptions(BRIGHT_AND_GRAY, refine=True, with_confidence=True)
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    alone = segment_slice(headed, headed.encode(picture, view.spacing_yx_mm), options, VOLUMES)
    thin = Volume(volume.array[:, :, 8:9], volume.affine, "MR")
    of_one = segment_volume(headed, thin, window_for(volume), options)
    np.testing.assert_array_equal(alone.labels, SliceView.of(thin, 2, 0).extract(of_one.labels))
    assert [one.class_name for one in alone.structures] == [one.class_name for one in of_one.structures]
    assert alone.confidence is not None
    assert alone.confidence.shape == view.shape


def test_a_photograph_is_cut_along_its_only_axis(headed: SegSamPredictor) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 1, 3), dtype=np.uint8)
    photograph = Volume(pixels, np.diag([-1.0, -1, 1, 1]), "RGB", "photograph")
    found = segment_volume(headed, photograph, window_for(photograph), AutomaticOptions())
    assert (found.labels.shape, found.axes) == ((40, 30, 1), (2,))
    with pytest.raises(ValueError, match="only one view"):
        segment_volume(headed, photograph, window_for(photograph), AutomaticOptions(axes=(0,)))


def test_a_network_without_the_head_looks_with_a_grid_and_other_wishes_are_refused(
    headless: SegSamPredictor, headed: SegSamPredictor, balls: Balls
) -> None:
    volume, _ = balls()
    thin = Volume(volume.array[:, :, 8:10], volume.affine, "MR")
    window = window_for(volume)
    wide = GridOptions(points=3, lowest_presence=0, lowest_quality=0, lowest_share=0, lowest_stability=0)
    found = segment_volume(headless, thin, window, AutomaticOptions(grid=wide))
    assert (found.source, found.refined, found.axes) == ("grid", False, (2,))
    assert segment_volume(headed, thin, window, AutomaticOptions(source="grid", grid=wide)).source == "grid"
    with pytest.raises(ValueError, match="prompt-free head"):
        segment_volume(headless, thin, window, AutomaticOptions(source="head"))
    with pytest.raises(ValueError, match="does not know the class 'tail'"):
        segment_volume(headed, thin, window, AutomaticOptions(("tail",)))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"classes": ("liver", "liver")}, "once"),
        ({"source": "crystal ball"}, "crystal ball"),
        ({"axes": (1, 1)}, "different"),
        ({"axes": ()}, "different"),
        ({"axes": (3,)}, "0, 1 and 2"),
        ({"classes": tuple(map(str, range(256)))}, "255"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wrong: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AutomaticOptions(**wrong)


def a_volume(shape: tuple[int, int, int], *spacing: float) -> Volume:
    return Volume(np.zeros(shape, np.int16), np.diag([*spacing, 1.0]))


def test_volumes_are_cut_where_their_slices_are_finest_and_isotropic_ones_from_all_sides() -> None:
    assert usual_axes(a_volume((20, 20, 20), 1, 1, 1), 1000) == (2, 1, 0)
    assert usual_axes(a_volume((20, 20, 20), 1, 1, 5), 1000) == (2,)
    assert usual_axes(a_volume((20, 20, 20), 4, 1, 1), 1000) == (0,)
    assert usual_axes(a_volume((20, 20, 4), 1, 1, 1), 1000) == (2,)
    assert usual_axes(a_volume((20, 20, 20), 1, 1, 1), volumes.MAP_BYTES) == (2,)


def test_axes_whose_maps_do_not_fit_into_memory_are_refused(
    headed: SegSamPredictor, balls: Balls, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, _ = balls()
    monkeypatch.setattr(volumes, "MAP_BYTES", 1000)
    with pytest.raises(ValueError, match="name one axis or fewer classes"):
        segment_volume(headed, volume, window_for(volume), AutomaticOptions(axes=(2, 0)))
