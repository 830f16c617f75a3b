from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from samantic.imaging import ImageReadError, Volume, read_mask, write_mask, write_volume


@pytest.fixture
def photograph() -> Volume:
    return Volume(np.zeros((8, 5, 1, 3), np.uint8), np.diag([-1.0, -1, 1, 1]), "RGB", "photograph")


def test_whole_numbers_stored_as_floats_are_labels(tmp_path: Path, phantom: Volume, labels: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(labels.astype(np.float64), phantom.affine), tmp_path / "m.nii.gz")
    back = read_mask(tmp_path / "m.nii.gz", phantom)
    assert back.dtype == np.uint8
    assert np.array_equal(back, labels)


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf])
def test_fractions_are_refused(tmp_path: Path, phantom: Volume, bad: float) -> None:
    values = np.zeros(phantom.shape_ijk, np.float32)
    values[0, 0, 0] = bad
    write_volume(tmp_path / "m.nrrd", Volume(values, phantom.affine))
    with pytest.raises(ImageReadError, match=r"'m.nrrd' holds fractions; a mask holds whole label numbers"):
        read_mask(tmp_path / "m.nrrd", phantom)


@pytest.mark.parametrize("bad", [-1, 65536])
def test_labels_out_of_range_are_refused(tmp_path: Path, phantom: Volume, bad: int) -> None:
    values = np.zeros(phantom.shape_ijk, np.int32)
    values[0, 0, 0] = bad
    write_volume(tmp_path / "m.nrrd", Volume(values, phantom.affine))
    with pytest.raises(ImageReadError, match="0 to 65535 is allowed"):
        read_mask(tmp_path / "m.nrrd", phantom)


@pytest.mark.parametrize("change", ["half a voxel", "other spacing", "rotated"])
def test_a_mask_whose_voxels_lie_between_those_of_the_image_is_refused(
    tmp_path: Path, phantom: Volume, labels: np.ndarray, change: str
) -> None:
    affine = phantom.affine.copy()
    if change == "half a voxel":
        affine[:3, 3] += 0.5 * affine[:3, 0]
    elif change == "other spacing":
        affine[:3, :3] *= 2
    else:
        affine[:3, :2] = affine[:3, :2] @ [[0.8, -0.6], [0.6, 0.8]]
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "m.nii.gz")
    with pytest.raises(ImageReadError, match="do not lie on those of the image; resample the mask"):
        read_mask(tmp_path / "m.nii.gz", phantom)


def test_a_larger_mask_is_cut_if_nothing_but_background_is_lost(tmp_path: Path, phantom: Volume) -> None:
    larger = np.zeros((9, 11, 13), np.uint8)
    larger[2:7, 2:9, 2:11] = 5
    affine = phantom.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ (2, 2, 2)
    nib.save(nib.Nifti1Image(larger, affine), tmp_path / "m.nii.gz")
    assert (read_mask(tmp_path / "m.nii.gz", phantom) == 5).all()
    larger[0, 0, 0] = 1
    nib.save(nib.Nifti1Image(larger, affine), tmp_path / "m.nii.gz")
    with pytest.raises(ImageReadError, match="has labels outside the image"):
        read_mask(tmp_path / "m.nii.gz", phantom)


def test_an_empty_mask_far_away_is_empty(tmp_path: Path, phantom: Volume) -> None:
    affine = phantom.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (100, 0, -50)
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), affine), tmp_path / "m.nii.gz")
    back = read_mask(tmp_path / "m.nii.gz", phantom)
    assert back.shape == phantom.shape_ijk
    assert not back.any()


def test_the_result_can_be_edited(tmp_path: Path, phantom: Volume, labels: np.ndarray) -> None:
    write_mask(tmp_path / "m.nii.gz", labels, phantom)
    read_mask(tmp_path / "m.nii.gz", phantom)[0, 0, 0] = 9


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGB", "LA"])
def test_pictures_of_labels_are_read_in_every_mode(tmp_path: Path, photograph: Volume, mode: str) -> None:
    labels = np.zeros((5, 8), np.uint8)
    labels[1:3, 2:7] = 255
    picture = Image.fromarray(labels)
    if mode == "P":
        picture = Image.fromarray(labels // 255, "P")
        picture.putpalette([0, 0, 0, 255, 0, 0])
    else:
        picture = picture.convert(mode)
    picture.save(tmp_path / "m.png")
    expected = labels if mode not in ("P", "1") else labels // 255
    assert np.array_equal(read_mask(tmp_path / "m.png", photograph)[:, :, 0].T, expected)


def test_a_coloured_picture_is_no_mask(tmp_path: Path, photograph: Volume) -> None:
    Image.new("RGB", (8, 5), (200, 0, 0)).save(tmp_path / "m.png")
    with pytest.raises(ImageReadError, match="is in colour; a mask is a gray PNG"):
        read_mask(tmp_path / "m.png", photograph)


def test_a_jpeg_is_no_mask_even_when_called_png(tmp_path: Path, photograph: Volume) -> None:
    Image.new("L", (8, 5)).save(tmp_path / "m.png", "JPEG")
    with pytest.raises(ImageReadError, match="is a JPEG, which changes label values"):
        read_mask(tmp_path / "m.png", photograph)
    (tmp_path / "m.png").rename(tmp_path / "m.jpg")
    with pytest.raises(ImageReadError, match="has no suffix of an image that is read"):
        read_mask(tmp_path / "m.jpg", photograph)


def test_a_picture_of_another_size_is_refused(tmp_path: Path, photograph: Volume) -> None:
    for width in (7, 9):
        Image.new("L", (width, 5), 1).save(tmp_path / "m.png")
        with pytest.raises(ImageReadError, match=f"has {width} x 5 pixels, its image 8 x 5 x 1; they must be equal"):
            read_mask(tmp_path / "m.png", photograph)


def test_a_picture_is_the_mask_of_a_volume_of_one_slice_whatever_its_geometry(
    tmp_path: Path, phantom: Volume, labels: np.ndarray
) -> None:
    one_slice = Volume(phantom.array[:, :, 3:4], phantom.affine)
    write_mask(tmp_path / "m.png", labels[:, :, 3:4], one_slice)
    assert np.array_equal(read_mask(tmp_path / "m.png", one_slice), labels[:, :, 3:4])


def test_a_colour_volume_is_no_mask(tmp_path: Path, phantom: Volume) -> None:
    write_volume(tmp_path / "m.nrrd", Volume(np.zeros((*phantom.shape_ijk, 3), np.uint8), phantom.affine))
    with pytest.raises(ImageReadError, match="has three values per voxel"):
        read_mask(tmp_path / "m.nrrd", phantom)
