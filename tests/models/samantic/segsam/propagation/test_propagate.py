from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from samantic.imaging import SliceView, Volume
from samantic.segsam import ImageFeatures, ObjectPrediction, ViewPrompts
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.propagation import PromptedSlice, PropagatedVolume, PropagationOptions, StopLimits, propagate

from .bright_things import BRIGHT, WINDOW, BrightThings, box, volume_of

SHAPE = (24, 20, 12)


def a_tube(shape: tuple[int, int, int] = SHAPE, grey: int = 180, until: int | None = None) -> Volume:
    """A bar of 8 x 6 pixels across the slices 0 to `until` along axis 2."""
    volume = volume_of(shape)
    array = np.zeros(shape, np.uint8)
    array[8:16, 6:12, :until] = grey
    return volume.with_array(array)


def followed(
    volume: Volume, *prompted: PromptedSlice, model: BrightThings | None = None, **options: object
) -> PropagatedVolume:
    return propagate(model or BrightThings(), volume, WINDOW, prompted, PropagationOptions(**options))  # type: ignore[arg-type]


def start_at(index: int) -> PromptedSlice:
    return PromptedSlice(index, box(7, 5, 17, 13))


@pytest.mark.parametrize("index", [0, 5, 11])
def test_an_object_is_followed_to_both_ends_of_the_image_from_any_slice(index: int) -> None:
    volume = a_tube()
    found = followed(volume, start_at(index))
    np.testing.assert_array_equal(found.labels > 0, volume.array > 0)
    assert found.labels.dtype == np.uint8
    assert found.slices == (0, 11)
    assert dict(found.stopped) == {"up": "end of the image", "down": "end of the image"}


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1), (-1, 1, -1)])
def test_every_axis_works_in_every_orientation(axis: int, signs: tuple[int, int, int]) -> None:
    array = np.zeros((18, 16, 14), np.uint8)
    array[4:14, 5:12, 3:10] = 180
    volume = Volume(array, np.diag([*signs, 1.0]))
    view = SliceView.of(volume, axis, 7)
    shown = view.extract(array) > 0
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    prompts = box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    found = followed(volume, PromptedSlice(7, prompts), axis=axis)
    np.testing.assert_array_equal(found.labels > 0, array > 0)
    assert dict(found.stopped) == {"up": "nothing found", "down": "nothing found"}


def test_only_the_direction_that_was_asked_for_is_gone() -> None:
    found = followed(a_tube(), start_at(4), directions="up")
    assert found.slices == (4, 11)
    assert found.stopped["down"] is None
    assert followed(a_tube(), start_at(4), directions="down").slices == (0, 4)


def test_each_slice_is_prompted_by_the_mask_before_it_a_click_inside_and_a_wider_box() -> None:
    model = BrightThings()
    followed(a_tube(), start_at(0), model=model)
    with_mask, with_box = model.pair
    assert with_mask.mask is not None
    (x, y), *_ = with_mask.points_xy.astype(int)
    assert with_mask.mask[y, x]
    assert with_box.box_xyxy == (7, 5, 17, 13)


def test_it_stops_where_nothing_is_left() -> None:
    found = followed(a_tube(until=7), start_at(2))
    assert found.stopped["up"] == "nothing found"
    assert found.slices == (0, 6)


def test_it_stops_where_the_area_grows_suddenly_and_leaves_that_slice_out() -> None:
    volume = a_tube()
    array = volume.array.copy()
    array[2:22, 2:18, 8:] = 180
    found = followed(volume.with_array(array), start_at(2))
    assert found.stopped["up"] == "area grew"
    assert found.slices == (0, 7)


def test_it_stops_where_the_area_shrinks_suddenly() -> None:
    array = np.zeros((40, 40, 12), np.uint8)
    array[5:35, 5:35, :6] = 180
    array[18:21, 18:21, 6:] = 180
    found = followed(volume_of(array.shape).with_array(array), PromptedSlice(2, box(5, 5, 35, 35)))
    assert found.stopped["up"] == "area shrank"
    assert found.slices == (0, 5)


