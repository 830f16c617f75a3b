import numpy as np
import pytest

from samantic.evaluation import disc_at_click, ellipse_in_box


def test_the_ellipse_fills_its_box_as_an_ellipse_does():
    mask = ellipse_in_box((100, 200), (20.0, 10.0, 180.0, 90.0))
    rows, columns = np.nonzero(mask)
    assert (columns.min(), columns.max()) == (20, 179)
    assert (rows.min(), rows.max()) == (10, 89)
    assert mask.sum() == pytest.approx(np.pi / 4 * 160 * 80, rel=0.01)


def test_the_disc_lies_at_the_click_with_its_radius_in_millimetres():
    mask = disc_at_click((100, 100), (60.0, 30.0), radius_mm=20.0, spacing_yx_mm=(2.0, 1.0))
    rows, columns = np.nonzero(mask)
    assert (columns.min(), columns.max()) == (40, 80)
    assert (rows.min(), rows.max()) == (20, 40)
