import numpy as np

from samantic.segsam import ViewPrompts
from samantic.segsam.clicked_parts import clicked_parts


def _two_islands() -> np.ndarray:
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:8, 2:8] = True
    mask[10:18, 15:28] = True
    return mask


def _clicks(*points: tuple[float, float, int], **more: object) -> ViewPrompts:
    xy = np.array([(x, y) for x, y, _ in points], dtype=np.float64).reshape(-1, 2)
    return ViewPrompts(xy, np.array([label for *_, label in points], dtype=np.int64), **more)  # type: ignore[arg-type]


def test_an_island_that_was_not_clicked_on_is_left_out():
    kept = clicked_parts(_two_islands(), _clicks((20, 12, 1)))
    expected = _two_islands()
    expected[:9] = False
    assert np.array_equal(kept, expected)


def test_every_island_that_was_clicked_on_stays():
    assert np.array_equal(clicked_parts(_two_islands(), _clicks((20, 12, 1), (3, 3, 1))), _two_islands())


def test_a_background_click_keeps_nothing():
    kept = clicked_parts(_two_islands(), _clicks((20, 12, 1), (3, 3, 0)))
    assert not kept[:9].any()
    assert kept[10:18, 15:28].all()


def test_a_box_or_a_drawn_mask_says_more_than_clicks():
    click = (20, 12, 1)
    assert np.array_equal(
        clicked_parts(_two_islands(), _clicks(click, box_xyxy=(0.0, 0.0, 30.0, 20.0))), _two_islands()
    )
    assert np.array_equal(clicked_parts(_two_islands(), _clicks(click, mask=_two_islands())), _two_islands())


def test_a_mask_that_misses_the_click_stays_whole_rather_than_turning_empty():
    assert np.array_equal(clicked_parts(_two_islands(), _clicks((29, 0, 1))), _two_islands())
    assert np.array_equal(clicked_parts(_two_islands(), _clicks((29, 0, 0))), _two_islands())


def test_a_click_on_the_picture_s_edge_is_inside():
    mask = np.ones((20, 30), dtype=bool)
    mask[:, 5] = False
    kept = clicked_parts(mask, _clicks((29.4, 19.4, 1)))
    assert kept[:, 6:].all()
    assert not kept[:, :5].any()
