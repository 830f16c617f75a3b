"""Answers are taken back and put back; what a hand did in between stays."""

from __future__ import annotations

import numpy as np
import pytest
from SamanticLib.errors import SamanticError
from SamanticLib.layers import write
from SamanticLib.nodes import ijk_to_local
from SamanticLib.segmentation import OverwritePolicy, SegmentationLogic
from SamanticLib.undo import PackedMask, SegmentChange, Step, UndoStack
from tests.slicer_extension.scenes import GRIDS, SHAPE, Scene, blob, entry

WHOLE = (0, 7, 0, 9, 0, 5)
ALLOW, _, REPLACE = OverwritePolicy


class Board:
    """A liver and a spleen that answers and hands draw on."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.logic = SegmentationLogic(self.scene.scene)
        self.volume = self.scene.volume(GRIDS[21])
        self.node = self.logic.segmentation_for(self.volume)
        self.liver, self.spleen, self.kidney = (
            self.logic.segment_for(self.node, entry(name)) for name in ("liver", "spleen", "kidney")
        )

    def answer(self, segment: str, mask: np.ndarray, policy: OverwritePolicy = ALLOW) -> None:
        self.logic.paste(self.node, segment, mask, WHOLE, policy)

    def by_hand(self, segment: str, mask: np.ndarray, drawn: bool) -> None:
        grid = ijk_to_local(self.volume, self.node)
        write(self.node, segment, grid, WHOLE, np.full(SHAPE, drawn), mask).Modified()

    def shows(self, segment: str) -> np.ndarray:
        return self.logic.segment_mask(self.node, segment, self.volume)


@pytest.fixture
def board() -> Board:
    return Board()


def at(*voxels: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(np.array(voxels).T)] = True
    return mask


def test_many_answers_are_taken_back_and_put_back_bit_by_bit(board: Board) -> None:
    states = [(board.shows(board.liver), board.shows(board.spleen))]
    for number in range(8):
        segment = board.liver if number % 3 else board.spleen
        board.answer(segment, blob(SHAPE, number), REPLACE if number % 2 else ALLOW)
        states.append((board.shows(board.liver), board.shows(board.spleen)))
    steps = []
    for liver, spleen in states[-2::-1]:
        steps.append(board.logic.undo().step)
        np.testing.assert_array_equal(board.shows(board.liver), liver)
        np.testing.assert_array_equal(board.shows(board.spleen), spleen)
    assert not board.logic.can_undo
    for liver, spleen in states[1:]:
        assert board.logic.redo().step == steps.pop()
        np.testing.assert_array_equal(board.shows(board.liver), liver)
        np.testing.assert_array_equal(board.shows(board.spleen), spleen)
    assert not board.logic.can_redo


def test_strokes_made_since_stay_beside_what_is_taken_back(board: Board) -> None:
    board.answer(board.liver, at((1, 1, 1), (2, 1, 1), (3, 1, 1)))
    board.by_hand(board.liver, at((5, 5, 3)), True)
    board.by_hand(board.liver, at((2, 1, 1)), False)
    undone = board.logic.undo()
    np.testing.assert_array_equal(board.shows(board.liver), at((5, 5, 3)))
    assert undone.kept == 1
    assert undone.sentence == "1 voxels that were changed by hand since then stay as they are."
    board.logic.redo()
    # What was erased by hand does not come back.
    np.testing.assert_array_equal(board.shows(board.liver), at((1, 1, 1), (3, 1, 1), (5, 5, 3)))


def test_a_voxel_goes_back_to_another_segment_only_where_the_answer_still_has_it(board: Board) -> None:
    board.by_hand(board.spleen, at((1, 1, 1), (2, 1, 1)), True)
    board.answer(board.liver, at((1, 1, 1), (2, 1, 1)), REPLACE)
    board.by_hand(board.liver, at((2, 1, 1)), False)
    board.by_hand(board.kidney, at((2, 1, 1)), True)
    assert board.logic.undo().kept == 1
    np.testing.assert_array_equal(board.shows(board.spleen), at((1, 1, 1)))
    np.testing.assert_array_equal(board.shows(board.kidney), at((2, 1, 1)))
    assert not board.shows(board.liver).any()


def test_what_is_given_back_never_erases_a_neighbour_in_the_same_labelmap(board: Board) -> None:
    """A hand paints where the answer had erased; the segment comes back beside it, in a labelmap of its own."""
    board.by_hand(board.liver, at((1, 1, 1), (2, 2, 2)), True)
    board.answer(board.liver, at((2, 2, 2)))
    board.by_hand(board.kidney, at((1, 1, 1)), True)
    board.logic.undo()
    np.testing.assert_array_equal(board.shows(board.liver), at((1, 1, 1), (2, 2, 2)))
    np.testing.assert_array_equal(board.shows(board.kidney), at((1, 1, 1)))


def test_an_answer_of_which_nothing_is_left_is_refused_and_the_one_before_is_next(board: Board) -> None:
    board.answer(board.spleen, at((4, 4, 4)))
    board.answer(board.liver, at((1, 1, 1)))
    board.by_hand(board.liver, at((1, 1, 1)), False)
    with pytest.raises(SamanticError, match="changed by hand since then"):
        board.logic.undo()
    assert not board.logic.can_redo
    board.logic.undo()
    assert not board.shows(board.spleen).any()


def test_a_segment_that_was_removed_is_not_missed(board: Board) -> None:
    board.by_hand(board.spleen, at((1, 1, 1)), True)
    board.answer(board.liver, at((1, 1, 1), (2, 2, 2)), REPLACE)
    board.node.GetSegmentation().RemoveSegment(board.spleen)
    assert board.logic.undo().kept == 1  # nobody is there to take the voxel, so the liver keeps it
    np.testing.assert_array_equal(board.shows(board.liver), at((1, 1, 1)))


def test_nothing_to_take_back_and_a_segmentation_that_is_gone_are_sentences(board: Board) -> None:
    for call in (board.logic.undo, board.logic.redo):
        with pytest.raises(SamanticError, match="There is no answer"):
            call()
    board.answer(board.liver, at((1, 1, 1)))
    board.scene.scene.RemoveNode(board.node)
    with pytest.raises(SamanticError, match="not in the scene any more"):
        board.logic.undo()


def test_a_new_answer_ends_what_could_be_put_back(board: Board) -> None:
    board.answer(board.liver, at((1, 1, 1)))
    board.logic.undo()
    board.answer(board.liver, at((2, 2, 2)))
    assert not board.logic.can_redo


def step(number: int, shape: tuple[int, int, int] = (40, 40, 40)) -> Step:
    mask = np.random.default_rng(number).random(shape) < 0.5
    extent = (0, shape[0], 0, shape[1], 0, shape[2])
    change = SegmentChange.between("a", np.eye(4), extent, np.zeros(shape, bool), mask)
    return Step(number, "node", (change,))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (8, 8, 8), (0, 2, 2)])
def test_a_mask_comes_out_as_it_went_in(shape: tuple[int, int, int]) -> None:
    mask = blob(shape)
    np.testing.assert_array_equal(PackedMask.of(mask).unpacked(), mask)
    assert PackedMask.of(mask).count == mask.sum()


def test_memory_is_bounded_by_forgetting_the_oldest() -> None:
    one = step(0).size
    assert one < 40**3 / 7  # a bit a voxel, and not more than noise must have
    stack = UndoStack(max_bytes=5 * one, max_steps=100)
    for number in range(50):
        stack.push(step(number))
        assert stack.size <= 5 * one
    assert stack.pop().number == 49
    few = UndoStack(max_steps=3)
    for number in range(5):
        few.push(step(number, (2, 2, 2)))
    assert [few.pop().number for _ in range(3)] == [4, 3, 2]
    assert not few.can_undo


def test_a_step_that_is_too_large_by_itself_is_not_kept() -> None:
    stack = UndoStack(max_bytes=10)
    stack.push(step(1))
    assert not stack.can_undo


def test_only_the_steps_of_a_segmentation_that_is_gone_are_forgotten() -> None:
    stack = UndoStack()
    stack.push(step(1, (2, 2, 2)))
    stack.push(Step(2, "other", ()))
    stack.forget("other")
    assert stack.pop().number == 1
