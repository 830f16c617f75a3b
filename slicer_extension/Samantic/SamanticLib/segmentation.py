"""Segments of a scene: what a model answered is put into them, taken back, and read out for the server."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import slicer

from SamanticLib import undoing
from SamanticLib.answers import ClassEntry
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent, common_extent, extent_of_mask, extent_shape, extent_slices, shifted_extent
from SamanticLib.label_volumes import label_volume, volume_extent
from SamanticLib.layers import checked_segmentation, is_empty, layer_of, mask_in, view_of
from SamanticLib.nodes import ijk_to_local, volume_shape
from SamanticLib.pasting import masks_in_the_way, taken_away, write_changes
from SamanticLib.prompts import LabelCrop
from SamanticLib.segments import segment_of_class
from SamanticLib.undo import SegmentChange, Step, UndoStack
from SamanticLib.undoing import Undone

VOLUME_ROLE = "samanticVolume"
"""Under which a segmentation notes the image that its segments are drawn on."""


class OverwritePolicy(Enum):
    """What happens to other segments where an answer is pasted: nothing, they keep their voxels, or they lose them."""

    ALLOW_OVERLAP = "allow overlap"
    PROTECT_OTHERS = "protect others"
    REPLACE = "replace"


@dataclass(frozen=True)
class Pasted:
    """What a paste did, in voxels: `added` to the segment and `removed`, `left` to others, `taken` by segment id.

    step: by which undo and redo call it; None where nothing changed, which is no step.
    """

    step: int | None
    added: int = 0
    removed: int = 0
    left: int = 0
    taken: Mapping[str, int] = field(default_factory=dict)


class SegmentationLogic:
    """The segmentations of one scene."""

    def __init__(self, scene: Any, undo_stack: UndoStack | None = None) -> None:
        """Take the scene and where steps are kept, by default in bounded memory."""
        self._scene = scene
        self._steps = UndoStack() if undo_stack is None else undo_stack
        self._numbers = itertools.count(1)
        # The next scene gives its nodes the same ids; the scene must not keep this object alive.
        steps = weakref.ref(self._steps)
        scene.AddObserver(slicer.vtkMRMLScene.EndCloseEvent, lambda *_: _clear(steps()))

    def segmentation_for(self, volume: Any) -> Any:
        """Return the segmentation of a volume, made where there is none, under the same transform as the volume.

        One that was drawn on this volume counts, whoever made it. Raises SamanticError for a volume without an image.
        """
        volume_shape(volume)
        geometry = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        for role in (VOLUME_ROLE, geometry):
            for number in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
                node = self._scene.GetNthNodeByClass(number, "vtkMRMLSegmentationNode")
                if node.GetNodeReference(role) is volume:
                    self.attach(node, volume)
                    return node
        node = self._scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{volume.GetName()} Segmentation")
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        self.attach(node, volume)
        return node

    def attach(self, segmentation: Any, volume: Any) -> None:
        """Note that a segmentation's answers lie in the voxels of this volume."""
        segmentation.SetNodeReferenceID(VOLUME_ROLE, volume.GetID())

    def volume_of(self, segmentation: Any) -> Any:
        """Return the volume that a segmentation is drawn on; SamanticError where that is not known."""
        checked_segmentation(segmentation)
        geometry = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        volume = segmentation.GetNodeReference(VOLUME_ROLE) or segmentation.GetNodeReference(geometry)
        if volume is None:
            raise SamanticError(
                f"It is not known on which image '{segmentation.GetName()}' is drawn; choose its image."
            )
        return volume

    def segment_for(self, segmentation: Any, class_entry: ClassEntry) -> str:
        """Return the id of the segment of a class, made with its terminology, colour and label value if need be."""
        return segment_of_class(segmentation, class_entry)

    def paste(
        self, segmentation: Any, segment_id: str, mask: np.ndarray, extent_ijk: Extent, policy: OverwritePolicy
    ) -> Pasted:
        """Make a segment what `mask` (i, j, k) says in a half-open extent of the image; elsewhere it stays.

        What is not 0 belongs to it. With PROTECT_OTHERS voxels of other segments, also hidden ones, stay theirs; with
        REPLACE they lose those that the segment has now. One step of undo. Raises SamanticError, with nothing changed,
        where the mask does not fit the extent, the extent the image, or the segment's grid the image's.
        """
        volume = self.volume_of(segmentation)
        mask = _checked_mask(mask, extent_ijk, volume_shape(volume))
        extent: Extent = tuple(int(end) for end in extent_ijk)  # type: ignore[assignment]
        grid = ijk_to_local(volume, segmentation)
        before = mask_in(segmentation, segment_id, grid, extent)
        others: Mapping[str, np.ndarray] = {}
        if policy is not OverwritePolicy.ALLOW_OVERLAP:
            others = masks_in_the_way(segmentation, segment_id, grid, extent, mask)
        left = 0
        if policy is OverwritePolicy.PROTECT_OTHERS:
            theirs = np.zeros_like(mask)
            for other in others.values():
                theirs |= other
            # What the segment shares with others already is nobody's loss.
            theirs &= ~before
            left = int((mask & theirs).sum())
            mask = mask & ~theirs
            others = {}
        touched = before ^ mask
        for other in others.values():
            touched |= other & mask
        box = extent_of_mask(touched)
        if box is None:
            return Pasted(None, left=left)
        # From here on only what changes is looked at: an answer's extent may be the whole image.
        extent, here = shifted_extent(box, extent[::2]), extent_slices(box)
        before, mask = before[here], mask[here]
        changes = [taken_away(segmentation, other, grid, extent, mask) for other in others]
        changes = [*changes, SegmentChange.between(segment_id, grid, extent, before, mask)]
        changes = [change for change in changes if change.count]
        if not changes:
            return Pasted(None, left=left)
        write_changes(segmentation, changes)
        step = Step(next(self._numbers), segmentation.GetID(), tuple(changes))
        self._steps.push(step)
        taken = {change.segment_id: change.count for change in changes if change.segment_id != segment_id}
        return Pasted(step.number, int((mask & ~before).sum()), int((before & ~mask).sum()), left, taken)

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer to take back."""
        return self._steps.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an answer to put back."""
        return self._steps.can_redo

    def undo(self) -> Undone:
        """Take the last answer back: every voxel that it changed, in every segment, is as before.

        Voxels that somebody changed by hand since stay as they are, and are counted. Raises SamanticError where there
        is nothing to take back, where the segmentation is gone, and where nothing of the answer is left.
        """
        return undoing.undo(self._scene, self._steps)

    def redo(self) -> Undone:
        """Put the answer that was taken back last into the segments again, by the same rules."""
        return undoing.redo(self._scene, self._steps)

    def forget_steps(self) -> None:
        """Forget what could be taken back, as when the scene is closed."""
        self._steps.clear()

    def segment_mask(self, segmentation: Any, segment_id: str, volume: Any) -> np.ndarray:
        """Return what a segment holds of a volume, (i, j, k) bool; drawn in another grid, by the middles of voxels."""
        return mask_in(segmentation, segment_id, ijk_to_local(volume, segmentation), volume_extent(volume))

    def segment_crop(self, segmentation: Any, segment_id: str, volume: Any) -> LabelCrop | None:
        """Return a segment as a mask to start from, cut to what is drawn; None where nothing of it is in the volume."""
        grid, extent = ijk_to_local(volume, segmentation), volume_extent(volume)
        layer = layer_of(segmentation, segment_id)
        if is_empty(layer.image):
            return None
        view = view_of(layer.image, grid, extent)
        within = extent if view is None else common_extent(view[1], extent)
        if within is None:
            return None
        mask = mask_in(segmentation, segment_id, grid, within)
        drawn = extent_of_mask(mask)
        if drawn is None:
            return None
        crop = mask[drawn[0] : drawn[1], drawn[2] : drawn[3], drawn[4] : drawn[5]]
        return LabelCrop(crop, shifted_extent(drawn, within[::2]))

    def label_volume(self, segmentation: Any, volume: Any, values: Mapping[str, int]) -> np.ndarray:
        """Return label values (i, j, k) in a volume's grid to submit; as `label_volumes.label_volume`."""
        return label_volume(segmentation, volume, values)


def _clear(steps: UndoStack | None) -> None:
    if steps is not None:
        steps.clear()


def _checked_mask(mask: np.ndarray, extent: Extent, shape: tuple[int, int, int]) -> np.ndarray:
    mask = np.asarray(mask)
    if len(extent) != 6 or mask.ndim != 3 or mask.shape != extent_shape(extent):
        raise SamanticError(f"The answer's mask is {mask.shape}, but its extent is {tuple(extent)}; ask again.")
    whole = (0, shape[0], 0, shape[1], 0, shape[2])
    if 0 in mask.shape or common_extent(extent, whole) != tuple(extent):
        raise SamanticError(
            f"The answer's extent {tuple(extent)} is not inside the image of {shape} voxels; is another image open?"
        )
    return np.asfortranarray(mask != 0)
