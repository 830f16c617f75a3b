"""Answers are taken back and put back, without undoing what a person did by hand in between.

A voxel is taken back where every segment that the answer changed there still is as the answer left it. A voxel that
somebody has changed since, in any of these segments, stays as it is in all of them: what was erased by hand does not
come back, and what was painted by hand is not drawn over. Such voxels leave the step, so redo does not touch them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from SamanticLib.errors import SamanticError
from SamanticLib.layers import mask_in
from SamanticLib.pasting import write_changes
from SamanticLib.undo import PackedMask, SegmentChange, Step, UndoStack


@dataclass(frozen=True)
class Undone:
    """Which step was taken back or put back, and how many of its voxels stayed because they were changed by hand."""

    step: int
    kept: int = 0

    @property
    def sentence(self) -> str:
        """What to tell the person; "" where all went as expected."""
        return f"{self.kept} voxels that were changed by hand since then stay as they are." if self.kept else ""


def undo(scene: Any, steps: UndoStack) -> Undone:
    """Take back the last step; SamanticError where there is none, or where nothing of it is left to take back."""
    if not steps.can_undo:
        raise SamanticError("There is no answer to take back.")
    step = steps.pop()
    done, kept = _applied(scene, step, backwards=True)
    steps.taken_back(done)
    return Undone(step.number, kept)


def redo(scene: Any, steps: UndoStack) -> Undone:
    """Put back the step that was taken back last; SamanticError where there is none, or nothing can be put back."""
    if not steps.can_redo:
        raise SamanticError("There is no answer to put back.")
    step = steps.pop_taken_back()
    done, kept = _applied(scene, step, backwards=False)
    steps.made_again(done)
    return Undone(step.number, kept)


def _applied(scene: Any, step: Step, backwards: bool) -> tuple[Step, int]:
    """Write a step or its reverse where that is safe; return the part of it that was written, and how much was not."""
    segmentation = scene.GetNodeByID(step.segmentation_id)
    if segmentation is None:
        raise SamanticError("The segmentation of that answer is not in the scene any more; it stays as it is.")
    there = set(segmentation.GetSegmentation().GetSegmentIDs())
    changes = [_reversed(change) if backwards else change for change in step.changes]
    changed_by_hand = [_changed_by_hand(segmentation, change, there) for change in changes]
    safe, kept = [], 0
    for change in changes:
        unsafe = np.zeros(change.added.shape, bool)
        for other, touched in zip(changes, changed_by_hand):
            # Segments that were drawn in another grid than the image's are looked at by themselves.
            if other is change or (other.extent == change.extent and np.array_equal(other.grid, change.grid)):
                unsafe |= touched
        part, left = _without(change, unsafe)
        kept = max(kept, left)
        if part.count and part.segment_id in there:
            safe.append(part)
    if not safe:
        raise SamanticError("All that the answer changed has been changed by hand since then; it stays as it is.")
    write_changes(segmentation, safe)
    written = [_reversed(part) for part in safe] if backwards else safe
    return Step(step.number, step.segmentation_id, tuple(written)), kept


def _changed_by_hand(segmentation: Any, change: SegmentChange, there: set[str]) -> np.ndarray:
    """Return the voxels that are not as they must be before `change` is written, (i, j, k) bool."""
    added, removed = change.added.unpacked(), change.removed.unpacked()
    if change.segment_id not in there:
        return added | removed
    now = mask_in(segmentation, change.segment_id, change.grid, change.extent)
    return (added & now) | (removed & ~now)


def _without(change: SegmentChange, unsafe: np.ndarray) -> tuple[SegmentChange, int]:
    added, removed = change.added.unpacked(), change.removed.unpacked()
    left = int((added & unsafe).sum() + (removed & unsafe).sum())
    if not left:
        return change, 0
    packed = PackedMask.of(added & ~unsafe), PackedMask.of(removed & ~unsafe)
    return SegmentChange(change.segment_id, change.grid, change.extent, *packed), left


def _reversed(change: SegmentChange) -> SegmentChange:
    return SegmentChange(change.segment_id, change.grid, change.extent, change.removed, change.added)
