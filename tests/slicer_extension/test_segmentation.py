"""Answers in segments of a real scene, voxel by voxel, checked by Slicer's own export."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer
from SamanticLib.errors import SamanticError
from SamanticLib.segmentation import OverwritePolicy, SegmentationLogic
from SamanticLib.segments import stable_values, tag
from tests.slicer_extension.scenes import (
    GRIDS,
    OBLIQUE,
    OBLIQUE_GRIDS,
    SHAPE,
    SHEARED,
    Scene,
    blob,
    entry,
    orientations,
)

ALLOW, PROTECT, REPLACE = OverwritePolicy
EXTENT = (1, 5, 2, 9, 0, 4)
CROP = (4, 7, 4)


@pytest.fixture
def a_scene() -> Scene:
    return Scene()


@pytest.fixture
def logic(a_scene: Scene) -> SegmentationLogic:
    return SegmentationLogic(a_scene.scene)


@pytest.fixture
def volume(a_scene: Scene) -> Any:
    return a_scene.volume(GRIDS[13])


@pytest.fixture
def segmentation(logic: SegmentationLogic, volume: Any) -> Any:
    return logic.segmentation_for(volume)


def in_image(mask: np.ndarray, extent: tuple[int, ...] = EXTENT, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    whole = np.zeros(shape, bool)
    whole[extent[0] : extent[1], extent[2] : extent[3], extent[4] : extent[5]] = mask
    return whole


@pytest.mark.parametrize("ijk_to_ras", [*GRIDS, *OBLIQUE_GRIDS])
def test_an_answer_lands_on_its_voxels_in_every_orientation(
    a_scene: Scene, logic: SegmentationLogic, ijk_to_ras: np.ndarray
) -> None:
    volume = a_scene.volume(ijk_to_ras)
    segmentation = logic.segmentation_for(volume)
    segment = logic.segment_for(segmentation, entry("liver"))
    first, second = blob(CROP), blob((3, 3, 1), 2)
    done = logic.paste(segmentation, segment, first, EXTENT, ALLOW)
    logic.paste(segmentation, segment, second, (4, 7, 0, 3, 4, 5), ALLOW)  # outside what the labelmap held
    expected = in_image(first) | in_image(second, (4, 7, 0, 3, 4, 5))
    assert (done.added, done.removed) == (first.sum(), 0)
    np.testing.assert_array_equal(logic.segment_mask(segmentation, segment, volume), expected)
    np.testing.assert_array_equal(a_scene.exported(segmentation, segment, volume), expected)


@pytest.mark.parametrize("number", range(0, 48, 6))
def test_an_answer_lands_on_its_voxels_under_nested_sheared_transforms(
    a_scene: Scene, logic: SegmentationLogic, number: int
) -> None:
    volume = a_scene.volume(GRIDS[number])
    volume.SetAndObserveTransformNodeID(a_scene.transform(SHEARED, a_scene.transform(OBLIQUE)).GetID())
    segmentation = logic.segmentation_for(volume)
    assert segmentation.GetParentTransformNode() is volume.GetParentTransformNode()
    segment = logic.segment_for(segmentation, entry("liver"))
    logic.paste(segmentation, segment, blob(CROP), EXTENT, ALLOW)
    np.testing.assert_array_equal(a_scene.exported(segmentation, segment, volume), in_image(blob(CROP)))


def test_a_segmentation_beside_the_volumes_transform_gets_its_voxels_in_the_world(
    a_scene: Scene, logic: SegmentationLogic
) -> None:
    """The volume was moved, turned and warped in shape after its segmentation was made."""
    volume = a_scene.volume(GRIDS[9])
    segmentation = logic.segmentation_for(volume)
    segment = logic.segment_for(segmentation, entry("liver"))
    volume.SetAndObserveTransformNodeID(a_scene.transform(OBLIQUE).GetID())
    logic.paste(segmentation, segment, blob(CROP), EXTENT, ALLOW)
    np.testing.assert_array_equal(a_scene.exported(segmentation, segment, volume), in_image(blob(CROP)))
    volume.SetAndObserveTransformNodeID(None)
    with pytest.raises(SamanticError, match="drawn in another grid"):
        logic.paste(segmentation, segment, blob(CROP), EXTENT, ALLOW)


def test_a_warping_transform_is_fine_on_both_and_refused_between_them(a_scene: Scene, logic: SegmentationLogic) -> None:
    volume = a_scene.volume(GRIDS[0])
    bending = a_scene.bending()
    volume.SetAndObserveTransformNodeID(bending.GetID())
    segmentation = logic.segmentation_for(volume)
    segment = logic.segment_for(segmentation, entry("liver"))
    logic.paste(segmentation, segment, blob(CROP), EXTENT, ALLOW)
    np.testing.assert_array_equal(logic.segment_mask(segmentation, segment, volume), in_image(blob(CROP)))
    segmentation.SetAndObserveTransformNodeID(None)
    with pytest.raises(SamanticError, match="a transform that warps"):
        logic.paste(segmentation, segment, blob(CROP), EXTENT, ALLOW)


@pytest.mark.parametrize("number", range(0, 48, 5))
def test_a_hand_drawn_segment_that_is_turned_and_smaller_than_the_crop_takes_the_answer(
    a_scene: Scene, logic: SegmentationLogic, number: int
) -> None:
    """Its labelmap has the axes of another orientation, voxels on the image's voxels, and a smaller extent."""
    volume = a_scene.volume(GRIDS[13])
    between = np.eye(4)  # voxel of the labelmap -> voxel of the image
    between[:3, :3] = orientations()[number]
    between[:3, 3] = np.where(between[:3, :3].sum(axis=1) < 0, 3, 1)
    drawn_grid = GRIDS[13] @ between
    segmentation = logic.segmentation_for(volume)
    hand = np.zeros((3, 3, 2), bool)
    hand[0, 0, 0] = hand[2, 1, 1] = True
    segment = a_scene.hand_drawn(segmentation, "by hand", drawn_grid, hand)
    before = logic.segment_mask(segmentation, segment, volume)
    np.testing.assert_array_equal(before, a_scene.exported(segmentation, segment, volume))
    assert before.sum() == 2
    mask = blob((6, 8, 5), 4)
    extent = (1, 7, 1, 9, 0, 5)
    logic.paste(segmentation, segment, mask, extent, ALLOW)
    expected = before.copy()
    expected[1:7, 1:9, 0:5] = mask
    np.testing.assert_array_equal(a_scene.exported(segmentation, segment, volume), expected)
    logic.undo()
    np.testing.assert_array_equal(a_scene.exported(segmentation, segment, volume), before)


