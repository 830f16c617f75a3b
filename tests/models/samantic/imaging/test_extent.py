import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samantic.imaging import crop_affine, crop_extent
from samantic.imaging.extent import labels_present


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_extent_is_the_smallest_box_around_everything(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 7)] * 3))
    points = data.draw(st.lists(st.tuples(*[st.integers(0, n - 1) for n in shape]), min_size=1, max_size=4))
    for order in ("C", "F"):
        mask = np.zeros(shape, np.uint8, order=order)  # type: ignore[call-overload]
        for point in points:
            mask[point] = 3
        found = np.array(points)
        assert crop_extent(mask) == (tuple(found.min(axis=0)), tuple(found.max(axis=0) + 1))


def test_an_empty_mask_has_no_extent() -> None:
    assert crop_extent(np.zeros((3, 4, 5), bool)) is None


def test_a_part_lies_where_it_was_cut(oblique_affine: np.ndarray) -> None:
    shifted = crop_affine(oblique_affine, (2, 0, 5))
    np.testing.assert_allclose(shifted @ [1, 1, 1, 1], oblique_affine @ [3, 1, 6, 1])
    np.testing.assert_array_equal(shifted[:3, :3], oblique_affine[:3, :3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_labels_are_found_wherever_they_stand(dtype: type) -> None:
    labels = np.zeros((100, 100, 60), dtype)
    assert labels_present(labels) == ()
    labels[0, 0, 0], labels[99, 99, 59], labels[50, 50, 30] = 5, 200, np.iinfo(dtype).max
    assert labels_present(labels) == (5, 200, np.iinfo(dtype).max)
