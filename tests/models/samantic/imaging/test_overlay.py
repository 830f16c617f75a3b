from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.imaging import ImageWriteError, overlay, overlay_png

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
def gray() -> np.ndarray:
    return np.full((64, 48, 3), 100, np.uint8)


@pytest.fixture
def disc() -> np.ndarray:
    y, x = np.mgrid[:64, :48]
    return ((y - 30) ** 2 + (x - 20) ** 2 < 144).astype(np.uint8)


def test_small_images_are_enlarged_by_a_whole_factor(gray: np.ndarray, disc: np.ndarray) -> None:
    assert overlay(gray, disc, {1: RED}).shape == (512, 384, 3)
    large = np.zeros((600, 500, 3), np.uint8)
    assert overlay(large, np.zeros((600, 500)), {}).shape == (600, 500, 3)


def test_outside_the_mask_the_image_is_untouched(gray: np.ndarray, disc: np.ndarray) -> None:
    gray[:, 30:] = np.random.default_rng(0).integers(0, 255, (64, 18, 3))
    picture = overlay(gray, disc * 0, {1: RED})
    assert np.array_equal(picture[4::8, 4::8], gray)
    painted = overlay(gray, disc, {1: RED})
    assert np.array_equal(painted[:, 300:], picture[:, 300:])


def test_inside_is_a_tint_through_which_the_image_shows_and_the_border_is_the_full_colour(
    gray: np.ndarray, disc: np.ndarray
) -> None:
    picture = overlay(gray, disc, {1: RED}).astype(int)
    centre = picture[30 * 8 + 4, 20 * 8 + 4]
    assert centre[0] > 130
    assert 60 < centre[1] < 90
    from_centre = picture[30 * 8 + 4, 20 * 8 + 4 :]
    border = np.flatnonzero((from_centre[:, 0] > 250) & (from_centre[:, 1] < 5))
    assert abs(border.mean() - 11.75 * 8) < 6
    assert 1 <= border.size <= 4


def test_the_contour_of_a_disc_is_smooth_at_the_scale_of_screen_pixels(gray: np.ndarray, disc: np.ndarray) -> None:
    picture = overlay(gray, disc, {1: RED})
    y, x = np.nonzero((picture[..., 0] > 200) & (picture[..., 1] < 40))
    radius = np.hypot(y - y.mean(), x - x.mean())
    assert radius.std() < 4  # in screen pixels; a staircase of blocks of 8 x 8 has far more
    assert 85 < radius.mean() < 105


def test_every_label_has_its_colour_and_one_without_stays_unpainted(gray: np.ndarray) -> None:
    mask = np.zeros((64, 48), int)
    mask[5:20, 5:20], mask[30:45, 5:20], mask[50:60, 5:20] = 1, 2, 9
    picture = overlay(gray, mask, {1: RED, 2: BLUE}).astype(int)
    assert picture[12 * 8, 12 * 8, 0] > picture[12 * 8, 12 * 8, 2]
    assert picture[37 * 8, 12 * 8, 2] > picture[37 * 8, 12 * 8, 0]
    assert (picture[55 * 8, 12 * 8] == 100).all()


def test_a_single_pixel_and_the_whole_image_are_painted(gray: np.ndarray) -> None:
    single = np.zeros((64, 48), bool)
    single[10, 10] = True
    single[30, 10:30] = True
    picture = overlay(gray, single, {1: RED})
    assert (picture[80:88, 80:88, 0] > 120).all()
    assert (picture[244, 80:240, 0] > 120).all()
    whole = overlay(gray, np.ones((64, 48), bool), {1: RED})
    assert (whole[..., 0] > 130).all()
    assert (whole[..., 1] > 60).all()  # no contour where the object goes on beyond the picture


def test_pixels_of_unequal_sides_are_shown_in_true_proportion() -> None:
    picture = overlay(np.zeros((40, 512, 3), np.uint8), np.zeros((40, 512)), {}, spacing_yx_mm=(5.0, 1.0))
    assert picture.shape == (200, 512, 3)


def test_the_picture_is_written_whole(tmp_path: Path, gray: np.ndarray, disc: np.ndarray) -> None:
    overlay_png(tmp_path / "o.png", gray, disc, {1: RED})
    assert np.array_equal(np.asarray(Image.open(tmp_path / "o.png")), overlay(gray, disc, {1: RED}))
    assert [path.name for path in tmp_path.iterdir()] == ["o.png"]


def test_shapes_that_do_not_fit_and_other_suffixes_are_refused(tmp_path: Path, gray: np.ndarray) -> None:
    with pytest.raises(ImageWriteError, match=r"the mask is \(48, 64\), the image \(64, 48\)"):
        overlay(gray, np.zeros((48, 64)), {})
    with pytest.raises(ImageWriteError, match=r"needs an \(H, W, 3\) uint8 image"):
        overlay(gray[..., 0], np.zeros((64, 48)), {})
    with pytest.raises(ImageWriteError, match=r"an overlay is a .png, not 'o.jpg'"):
        overlay_png(tmp_path / "o.jpg", gray, np.zeros((64, 48)), {})