def test_a_photograph_is_a_volume_of_one_slice(a_scene: Scene, logic: SegmentationLogic) -> None:
    volume = a_scene.volume(np.diag([-1.0, -1.0, 1.0, 1.0]), (12, 10, 1), colour=True)
    segmentation = logic.segmentation_for(volume)
    segment = logic.segment_for(segmentation, entry("skin_lesion"))
    mask = blob((5, 6, 1))
    logic.paste(segmentation, segment, mask, (3, 8, 2, 8, 0, 1), ALLOW)
    expected = in_image(mask, (3, 8, 2, 8, 0, 1), (12, 10, 1))
    np.testing.assert_array_equal(a_scene.exported(segmentation, segment, volume), expected)
    np.testing.assert_array_equal(logic.label_volume(segmentation, volume, {"skin_lesion": 4}), expected * 4)


def test_in_its_extent_the_segment_is_the_mask_and_outside_it_stays(
    logic: SegmentationLogic, segmentation: Any, volume: Any
) -> None:
    segment = logic.segment_for(segmentation, entry("liver"))
    logic.paste(segmentation, segment, np.ones(SHAPE, np.uint16) * 3, (0, 7, 0, 9, 0, 5), ALLOW)
    done = logic.paste(segmentation, segment, np.zeros(CROP, bool), EXTENT, ALLOW)
    np.testing.assert_array_equal(logic.segment_mask(segmentation, segment, volume), ~in_image(np.ones(CROP, bool)))
    assert (done.added, done.removed) == (0, np.prod(CROP))
    again = logic.paste(segmentation, segment, np.zeros(CROP, bool), EXTENT, ALLOW)
    assert again.step is None  # nothing changed, so there is nothing to take back


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("policy", list(OverwritePolicy))
def test_other_segments_keep_share_or_lose_their_voxels(
    logic: SegmentationLogic, segmentation: Any, volume: Any, policy: OverwritePolicy, shared: bool
) -> None:
    liver, spleen, kidney = (logic.segment_for(segmentation, entry(name)) for name in ("liver", "spleen", "kidney"))
    theirs, others, mine = in_image(blob(CROP, 5)), in_image(blob(CROP, 6)), blob(CROP, 7)
    others &= ~theirs
    whole = (0, 7, 0, 9, 0, 5)
    logic.paste(segmentation, spleen, theirs, whole, ALLOW)
    logic.paste(segmentation, kidney, others, whole, ALLOW)
    if not shared:
        segmentation.GetSegmentation().SeparateSegmentLabelmap(spleen)
    else:
        assert segmentation.GetSegmentation().GetNumberOfLayers() == 1
    done = logic.paste(segmentation, liver, mine, EXTENT, policy)
    mine = in_image(mine)
    expected = {
        ALLOW: (mine, theirs, others),
        PROTECT: (mine & ~theirs & ~others, theirs, others),
        REPLACE: (mine, theirs & ~mine, others & ~mine),
    }[policy]
    for segment, mask in zip((liver, spleen, kidney), expected, strict=True):
        np.testing.assert_array_equal(logic.segment_mask(segmentation, segment, volume), mask)
    assert done.left == ((theirs | others) & mine).sum() * (policy is PROTECT)
    taken = {spleen: (theirs & mine).sum(), kidney: (others & mine).sum()} if policy is REPLACE else {}
    assert dict(done.taken) == taken
    logic.undo()
    for segment, mask in zip((liver, spleen, kidney), (mine & False, theirs, others), strict=True):
        np.testing.assert_array_equal(logic.segment_mask(segmentation, segment, volume), mask)
    logic.redo()
    for segment, mask in zip((liver, spleen, kidney), expected, strict=True):
        np.testing.assert_array_equal(logic.segment_mask(segmentation, segment, volume), mask)