def test_it_stops_where_the_model_is_no_longer_sure() -> None:
    found = followed(a_tube(), start_at(3), model=BrightThings(sureness=0.1), limits=StopLimits(confidence=0.7))
    assert dict(found.stopped) == {"up": "confidence", "down": "confidence"}
    assert found.slices == (3, 3)


def test_it_stops_where_another_class_begins_that_looks_alike() -> None:
    volume = a_tube(grey=195)
    array = volume.array.copy()
    array[:, :, 8:][array[:, :, 8:] > 0] = 205
    found = followed(volume.with_array(array), start_at(2))
    assert found.stopped["up"] == "class changed"
    assert found.slices == (0, 7)


def test_it_stops_where_the_tissue_is_another() -> None:
    volume = a_tube(grey=130)
    array = volume.array.copy()
    array[:, :, 8:][array[:, :, 8:] > 0] = 190
    assert followed(volume.with_array(array), start_at(2)).stopped["up"] == "appearance changed"


def test_hand_corrected_masks_are_kept_exactly() -> None:
    first, second = np.zeros((20, 24), bool), np.zeros((20, 24), bool)
    first[3:9, 8:11], second[9:12, 12:20] = True, True
    volume = a_tube()
    found = followed(volume, PromptedSlice(2, mask=first), PromptedSlice(6, mask=second))
    view = SliceView.of(volume, 2, 2)
    np.testing.assert_array_equal(view.extract(found.labels) > 0, first)
    np.testing.assert_array_equal(view.at(6).extract(found.labels) > 0, second)
    assert found.confidence[2] == found.confidence[6] == 1.0


def test_a_gap_is_filled_even_where_the_model_finds_nothing() -> None:
    left, right = np.zeros((20, 24), bool), np.zeros((20, 24), bool)
    left[5:15, 2:10], right[5:15, 12:20] = True, True
    volume = volume_of(SHAPE)
    found = followed(volume, PromptedSlice(2, mask=left), PromptedSlice(6, mask=right))
    assert found.slices == (2, 6)
    columns = [np.nonzero(SliceView.of(volume, 2, index).extract(found.labels))[1].mean() for index in range(2, 7)]
    assert columns == sorted(columns)
    assert columns[2] == pytest.approx((columns[0] + columns[4]) / 2, abs=1)


def test_a_gap_is_blended_from_both_sides_by_distance() -> None:
    """Two bright things side by side: the lower slice shows the left one, the upper one the right one."""
    array = np.zeros((24, 20, 7), np.uint8)
    array[2:10, 5:15, :], array[14:22, 5:15, :] = 180, 180
    volume = volume_of(array.shape).with_array(array)
    view = SliceView.of(volume, 2, 0)
    bright = view.extract(array) > 0
    left, right = bright.copy(), bright.copy()
    left[:, 12:], right[:, :12] = False, False
    found = followed(volume, PromptedSlice(0, mask=left), PromptedSlice(6, mask=right))
    near_left, near_right = (view.at(index).extract(found.labels) > 0 for index in (1, 5))
    assert (near_left & left).sum() > (near_left & right).sum()
    assert (near_right & right).sum() > (near_right & left).sum()


def test_several_prompted_slices_are_one_object() -> None:
    volume = a_tube()
    found = followed(volume, start_at(8), start_at(1), start_at(4))
    np.testing.assert_array_equal(found.labels > 0, volume.array > 0)


def test_the_answer_names_the_slice_that_was_prompted_first_among_the_classes_asked_for() -> None:
    found = followed(a_tube(grey=220), start_at(3), classes=("liver",))
    assert found.prediction.predicted_class == "liver"
    assert followed(a_tube(grey=220), start_at(3)).prediction.predicted_class == "kidney_left"


