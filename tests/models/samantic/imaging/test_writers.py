import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from PIL import Image

from samantic.imaging import (
    ImageWriteError,
    Volume,
    crop_affine,
    default_mask_suffix,
    read_mask,
    read_volume,
    write_mask,
    write_volume,
)

MASKS = [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha"]


@pytest.fixture
def photograph() -> Volume:
    pixels = np.random.default_rng(0).integers(0, 255, (8, 5, 1, 3)).astype(np.uint8)
    return Volume(pixels, np.diag([-1.0, -1, 1, 1]), "RGB", "photograph")


@pytest.mark.parametrize("suffix", MASKS)
@pytest.mark.parametrize(
    ("values", "stored"), [([0, 1, 255], np.uint8), ([0, 7, 256], np.uint16), ([0, 3, 65535], np.uint16)]
)
@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.int32])
def test_label_values_survive_exactly_in_the_smallest_type_that_holds_them(
    tmp_path: Path, phantom: Volume, suffix: str, values: list[int], stored: type, dtype: type
) -> None:
    labels = np.random.default_rng(2).choice(values, phantom.shape_ijk).astype(dtype)
    write_mask(tmp_path / f"m{suffix}", labels, phantom)
    image = SimpleITK.ReadImage(str(tmp_path / f"m{suffix}"))
    found = SimpleITK.GetArrayFromImage(image).T
    assert found.dtype == stored
    assert np.array_equal(found, labels)
    back = read_mask(tmp_path / f"m{suffix}", phantom)
    assert back.dtype == stored
    assert np.array_equal(back, labels)


def test_a_mask_of_booleans_has_the_label_1(tmp_path: Path, phantom: Volume) -> None:
    write_mask(tmp_path / "m.nii.gz", phantom.array > 0, phantom)
    assert np.array_equal(read_mask(tmp_path / "m.nii.gz", phantom), phantom.array > 0)


@pytest.mark.parametrize("highest", [3, 300])
def test_the_gray_levels_of_a_png_mask_are_the_labels(tmp_path: Path, photograph: Volume, highest: int) -> None:
    labels = np.zeros((8, 5, 1), np.uint16)
    labels[6, 2, 0] = highest
    write_mask(tmp_path / "m.PNG", labels, photograph)
    picture = np.asarray(Image.open(tmp_path / "m.PNG"))
    assert picture.shape == (5, 8)
    assert picture[2, 6] == highest
    assert np.array_equal(read_mask(tmp_path / "m.PNG", photograph), labels)


@pytest.mark.parametrize("suffix", MASKS)
def test_a_part_is_written_with_its_own_origin(
    tmp_path: Path, phantom: Volume, labels: np.ndarray, suffix: str
) -> None:
    write_mask(tmp_path / f"m{suffix}", labels[1:4, 2:6, 3:5], phantom, lower_ijk=(1, 2, 3))
    part = read_volume(tmp_path / f"m{suffix}")
    assert part.shape_ijk == (3, 4, 2)
    np.testing.assert_allclose(part.affine, crop_affine(phantom.affine, (1, 2, 3)), atol=1e-5)
    expected = np.zeros_like(labels)
    expected[1:4, 2:6, 3:5] = labels[1:4, 2:6, 3:5]
    assert np.array_equal(read_mask(tmp_path / f"m{suffix}", phantom), expected)


def test_the_default_format_of_a_mask_is_png_for_photographs_and_nifti_for_volumes(
    phantom: Volume, photograph: Volume
) -> None:
    assert default_mask_suffix(photograph) == ".png"
    assert default_mask_suffix(phantom) == ".nii.gz"