def test_what_a_segment_shares_with_others_already_is_not_taken_from_it(
    logic: SegmentationLogic, segmentation: Any, volume: Any
) -> None:
    liver, lesion = logic.segment_for(segmentation, entry("liver")), logic.segment_for(segmentation, entry("lesion"))
    for segment in (liver, lesion):
        logic.paste(segmentation, segment, blob(CROP), EXTENT, ALLOW)
    done = logic.paste(segmentation, lesion, blob(CROP), EXTENT, PROTECT)
    assert (done.step, done.left) == (None, 0)
    np.testing.assert_array_equal(logic.segment_mask(segmentation, lesion, volume), in_image(blob(CROP)))


def test_a_hidden_segment_is_protected_too(logic: SegmentationLogic, segmentation: Any) -> None:
    liver, spleen = logic.segment_for(segmentation, entry("liver")), logic.segment_for(segmentation, entry("spleen"))
    logic.paste(segmentation, spleen, np.ones(CROP), EXTENT, ALLOW)
    segmentation.GetDisplayNode().SetSegmentVisibility(spleen, False)
    done = logic.paste(segmentation, liver, np.ones(CROP), EXTENT, PROTECT)
    assert (done.added, done.left) == (0, np.prod(CROP))


def test_a_segment_of_another_grid_is_read_kept_and_replaced_but_not_pasted_into(
    a_scene: Scene, logic: SegmentationLogic, segmentation: Any, volume: Any
) -> None:
    finer = GRIDS[13].copy()
    finer[:3, :3] *= 0.5
    finer[:3, 3] -= finer[:3, :3] @ np.full(3, 0.25)
    hand = np.zeros((8, 8, 8), bool)
    hand[:6, :4, :4] = True  # voxels 0..2, 0..1, 0..1 of the image, by halves
    other = a_scene.hand_drawn(segmentation, "by hand", finer, hand)
    with pytest.raises(SamanticError, match=r"'by hand' was drawn in another grid .* use a new segment"):
        logic.paste(segmentation, other, np.ones(CROP), EXTENT, ALLOW)
    before = logic.segment_mask(segmentation, other, volume)
    np.testing.assert_array_equal(before, in_image(np.ones((3, 2, 2), bool), (0, 3, 0, 2, 0, 2)))
    liver = logic.segment_for(segmentation, entry("liver"))
    extent, mask = (2, 4, 0, 2, 0, 1), np.ones((2, 2, 1), bool)
    assert logic.paste(segmentation, liver, mask, extent, PROTECT).left == 2
    logic.undo()
    done = logic.paste(segmentation, liver, mask, extent, REPLACE)
    assert done.taken[other] == 2 * 2 * 4  # of its own voxels
    np.testing.assert_array_equal(logic.segment_mask(segmentation, other, volume), before & ~in_image(mask, extent))
    logic.undo()
    np.testing.assert_array_equal(logic.segment_mask(segmentation, other, volume), before)
    np.testing.assert_array_equal(logic.segment_mask(segmentation, liver, volume), False)