def test_progress_rises_to_the_total_also_where_it_stops_early() -> None:
    said: list[tuple[int, int]] = []
    propagate(
        BrightThings(),
        a_tube(until=6),
        WINDOW,
        [start_at(1), start_at(4)],
        PropagationOptions(),
        on_progress=lambda done, total: said.append((done, total)),
    )
    assert [done for done, _ in said] == sorted(done for done, _ in said)
    assert said[-1][0] == said[-1][1]
    assert len({total for _, total in said}) == 1


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_cancelled_propagation_asks_the_model_nothing_more(at: int) -> None:
    model = BrightThings()
    with pytest.raises(Cancelled):
        propagate(model, a_tube(), WINDOW, [start_at(3)], PropagationOptions(), is_cancelled=lambda: model.passes >= at)
    assert model.passes == at


def test_memory_does_not_depend_on_the_number_of_slices() -> None:
    """Beyond the volume, which takes one slice's memory here, and the labels."""
    peaks, model = {}, BrightThings()
    one = a_tube((112, 112, 1)).array
    for count in (50, 500):
        volume = Volume(np.broadcast_to(one, (112, 112, count)), np.eye(4))
        view = SliceView.of(volume, 2, 0)
        rows, columns = np.nonzero(view.extract(volume.array))
        prompts = box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        tracemalloc.start()
        found = followed(volume, PromptedSlice(0, prompts), PromptedSlice(20, prompts), model=model)
        peaks[count] = tracemalloc.get_traced_memory()[1] - found.labels.nbytes
        tracemalloc.stop()
        assert found.slices == (0, count - 1)
    assert peaks[500] < 1.1 * peaks[50]
    assert model.most_alive <= 2


@pytest.mark.parametrize(
    ("prompted", "said"),
    [
        (lambda: [], "Nothing is prompted"),
        (lambda: [start_at(12)], "Slice 12 lies outside the volume; use 0 to 11"),
        (lambda: [start_at(3), start_at(3)], "Slice 3 is prompted twice"),
        (lambda: [PromptedSlice(3, mask=np.ones((4, 4), bool))], "but a slice is"),
        (lambda: [PromptedSlice(3)], "either prompts or a mask"),
        (lambda: [PromptedSlice(3, mask=np.zeros((20, 24), bool))], "mask of slice 3 is empty"),
    ],
)
def test_what_cannot_be_propagated_is_said(prompted: Callable[[], list[PromptedSlice]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        followed(a_tube(), *prompted())


def test_an_object_ends_where_it_ends_from_the_side_although_what_follows_looks_alike() -> None:
    """A bar that another one continues, which only a picture across the slices shows to be another."""

    class SeesTheEnd(BrightThings):
        """From the side, where no box or mask suggests more, it finds the bar up to the eighth slice."""

        def decode(
            self, features: ImageFeatures, prompts: Sequence[ViewPrompts], classes: Sequence[str] | None = None
        ) -> list[ObjectPrediction]:
            answers = super().decode(features, prompts, classes)
            if prompts[0].box_xyxy is None and prompts[0].mask is None:
                bright = features.picture()[..., 0] >= BRIGHT
                # Of the slices along the rows, the last is uppermost in these pictures.
                bright[: SHAPE[2] - 8] = False
                answers = [replace(answers[0], mask=bright)]
            return answers

    found = followed(a_tube(), start_at(3), model=SeesTheEnd())
    assert found.stopped["up"] == "end seen from the side"
    assert found.slices == (0, 7)


def test_slices_far_apart_are_not_looked_at_from_the_side() -> None:
    volume, asked = a_tube(), []

    class Recorder(BrightThings):
        def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
            asked.append(image.shape[:2])
            return super().encode(image, spacing_yx_mm)

    followed(Volume(volume.array, np.diag([-1.0, -1.0, 4.0, 1.0])), start_at(3), model=Recorder())
    assert set(asked) == {(20, 24)}
