"""One way back for answers of the model and for strokes of the Segment Editor alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from SamanticLib.errors import SamanticError
from undo_stack import UndoCommand


class UndoableSteps(Protocol):
    """What remembers the voxels of answers: `SamanticLib.segmentation.SegmentationLogic`."""

    def undo(self) -> object: ...

    def redo(self) -> object: ...


class AnswerStep(UndoCommand):
    """A paste among the steps of trame-slicer's undo stack; the voxels are remembered elsewhere, in the same order.

    Both stacks are linear and cut at the same places, so that the last answer of this one is the last of that.
    happened: told the step's number, or the error with which its voxels could not be changed.
    """

    def __init__(self, steps: UndoableSteps, number: int, happened: Callable[[int | SamanticError], None]) -> None:
        super().__init__()
        self._steps = steps
        self._number = number
        self._happened = happened

    def undo(self) -> None:
        """Take the answer's voxels back."""
        self._do(self._steps.undo)

    def redo(self) -> None:
        """Draw the answer's voxels again."""
        self._do(self._steps.redo)

    def _do(self, step: Callable[[], object]) -> None:
        # An error here would leave the stack where it is, and the same step would fail for ever.
        try:
            step()
        except SamanticError as error:
            self._happened(error)
        else:
            self._happened(self._number)
