"""What the model draws of an object, apart from what was there before and from what a person painted."""

from __future__ import annotations

import numpy as np
import pytest
from SamanticLib.geometry import extent_slices
from SamanticLib.session_object import with_answer

SHAPE = (8, 8, 6)


class ASegment:
    """A segment as voxels, read and pasted like one of a scene."""

    def __init__(self) -> None:
        self.voxels = np.zeros(SHAPE, bool)

    def read(self, extent):
        return self.voxels[extent_slices(extent)].copy()

    def draw(self, layer, mask, extent, plane):
        layer, pasted, area = with_answer(layer, mask, extent, plane, self.read)
        self.voxels[extent_slices(area)] = pasted
        return layer.seen(self.read)


@pytest.fixture
def a_segment() -> ASegment:
    return ASegment()


def a_square(extent, value=True):
    return np.full([extent[2 * axis + 1] - extent[2 * axis] for axis in range(3)], value)


FIRST, SMALLER = (1, 6, 1, 6, 2, 3), (2, 4, 2, 4, 2, 3)


def test_a_new_answer_takes_the_place_of_the_one_before_on_its_slice(a_segment: ASegment) -> None:
    layer = a_segment.draw(None, a_square(FIRST), FIRST, (2, 2))
    a_segment.draw(layer, a_square(SMALLER), SMALLER, (2, 2))
    assert a_segment.voxels.sum() == 4
    assert a_segment.voxels[2:4, 2:4, 2].all()


def test_what_the_segment_held_before_the_object_stays(a_segment: ASegment) -> None:
    a_segment.voxels[5, 5, 2] = a_segment.voxels[7, 7, 5] = True
    layer = a_segment.draw(None, a_square(FIRST), FIRST, (2, 2))
    a_segment.draw(layer, a_square(SMALLER), SMALLER, (2, 2))
    assert a_segment.voxels[5, 5, 2]
    assert a_segment.voxels[7, 7, 5]
    assert a_segment.voxels.sum() == 6


def test_answers_on_other_slices_stay(a_segment: ASegment) -> None:
    other = (3, 5, 3, 5, 4, 5)
    layer = a_segment.draw(None, a_square(FIRST), FIRST, (2, 2))
    layer = a_segment.draw(layer, a_square(other), other, (2, 4))
    assert a_segment.voxels[:, :, 2].sum() == 25
    assert a_segment.voxels[:, :, 4].sum() == 4
    assert layer.slices_drawn(2) == (2, 4)


def test_what_a_person_painted_between_two_answers_stays_as_they_painted_it(a_segment: ASegment) -> None:
    layer = a_segment.draw(None, a_square(FIRST), FIRST, (2, 2))
    a_segment.voxels[1, 1, 2] = False
    layer = a_segment.draw(layer, a_square(FIRST), FIRST, (2, 2))
    assert not a_segment.voxels[1, 1, 2], "what was erased came back"
    a_segment.voxels[5, 4, 2] = False
    a_segment.voxels[5, 4, 2] = True
    a_segment.draw(layer, a_square(SMALLER), SMALLER, (2, 2))
    assert a_segment.voxels[:, :, 2].sum() == 4


def test_an_answer_for_all_slices_takes_the_place_of_all(a_segment: ASegment) -> None:
    layer = a_segment.draw(None, a_square(FIRST), FIRST, (2, 2))
    whole = (2, 4, 2, 4, 0, 6)
    layer = a_segment.draw(layer, a_square(whole), whole, None)
    assert a_segment.voxels.sum() == 24
    corrected = (2, 3, 2, 3, 3, 4)
    a_segment.draw(layer, a_square(corrected), corrected, (2, 3))
    assert a_segment.voxels[:, :, 3].sum() == 1
    assert a_segment.voxels.sum() == 21


def test_where_another_segment_was_protected_its_voxels_are_no_painting(a_segment: ASegment) -> None:
    layer, pasted, area = with_answer(None, a_square(FIRST), FIRST, (2, 2), a_segment.read)
    pasted[0, 0, 0] = False  # somebody else's, so the scene did not take it
    a_segment.voxels[extent_slices(area)] = pasted
    layer = layer.seen(a_segment.read)
    a_segment.draw(layer, a_square(SMALLER), SMALLER, (2, 2))
    assert a_segment.voxels.sum() == 4
