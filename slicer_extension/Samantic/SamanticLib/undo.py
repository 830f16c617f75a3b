"""Steps that changed segments, to be taken back and made again, in bounded memory."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from SamanticLib.geometry import Extent, IjkToRas, Voxel

MAX_BYTES = 128 * 2**20
MAX_STEPS = 200


@dataclass(frozen=True)
class PackedMask:
    """A mask (i, j, k), one compressed bit a voxel."""

    shape: Voxel
    bits: bytes
    count: int

    @classmethod
    def of(cls, mask: np.ndarray) -> PackedMask:
        """Pack a mask (i, j, k)."""
        i, j, k = mask.shape
        return cls((i, j, k), zlib.compress(np.packbits(mask.T.ravel()).tobytes(), 1), int(np.count_nonzero(mask)))

    def unpacked(self) -> np.ndarray:
        """Return the mask (i, j, k) bool, i running fastest."""
        bits = np.frombuffer(zlib.decompress(self.bits), np.uint8)
        flat = np.unpackbits(bits, count=int(np.prod(self.shape))).view(bool)
        return flat.reshape(self.shape, order="F")


@dataclass(frozen=True, eq=False)
class SegmentChange:
    """Which voxels of one segment a step added and which it removed, masks (i, j, k) over `extent` of a grid.

    grid: voxel index -> coordinates of the segmentation: the image's, or that in which the segment was drawn.
    """

    segment_id: str
    grid: IjkToRas
    extent: Extent
    added: PackedMask
    removed: PackedMask

    @classmethod
    def between(
        cls, segment_id: str, grid: IjkToRas, extent: Extent, before: np.ndarray, after: np.ndarray
    ) -> SegmentChange:
        """Return the change from one mask (i, j, k) over `extent` to another."""
        return cls(segment_id, grid, extent, PackedMask.of(after & ~before), PackedMask.of(before & ~after))

    @property
    def count(self) -> int:
        """How many voxels it changes."""
        return self.added.count + self.removed.count

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return len(self.added.bits) + len(self.removed.bits)


@dataclass(frozen=True, eq=False)
class Step:
    """What one answer changed in the segments of one segmentation; `number` tells it from all other steps."""

    number: int
    segmentation_id: str
    changes: tuple[SegmentChange, ...]

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return sum(change.size for change in self.changes)


@dataclass(eq=False)
class UndoStack:
    """Steps that were made, and steps that were taken back; the oldest are forgotten beyond the limits."""

    max_bytes: int = MAX_BYTES
    max_steps: int = MAX_STEPS
    _made: list[Step] = field(default_factory=list)
    _taken_back: list[Step] = field(default_factory=list)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._made)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to make again."""
        return bool(self._taken_back)

    @property
    def size(self) -> int:
        """Bytes of memory that all steps take."""
        return sum(step.size for step in self._made) + sum(step.size for step in self._taken_back)

    def push(self, step: Step) -> None:
        """Add a step that has been made; what was taken back before cannot be made again."""
        self._taken_back.clear()
        self._made.append(step)
        self._forget()

    def pop(self) -> Step:
        """Return the step to take back, and forget it until `taken_back`."""
        return self._made.pop()

    def pop_taken_back(self) -> Step:
        """Return the step to make again, and forget it until `made_again`."""
        return self._taken_back.pop()

    def taken_back(self, step: Step) -> None:
        """Keep a step that has been taken back."""
        self._taken_back.append(step)

    def made_again(self, step: Step) -> None:
        """Keep a step that has been made again."""
        self._made.append(step)

    def forget(self, segmentation_id: str) -> None:
        """Forget all steps of a segmentation that is gone."""
        self._made = [step for step in self._made if step.segmentation_id != segmentation_id]
        self._taken_back = [step for step in self._taken_back if step.segmentation_id != segmentation_id]

    def clear(self) -> None:
        """Forget everything."""
        self._made.clear()
        self._taken_back.clear()

    def _forget(self) -> None:
        while len(self._made) > self.max_steps or (self._made and self.size > self.max_bytes):
            del self._made[0]
