from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from samantic.imaging import ImageReadError
from samantic.skinphoto.upright import read_upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_photograph_is_turned_as_the_camera_noted(orientation: int, suffix: str, tmp_path: Path):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 40, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    picture.save(path, exif=exif)
    with Image.open(path) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    np.testing.assert_array_equal(read_upright(path), expected)


def test_damaged_notes_of_the_camera_are_passed_over(tmp_path: Path):
    picture = Image.new("RGB", (30, 20), (200, 150, 120))
    picture.save(tmp_path / "odd.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_upright(tmp_path / "odd.jpg").shape == (20, 30, 3)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA"])
def test_every_kind_of_picture_becomes_colour_of_eight_bits(mode: str, tmp_path: Path):
    Image.new("L", (30, 20), 140).convert(mode).save(tmp_path / "one.png")
    pixels = read_upright(tmp_path / "one.png")
    assert (pixels.shape, pixels.dtype) == ((20, 30, 3), np.uint8)


def test_sixteen_bits_keep_the_upper_eight(tmp_path: Path):
    Image.fromarray(np.full((20, 30), 0x8C7F, np.uint16)).save(tmp_path / "deep.png")
    assert (read_upright(tmp_path / "deep.png") == 0x8C).all()


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_a_cut_off_file_is_refused_by_name(kept: int, tmp_path: Path):
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:kept])
    with pytest.raises(ImageReadError, match=r"broken\.jpg"):
        read_upright(tmp_path / "broken.jpg")
