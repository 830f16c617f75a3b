"""Every format in every storage orientation: voxels exact, geometry as other readers see it."""

import itertools
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from samantic.imaging import Volume, read_mask, read_volume, resample_labels_to, write_mask, write_volume

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
FORMATS = [".nii", ".nii.gz", ".nrrd", ".mha"]


def itk_affine(image: SimpleITK.Image) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return LPS @ affine


def itk_image(volume: Volume) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(volume.array.T)
    lps, spacing = LPS @ volume.affine, np.array(volume.spacing_mm)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_volume_comes_back_exactly_in_every_orientation(
    tmp_path: Path, phantom: Volume, all_orientations: list, suffix: str
) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        path = tmp_path / f"image{suffix}"
        write_volume(path, stored, durable=False)
        back = read_volume(path)
        assert back.array.dtype == np.int16
        assert np.array_equal(back.array, stored.array), orientation
        np.testing.assert_allclose(back.affine, stored.affine, atol=1e-5, err_msg=str(orientation))
        assert (back.modality, back.kind) == ("CT", "volume")


@pytest.mark.parametrize("suffix", FORMATS)
def test_itk_finds_every_voxel_of_a_written_volume_where_it_belongs(
    tmp_path: Path, phantom: Volume, all_orientations: list, suffix: str
) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        path = tmp_path / f"image{suffix}"
        write_volume(path, stored, durable=False)
        image = SimpleITK.ReadImage(str(path))
        assert np.array_equal(SimpleITK.GetArrayFromImage(image).T, stored.array), orientation
        np.testing.assert_allclose(itk_affine(image), stored.affine, atol=1e-4, err_msg=str(orientation))


@pytest.mark.parametrize(
    ("suffix", "compressed"),
    [(".nii", False), (".nii.gz", True), *itertools.product((".nrrd", ".mha", ".nhdr", ".mhd"), (False, True))],
)
def test_what_itk_writes_is_read_where_itk_placed_it(
    tmp_path: Path, phantom: Volume, all_orientations: list, suffix: str, compressed: bool
) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        path = tmp_path / f"image{suffix}"
        SimpleITK.WriteImage(itk_image(stored), str(path), useCompression=compressed)
        back = read_volume(path)
        assert np.array_equal(back.array, stored.array), orientation
        np.testing.assert_allclose(back.affine, stored.affine, atol=1e-4, err_msg=str(orientation))


def test_nibabel_agrees_on_affine_and_voxels(tmp_path: Path, phantom: Volume, all_orientations: list) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        path = tmp_path / "image.nii.gz"
        write_volume(path, stored, durable=False)
        image = nib.load(path)
        assert np.array_equal(np.asarray(image.dataobj), stored.array)
        np.testing.assert_allclose(image.affine, stored.affine, atol=1e-5)
        nib.save(nib.Nifti1Image(stored.array, stored.affine), path)
        np.testing.assert_allclose(read_volume(path).affine, stored.affine, atol=1e-5)


def test_dicom_slices_are_placed_as_their_headers_say(
    tmp_path: Path, phantom: Volume, all_orientations: list, dicom_series: Callable[..., Path]
) -> None:
    for number, orientation in enumerate(all_orientations):
        stored = orientation.volume(phantom)
        back = read_volume(dicom_series(tmp_path / str(number), stored))
        # Slices are sorted along their normal, so k may run the other way; the world must not notice.
        placed = np.linalg.inv(stored.affine) @ back.affine
        voxels = np.stack(np.meshgrid(*map(np.arange, back.shape_ijk), indexing="ij"), -1).reshape(-1, 3)
        there = voxels @ placed[:3, :3].T + placed[:3, 3]
        np.testing.assert_allclose(there, np.rint(there), atol=1e-4, err_msg=str(orientation))
        there = np.rint(there).astype(int)
        assert np.array_equal(stored.array[tuple(there.T)], back.array.reshape(-1)), orientation
        assert np.linalg.det((LPS @ back.affine)[:3, :3]) > 0


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha"])
def test_a_mask_comes_back_exactly_in_every_orientation(
    tmp_path: Path, phantom: Volume, labels: np.ndarray, all_orientations: list, suffix: str
) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        path = tmp_path / f"mask{suffix}"
        write_mask(path, orientation.array(labels), stored, durable=False)
        assert np.array_equal(read_mask(path, stored), orientation.array(labels)), orientation


def test_a_mask_stored_in_any_orientation_is_turned_to_its_image(
    tmp_path: Path, phantom: Volume, labels: np.ndarray, all_orientations: list
) -> None:
    for orientation in all_orientations:
        path = tmp_path / "mask.nrrd"
        write_mask(path, orientation.array(labels), orientation.volume(phantom), durable=False)
        assert np.array_equal(read_mask(path, phantom), labels), orientation


def test_a_cropped_mask_stored_in_any_orientation_finds_its_place(
    tmp_path: Path, phantom: Volume, labels: np.ndarray, all_orientations: list
) -> None:
    part = labels.copy()
    part[0, 0, 0] = part[4, 6, 8] = 0
    part[:, 1, 6] = 0
    for orientation in all_orientations:
        path = tmp_path / "mask.nii.gz"
        turned = orientation.array(part)
        low = np.argwhere(turned).min(axis=0).tolist()
        cut = turned[tuple(slice(n, None) for n in low)]
        write_mask(path, cut, orientation.volume(phantom), lower_ijk=tuple(low), durable=False)
        assert np.array_equal(read_mask(path, phantom), part), orientation


def test_resampling_between_orientations_finds_every_label(
    phantom: Volume, labels: np.ndarray, all_orientations: list
) -> None:
    for orientation in all_orientations:
        stored = orientation.volume(phantom)
        back = resample_labels_to(orientation.array(labels), stored.affine, phantom)
        assert np.array_equal(back, labels), orientation


def test_a_sheared_volume_keeps_its_affine_in_nifti_and_nrrd(tmp_path: Path, phantom: Volume) -> None:
    sheared = phantom.affine.copy()
    sheared[:3, 2] += 0.4 * sheared[:3, 1]
    volume = Volume(phantom.array, sheared, "CT")
    for suffix in FORMATS:
        write_volume(tmp_path / f"image{suffix}", volume)
        np.testing.assert_allclose(read_volume(tmp_path / f"image{suffix}").affine, sheared, atol=1e-5)
