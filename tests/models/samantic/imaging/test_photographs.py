from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.imaging import ImageReadError, Volume, read_volume, write_volume


@pytest.fixture
def colour() -> np.ndarray:
    """A colour picture, 5 rows x 8 columns."""
    return np.random.default_rng(5).integers(0, 256, (5, 8, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "scan.1.Png"])
def test_a_pixel_x_y_is_the_voxel_i_j(tmp_path: Path, colour: np.ndarray, name: str) -> None:
    Image.fromarray(colour).save(tmp_path / name)
    image = read_volume(tmp_path / name)
    assert image.array.shape == (8, 5, 1, 3)
    assert np.array_equal(image.array[6, 2, 0], colour[2, 6])
    assert (image.modality, image.kind) == ("RGB", "photograph")
    assert np.array_equal(image.affine, np.diag([-1, -1, 1, 1]))


@pytest.mark.parametrize("name", ["a.jpg", "a.JPG", "a.jpeg", "a.JPEG"])
def test_jpeg_is_read_under_all_its_suffixes(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (8, 5), (200, 30, 30)).save(tmp_path / name, "JPEG", quality=95)
    image = read_volume(tmp_path / name)
    assert image.shape_ijk == (8, 5, 1)
    assert abs(image.array.reshape(-1, 3).mean(axis=0) - (200, 30, 30)).max() < 4


def test_bmp_is_read_to_the_last_pixel(tmp_path: Path, colour: np.ndarray) -> None:
    Image.fromarray(colour).save(tmp_path / "a.bmp")
    image = read_volume(tmp_path / "a.bmp")
    assert (image.modality, image.kind) == ("RGB", "photograph")
    assert np.array_equal(image.array[:, :, 0].swapaxes(0, 1), colour)


def test_a_png_that_is_called_jpg_is_read(tmp_path: Path, colour: np.ndarray) -> None:
    Image.fromarray(colour).save(tmp_path / "a.jpg", "PNG")
    assert np.array_equal(read_volume(tmp_path / "a.jpg").array[:, :, 0].swapaxes(0, 1), colour)


def test_exif_rotation_is_ignored(tmp_path: Path, colour: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colour).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_volume(tmp_path / "a.png").array[:, :, 0].swapaxes(0, 1), colour)


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "LA", "P", "RGBA"])
def test_a_picture_whose_channels_are_equal_everywhere_is_gray_ultrasound(tmp_path: Path, mode: str) -> None:
    gray = Image.fromarray((np.arange(40).reshape(5, 8) % 2 * 255).astype(np.uint8))
    gray.convert(mode).save(tmp_path / "a.png")
    image = read_volume(tmp_path / "a.png")
    assert image.array.shape == (8, 5, 1)
    assert image.modality == "US"
    assert np.array_equal(image.array[:, :, 0].T, np.asarray(gray))


def test_one_coloured_pixel_makes_a_picture_colour(tmp_path: Path) -> None:
    pixels = np.full((5, 8, 3), 90, np.uint8)
    pixels[4, 7, 2] = 91
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert read_volume(tmp_path / "a.png").modality == "RGB"


def test_a_gray_picture_that_the_caller_calls_rgb_gets_three_channels(tmp_path: Path) -> None:
    Image.new("L", (8, 5), 77).save(tmp_path / "a.png")
    image = read_volume(tmp_path / "a.png", modality="RGB")
    assert (image.is_rgb, image.modality) == (True, "RGB")
    assert (image.array == 77).all()


def test_palettes_become_their_colours(tmp_path: Path, colour: np.ndarray) -> None:
    palette = Image.fromarray(colour).quantize(16)
    palette.save(tmp_path / "a.png")
    expected = np.asarray(palette.convert("RGB"))
    assert np.array_equal(read_volume(tmp_path / "a.png").array[:, :, 0].swapaxes(0, 1), expected)


def test_transparent_pixels_are_laid_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((5, 8, 4), np.uint8)
    pixels[..., 0], pixels[0, 0, 3], pixels[1, 1, 3] = 200, 255, 128
    Image.fromarray(pixels, "RGBA").save(tmp_path / "a.png")
    array = read_volume(tmp_path / "a.png").array[:, :, 0]
    assert array[0, 0].tolist() == [200, 0, 0]
    assert array[7, 4].tolist() == [255, 255, 255]
    assert 220 < array[1, 1, 0] < 235
    assert 120 < array[1, 1, 1] < 135


def test_16_bit_gray_keeps_its_values(tmp_path: Path) -> None:
    values = (np.arange(40, dtype=np.uint16) * 1600).reshape(5, 8)
    Image.fromarray(values).save(tmp_path / "a.png")
    image = read_volume(tmp_path / "a.png")
    assert image.array.dtype == np.uint16
    assert np.array_equal(image.array[:, :, 0].T, values)


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path, colour: np.ndarray) -> None:
    Image.fromarray(colour).convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    assert read_volume(tmp_path / "a.jpg").array.shape == (8, 5, 1, 3)


def test_a_picture_makes_the_round_trip_as_png(tmp_path: Path, colour: np.ndarray) -> None:
    Image.fromarray(colour).save(tmp_path / "a.png")
    image = read_volume(tmp_path / "a.png")
    write_volume(tmp_path / "b.png", image)
    assert read_volume(tmp_path / "b.png").content_hash == image.content_hash


def test_a_picture_can_also_be_stored_as_a_volume(tmp_path: Path, colour: np.ndarray) -> None:
    image = Volume(colour.swapaxes(0, 1)[:, :, None], np.diag([-1.0, -1, 1, 1]), "RGB", "photograph")
    write_volume(tmp_path / "b.nrrd", image)
    assert np.array_equal(read_volume(tmp_path / "b.nrrd").array, image.array)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = tmp_path / ("a.png" if kind == "PNG" else "a.jpg")
    Image.fromarray(pixels).save(path, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageReadError, match=f"'{path.name}' is not a whole PNG, JPEG or BMP picture"):
        read_volume(path)
