from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from samantic.imaging import ImageReadError, Volume, read_volume, write_volume


def save(path: Path, array: np.ndarray, **header: object) -> Path:
    image = nib.Nifti1Image(array, np.diag([-1.0, -1, 2, 1]))
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "f4", ">i2", ">f4"])
def test_values_of_every_type_and_byte_order_are_exact(tmp_path: Path, dtype: str) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    back = read_volume(save(tmp_path / "a.nii.gz", values))
    assert np.array_equal(back.array, values)
    assert back.array.dtype.isnative


def test_double_precision_becomes_single(tmp_path: Path) -> None:
    assert read_volume(save(tmp_path / "a.nii", np.ones((2, 2, 2)))).array.dtype == np.float32


def test_the_slope_and_intercept_of_the_header_are_applied(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4))
    image.header.set_slope_inter(1, -1024)
    nib.save(image, tmp_path / "ct.nii.gz")
    # nibabel rescales on saving; the header is what counts.
    reference = nib.load(tmp_path / "ct.nii.gz").get_fdata()
    np.testing.assert_allclose(read_volume(tmp_path / "ct.nii.gz").array, reference, atol=1e-3)


def test_a_whole_intercept_keeps_integers(tmp_path: Path) -> None:
    path = tmp_path / "ct.nii"
    write_volume(path, Volume(np.arange(8, dtype=np.uint16).reshape(2, 2, 2), np.eye(4)))
    block = bytearray(path.read_bytes())
    block[116:120] = np.float32(-1024).tobytes()
    path.write_bytes(block)
    back = read_volume(path)
    assert back.array.dtype == np.int16
    assert np.array_equal(back.array.ravel(), np.arange(8) - 1024)
    assert back.modality == "CT"


def test_nifti_2_is_read(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nib.save(nib.Nifti2Image(values, np.diag([2.0, 3, 4, 1])), tmp_path / "a.nii.gz")
    back = read_volume(tmp_path / "a.nii.gz")
    assert np.array_equal(back.array, values)
    assert back.spacing_mm == (2, 3, 4)


def test_header_extensions_are_passed_over(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a" * 1000))
    nib.save(image, tmp_path / "a.nii.gz")
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz").array.ravel(), np.arange(24))


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (3, 4, 2, 1), (3, 4, 2, 1, 1)])
def test_missing_and_superfluous_axes_of_one_are_tidied(tmp_path: Path, shape: tuple[int, ...]) -> None:
    back = read_volume(save(tmp_path / "a.nii", np.zeros(shape, np.int16)))
    assert back.shape_ijk == (3, 4, shape[2] if len(shape) > 2 else 1)


def test_24_bit_colour_makes_the_round_trip(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 4, 5, 3)).astype(np.uint8)
    write_volume(tmp_path / "a.nii.gz", Volume(pixels, np.eye(4), "RGB"))
    back = read_volume(tmp_path / "a.nii.gz")
    assert back.modality == "RGB"
    assert np.array_equal(back.array, pixels)


def test_a_time_series_is_refused_with_its_size(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"'a.nii' has 4 dimensions \(2 x 3 x 4 x 5\); give one 3-D volume"):
        read_volume(save(tmp_path / "a.nii", np.zeros((2, 3, 4, 5), np.int16)))


def test_complex_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="values of type complex64"):
        read_volume(save(tmp_path / "a.nii", np.zeros((2, 3, 4), np.complex64)))


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(np.zeros((2, 3, 4), np.int16), np.eye(4)), tmp_path / "a.hdr")
    (tmp_path / "a.hdr").rename(tmp_path / "a.nii")
    with pytest.raises(ImageReadError, match=r"half of a \.hdr/\.img pair"):
        read_volume(tmp_path / "a.nii")


@pytest.mark.parametrize(("bad", "expected"), [(np.nan, -5), (np.inf, -5), (-np.inf, -5)])
def test_values_that_are_not_finite_become_the_lowest_finite_one(tmp_path: Path, bad: float, expected: float) -> None:
    values = np.full((2, 3, 4), 7, np.float32)
    values[0, 0, 0], values[1, 2, 3] = -5, bad
    back = read_volume(save(tmp_path / "a.nii", values))
    assert back.array[1, 2, 3] == expected
    assert back.array[0, 0, 1] == 7


def test_an_image_without_any_finite_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="holds no finite value"):
        read_volume(save(tmp_path / "a.nii", np.full((2, 2, 2), np.nan, np.float32)))


def test_a_matrix_that_cannot_be_inverted_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    block = bytearray(path.read_bytes())
    block[280:296] = bytes(16)
    path.write_bytes(block)
    with pytest.raises(ImageReadError, match=r"'a.nii' is not an image: the affine is not invertible"):
        read_volume(path)


@pytest.mark.parametrize("sform_code", range(5))
@pytest.mark.parametrize("qform_code", range(5))
def test_of_two_matrices_that_disagree_the_one_is_taken_that_itk_takes(
    tmp_path: Path, sform_code: int, qform_code: int
) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((3, 4, 5))
    header.set_data_dtype(np.int16)
    header.set_sform([[2, 0, 0, 100], [0, 3, 0, 7], [0, 0, 4, 9], [0, 0, 0, 1]], sform_code)
    header.set_qform([[-2, 0, 0, -50], [0, -3, 0, 5], [0, 0, 4, 3], [0, 0, 0, 1]], qform_code)
    header["magic"], header["vox_offset"] = b"n+1", 352
    path = tmp_path / "a.nii"
    path.write_bytes(bytes(header.binaryblock) + bytes(4 + 120))
    image = SimpleITK.ReadImage(str(path))
    expected = np.eye(4)
    expected[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    expected[:3, 3] = image.GetOrigin()
    np.testing.assert_allclose(read_volume(path).affine, np.diag([-1.0, -1, 1, 1]) @ expected, atol=1e-5)


@pytest.mark.parametrize(("unit", "scale"), [("micron", 0.001), ("mm", 1), ("meter", 1000), ("unknown", 1)])
def test_lengths_in_other_units_become_millimetres(tmp_path: Path, unit: str, scale: float) -> None:
    image = nib.Nifti1Image(
        np.zeros((2, 2, 2), np.int16), np.array([[2, 0, 0, 5], [0, 2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])
    )
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    back = read_volume(tmp_path / "a.nii")
    np.testing.assert_allclose(back.spacing_mm, np.array([2, 2, 3]) * scale, rtol=1e-6)
    np.testing.assert_allclose(back.affine[:3, 3], np.array([5, 6, 7]) * scale, rtol=1e-6)