def test_more_than_255_segments_fit_into_one_labelmap(logic: SegmentationLogic, segmentation: Any, volume: Any) -> None:
    segments = [logic.segment_for(segmentation, entry(f"class_{number}")) for number in range(300)]
    for number in (0, 254, 255, 256, 299):
        extent = (number % 7, number % 7 + 1, number % 9, number % 9 + 1, number % 5, number % 5 + 1)
        logic.paste(segmentation, segments[number], np.ones((1, 1, 1)), extent, ALLOW)
        assert logic.segment_mask(segmentation, segments[number], volume).sum() == 1
        assert logic.segment_mask(segmentation, segments[number], volume)[extent[::2]]


@pytest.mark.parametrize(
    ("mask", "extent", "sentence"),
    [
        (np.ones((4, 7, 3)), EXTENT, "its extent is"),
        (np.ones((4, 7)), EXTENT, "its extent is"),
        (np.ones((4, 7, 4)), (4, 8, 2, 9, 0, 4), "another image"),
        (np.ones((4, 7, 4)), (-1, 3, 2, 9, 0, 4), "another image"),
        (np.ones((0, 0, 0)), (0, 0, 0, 0, 0, 0), "another image"),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(
    logic: SegmentationLogic, segmentation: Any, volume: Any, mask: np.ndarray, extent: Any, sentence: str
) -> None:
    segment = logic.segment_for(segmentation, entry("liver"))
    with pytest.raises(SamanticError, match=sentence):
        logic.paste(segmentation, segment, mask, extent, REPLACE)
    assert not logic.segment_mask(segmentation, segment, volume).any()
    assert not logic.can_undo


def test_a_segment_that_is_gone_and_surfaces_are_refused_with_a_sentence(
    logic: SegmentationLogic, segmentation: Any
) -> None:
    with pytest.raises(SamanticError, match="not in 'image Segmentation' any more"):
        logic.paste(segmentation, "nobody", np.ones(CROP), EXTENT, ALLOW)
    segmentation.GetSegmentation().SetSourceRepresentationName("Closed surface")
    with pytest.raises(SamanticError, match="make the binary labelmap its source"):
        logic.segment_for(segmentation, entry("liver"))


def test_surfaces_that_are_shown_follow_the_answer(logic: SegmentationLogic, segmentation: Any) -> None:
    liver, spleen = logic.segment_for(segmentation, entry("liver")), logic.segment_for(segmentation, entry("spleen"))
    logic.paste(segmentation, liver, np.ones((2, 2, 2)), (1, 3, 1, 3, 1, 3), ALLOW)
    logic.paste(segmentation, spleen, np.ones((1, 1, 1)), (5, 6, 5, 6, 3, 4), ALLOW)
    inner = segmentation.GetSegmentation()
    inner.CreateRepresentation("Closed surface")
    small = inner.GetSegment(liver).GetRepresentation("Closed surface").GetBounds()
    kept = inner.GetSegment(spleen).GetRepresentation("Closed surface")
    logic.paste(segmentation, liver, np.ones(CROP), EXTENT, ALLOW)
    big = inner.GetSegment(liver).GetRepresentation("Closed surface").GetBounds()
    assert big[1] - big[0] > small[1] - small[0]
    assert inner.GetSegment(spleen).GetRepresentation("Closed surface") is kept


def test_a_volume_has_one_segmentation_and_takes_one_that_was_drawn_on_it(
    a_scene: Scene, logic: SegmentationLogic
) -> None:
    volume, other = a_scene.volume(GRIDS[0]), a_scene.volume(GRIDS[1])
    drawn = a_scene.add("vtkMRMLSegmentationNode", "by hand")
    drawn.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    assert logic.segmentation_for(volume) is drawn
    assert logic.segmentation_for(other) is logic.segmentation_for(other) is not drawn
    with pytest.raises(SamanticError, match="no image in the volume"):
        logic.segmentation_for(a_scene.add("vtkMRMLScalarVolumeNode"))
    with pytest.raises(SamanticError, match="choose its image"):
        logic.volume_of(a_scene.add("vtkMRMLSegmentationNode"))


def test_a_class_has_one_segment_with_its_terminology_colour_and_value(
    logic: SegmentationLogic, segmentation: Any
) -> None:
    liver = logic.segment_for(segmentation, entry("left_kidney", (10, 20, 30)))
    segment = segmentation.GetSegmentation().GetSegment(liver)
    assert segment.GetName() == "left kidney"
    np.testing.assert_allclose(segment.GetColor(), np.array([10, 20, 30]) / 255)
    assert tag(segment, "TerminologyEntry").split("~")[2].endswith("^Left_Kidney")
    segment.SetName("renamed")
    assert logic.segment_for(segmentation, entry("left_kidney")) == liver
    segment.SetTag("Samantic.Class", "")  # as a segment of stock Slicer, known by its terminology
    assert logic.segment_for(segmentation, entry("left_kidney")) == liver
    assert logic.segment_for(segmentation, entry("spleen")) != liver


def test_label_values_stay_with_their_segments(logic: SegmentationLogic, segmentation: Any) -> None:
    names = ("liver", "spleen", "kidney")
    liver, spleen, kidney = (logic.segment_for(segmentation, entry(name)) for name in names)
    before = stable_values(segmentation)
    assert sorted(before.values()) == [1, 2, 3]
    inner = segmentation.GetSegmentation()
    inner.SetSegmentIndex(kidney, 0)
    inner.RemoveSegment(spleen)
    inner.GetSegment(liver).SetLabelValue(77)
    after = stable_values(segmentation)
    assert after == {kidney: before[kidney], liver: before[liver]}
    assert list(after) == [kidney, liver]
    new = logic.segment_for(segmentation, entry("pancreas"))
    assert stable_values(segmentation)[new] not in after.values()


def test_values_of_a_label_belong_to_classes_whatever_is_drawn(
    a_scene: Scene, logic: SegmentationLogic, segmentation: Any, volume: Any
) -> None:
    liver, _, kidney = (logic.segment_for(segmentation, entry(name)) for name in ("liver", "spleen", "kidney"))
    logic.paste(segmentation, kidney, blob(CROP), EXTENT, ALLOW)
    logic.paste(segmentation, liver, ~blob(CROP), EXTENT, ALLOW)
    segmentation.GetDisplayNode().SetSegmentVisibility(kidney, False)
    values = {"liver": 11, "spleen": 12, "kidney": 300}  # the spleen is empty, the kidney hidden
    labels = logic.label_volume(segmentation, volume, values)
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(labels, in_image(blob(CROP)) * 300 + in_image(~blob(CROP)) * 11)
    only = logic.label_volume(segmentation, volume, {kidney: 3})  # by id; the liver is left out
    np.testing.assert_array_equal(only, in_image(blob(CROP)) * 3)
    assert only.dtype == np.uint8
    second = a_scene.hand_drawn(segmentation, "second", GRIDS[13], np.ones((1, 1, 1), bool))
    joined = logic.label_volume(segmentation, volume, {"kidney": 3, second: 3})
    np.testing.assert_array_equal(joined > 0, (only > 0) | in_image(np.ones((1, 1, 1)), (0, 1, 0, 1, 0, 1)))


def test_overlapping_segments_cannot_be_one_label(logic: SegmentationLogic, segmentation: Any, volume: Any) -> None:
    liver, lesion = logic.segment_for(segmentation, entry("liver")), logic.segment_for(segmentation, entry("lesion"))
    logic.paste(segmentation, liver, np.ones(CROP), EXTENT, ALLOW)
    logic.paste(segmentation, lesion, np.ones((2, 1, 1)), (1, 3, 2, 3, 0, 1), ALLOW)
    with pytest.raises(SamanticError, match="'lesion' and 'liver' overlap in 2 voxels"):
        logic.label_volume(segmentation, volume, {"liver": 1, "lesion": 2})
    assert logic.label_volume(segmentation, volume, {"liver": 1, "lesion": 1}).sum() == np.prod(CROP)


@pytest.mark.parametrize(
    ("values", "sentence"), [({"liver": 0}, "1 to 65535"), ({"heart": 1}, "no segment of 'heart'")]
)
def test_values_and_names_that_cannot_be_are_refused(
    logic: SegmentationLogic, segmentation: Any, volume: Any, values: dict[str, int], sentence: str
) -> None:
    logic.segment_for(segmentation, entry("liver"))
    with pytest.raises(SamanticError, match=sentence):
        logic.label_volume(segmentation, volume, values)


@pytest.mark.parametrize("number", range(0, 48, 7))
def test_a_hand_drawn_segment_is_a_mask_to_start_from(a_scene: Scene, logic: SegmentationLogic, number: int) -> None:
    volume = a_scene.volume(GRIDS[number])
    segmentation = logic.segmentation_for(volume)
    hand = np.zeros((5, 8, 5), bool)
    hand[1:4, 2, 3] = hand[2, 6, 4] = True
    segment = a_scene.hand_drawn(segmentation, "by hand", GRIDS[number], hand)
    crop = logic.segment_crop(segmentation, segment, volume)
    assert crop.extent_ijk == (1, 4, 2, 7, 3, 5)
    np.testing.assert_array_equal(crop.values, hand[1:4, 2:7, 3:5])
    assert logic.segment_crop(segmentation, logic.segment_for(segmentation, entry("liver")), volume) is None
    beyond = GRIDS[number].copy()
    beyond[:3, 3] += 100 * GRIDS[number][:3, 0]
    outside = a_scene.hand_drawn(segmentation, "outside", beyond, hand)
    assert logic.segment_crop(segmentation, outside, volume) is None


def test_steps_of_a_closed_scene_are_forgotten(a_scene: Scene, logic: SegmentationLogic, segmentation: Any) -> None:
    segment = logic.segment_for(segmentation, entry("liver"))
    logic.paste(segmentation, segment, np.ones(CROP), EXTENT, ALLOW)
    a_scene.scene.Clear(1)
    assert not logic.can_undo
    assert isinstance(a_scene.scene, slicer.vtkMRMLScene)