@pytest.mark.parametrize(
    ("name", "spoil", "sentence"),
    [
        ("m.jpg", lambda labels: labels, r"a mask cannot be written as 'm.jpg'; use one of .nii.gz"),
        ("m.txt", lambda labels: labels, r"a mask cannot be written as 'm.txt'"),
        ("m.nii.gz", lambda labels: labels[1:], r"the label map is \(4, 7, 9\), its image \(5, 7, 9\)"),
        ("m.nii.gz", lambda labels: labels[..., None], r"a label map is \(I, J, K\)"),
        ("m.nii.gz", lambda labels: labels.astype(float), "labels are whole numbers, not float64"),
        ("m.nii.gz", lambda labels: labels.astype(int) - 1, "labels lie between 0 and 65535, not -1 to 3"),
        ("m.nii.gz", lambda labels: labels.astype(int) * 20000, "labels lie between 0 and 65535, not 0 to 80000"),
        ("m.png", lambda labels: labels, "'m.png' can hold one slice, not 9; use .nii.gz"),
    ],
)
def test_a_mask_that_cannot_be_written_exactly_is_refused_and_nothing_is_left(
    tmp_path: Path, phantom: Volume, labels: np.ndarray, name: str, spoil: Callable, sentence: str
) -> None:
    with pytest.raises(ImageWriteError, match=sentence):
        write_mask(tmp_path / name, spoil(labels), phantom)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lower", [(-1, 0, 0), (4, 0, 0), (0, 0, 8)])
def test_a_part_outside_the_image_is_refused(tmp_path: Path, phantom: Volume, lower: tuple[int, int, int]) -> None:
    with pytest.raises(ImageWriteError, match="does not lie inside the image"):
        write_mask(tmp_path / "m.nii.gz", np.ones((2, 2, 2), np.uint8), phantom, lower_ijk=lower)


def test_an_existing_mask_stays_whole_when_the_new_one_cannot_be_written(tmp_path: Path, phantom: Volume) -> None:
    path = tmp_path / "m.png"
    path.write_bytes(b"old")
    with pytest.raises(ImageWriteError):
        write_mask(path, np.ones(phantom.shape_ijk, np.uint8), phantom)
    assert [one.name for one in tmp_path.iterdir()] == ["m.png"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_image_values_survive_exactly(tmp_path: Path, oblique_affine: np.ndarray, dtype: type, suffix: str) -> None:
    values = np.random.default_rng(4).normal(100, 50, (6, 5, 4)).astype(dtype)
    write_volume(tmp_path / f"a{suffix}", Volume(values, oblique_affine, "MR"))
    back = read_volume(tmp_path / f"a{suffix}").array
    assert np.array_equal(back, values)


def test_an_image_that_a_format_cannot_hold_is_refused(tmp_path: Path, phantom: Volume) -> None:
    for name, sentence in {
        "a.png": "can hold one slice, not 9",
        "a.tif": "cannot be written as 'a.tif'; use one of .nii.gz",
        "a.seg.nrrd": "cannot be written as 'a.seg.nrrd'",
    }.items():
        with pytest.raises(ImageWriteError, match=sentence):
            write_volume(tmp_path / name, phantom)
    slice_of_ct = Volume(phantom.array[:, :, :1], phantom.affine)
    with pytest.raises(ImageWriteError, match="cannot hold int16 values"):
        write_volume(tmp_path / "a.png", slice_of_ct)
    with pytest.raises(ImageWriteError, match="an image of complex64 values"):
        write_volume(tmp_path / "a.nii", Volume(np.ones((2, 2, 2), np.complex64), np.eye(4)))
    with pytest.raises(ImageWriteError, match="cannot hold an axis of 40000 voxels"):
        write_volume(tmp_path / "a.nii", Volume(np.ones((40000, 1, 1), np.uint8), np.eye(4)))
    assert not list(tmp_path.iterdir())


def test_the_answer_to_a_click_on_a_large_volume_is_written_in_a_fraction_of_a_second(tmp_path: Path) -> None:
    labels = np.zeros((512, 512, 200), np.uint8, order="F")
    labels[200:300, 150:280, 90] = 1
    reference = Volume(np.broadcast_to(np.int16(0), labels.shape), np.eye(4))
    path = tmp_path / "answer.nii.gz"
    write_mask(path, labels, reference, durable=False)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        write_mask(path, labels, reference, durable=False)
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "plain.nii.gz")
    plain = time.perf_counter() - start
    assert min(seconds) < plain / 3
    assert np.array_equal(np.asarray(nib.load(path).dataobj), labels)
