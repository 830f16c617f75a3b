from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from samantic.imaging import ImageReadError, Volume, list_series, read_volume

AXIAL = np.diag([-1.0, -1.0, 2.0, 1.0])


@pytest.fixture
def volume() -> Volume:
    return Volume(np.arange(4 * 6 * 5, dtype=np.int16).reshape(4, 6, 5), AXIAL, "CT")


def test_slices_are_sorted_by_position_not_by_file_name(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]
) -> None:
    back = read_volume(dicom_series(tmp_path, volume))
    assert np.array_equal(back.array, volume.array)
    np.testing.assert_allclose(back.affine, volume.affine, atol=1e-6)
    assert (back.modality, back.kind, back.array.dtype) == ("CT", "volume", np.int16)


def test_slope_and_intercept_are_applied(tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]) -> None:
    back = read_volume(dicom_series(tmp_path, volume, RescaleSlope=2, RescaleIntercept=-1024))
    assert np.array_equal(back.array, volume.array * 2 - 1024)
    assert back.array.dtype == np.int16


@pytest.mark.parametrize(("header", "expected"), [("MR", "MR"), ("US", "US"), ("PT", "unknown")])
def test_the_modality_comes_from_the_header_unless_the_caller_knows_better(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path], header: str, expected: str
) -> None:
    folder = dicom_series(tmp_path, volume, Modality=header)
    assert read_volume(folder).modality == expected
    assert read_volume(folder, modality="CT").modality == "CT"


def test_a_gantry_tilt_becomes_a_shear(tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]) -> None:
    tilted = volume.affine.copy()
    tilted[1, 2] = 0.7
    back = read_volume(dicom_series(tmp_path, Volume(volume.array, tilted)))
    np.testing.assert_allclose(back.affine, tilted, atol=1e-6)


def test_other_files_in_the_folder_are_passed_over(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]
) -> None:
    dicom_series(tmp_path, volume)
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 200)
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    assert read_volume(tmp_path).shape_ijk == (4, 6, 5)


def test_of_several_series_one_is_chosen_by_its_uid(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]
) -> None:
    dicom_series(tmp_path / "a", volume, SeriesInstanceUID="1.2.3.1", SeriesDescription="thin")
    other = volume.with_array(volume.array + 1)
    dicom_series(tmp_path / "b", other, SeriesInstanceUID="1.2.3.2")
    folder = tmp_path / "both"
    folder.mkdir()
    for source in ("a", "b"):
        for file in (tmp_path / source).iterdir():
            file.rename(folder / f"{source}{file.name}")
    with pytest.raises(
        ImageReadError, match=r"holds 2 DICOM series; choose one by its uid: 1.2.3.1 \(5 files\); 1.2.3.2"
    ):
        read_volume(folder)
    with pytest.raises(ImageReadError, match=r"none of them is '1.9'"):
        read_volume(folder, series_uid="1.9")
    assert np.array_equal(read_volume(folder, series_uid="1.2.3.2").array, other.array)
    first, second = list_series(folder)
    assert (first.uid, first.description, first.modality, len(first.files)) == ("1.2.3.1", "thin", "CT", 5)
    assert second.uid == "1.2.3.2"


def test_one_file_is_read_as_one_slice(tmp_path: Path, dicom_slice: Callable[..., Path]) -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    path = dicom_slice(tmp_path / "a.dcm", pixels, np.array([1, 2, 3]), SliceThickness=5)
    back = read_volume(path)
    assert np.array_equal(back.array[:, :, 0].T, pixels)
    assert np.array_equal(back.affine, [[-1, 0, 0, -1], [0, -1, 0, -2], [0, 0, 5, 3], [0, 0, 0, 1]])


def test_a_picture_without_a_place_in_the_patient_is_laid_like_a_photograph(
    tmp_path: Path, dicom_slice: Callable[..., Path]
) -> None:
    colour = np.random.default_rng(0).integers(0, 255, (3, 4, 3)).astype(np.uint8)
    path = dicom_slice(
        tmp_path / "a.dcm",
        colour,
        np.zeros(3),
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        Modality="XC",
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
    )
    back = read_volume(path)
    assert np.array_equal(back.array[:, :, 0].swapaxes(0, 1), colour)
    assert np.array_equal(back.affine, np.diag([-1, -1, 1, 1]))
    assert back.modality == "RGB"


def test_a_multi_frame_file_is_read_as_a_volume(tmp_path: Path, dicom_slice: Callable[..., Path]) -> None:
    frames = np.arange(5 * 3 * 4, dtype=np.uint16).reshape(5, 3, 4)
    path = dicom_slice(tmp_path / "a.dcm", frames, np.zeros(3), NumberOfFrames=5, Rows=3, Columns=4, Modality="US")
    back = read_volume(path)
    assert back.modality == "US"
    assert np.array_equal(back.array, frames.T)


def test_a_missing_slice_is_noticed(tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]) -> None:
    folder = dicom_series(tmp_path, volume)
    names = np.random.default_rng(1).permutation(5)
    (folder / f"image{names[2]:03d}").unlink()
    with pytest.raises(ImageReadError, match=r"unevenly spaced, 2.00 to 4.00 mm; is one missing\?"):
        read_volume(folder)


def test_two_slices_at_one_position_are_refused(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path], dicom_slice: Callable[..., Path]
) -> None:
    folder = dicom_series(tmp_path, volume)
    dicom_slice(folder / "again", np.zeros((6, 4), np.int16), np.array([0, 0, 4]))
    with pytest.raises(ImageReadError, match="several slices at one position"):
        read_volume(folder)


@pytest.mark.parametrize(
    ("tag", "value"), [("PixelSpacing", [1, 2]), ("ImageOrientationPatient", [0, 1, 0, 1, 0, 0]), ("Rows", 3)]
)
def test_slices_that_differ_are_not_one_volume(
    tmp_path: Path,
    volume: Volume,
    dicom_series: Callable[..., Path],
    dicom_slice: Callable[..., Path],
    tag: str,
    value: object,
) -> None:
    folder = dicom_series(tmp_path, volume)
    dicom_slice(folder / "other", np.zeros((6, 4), np.int16), np.array([0, 0, 10]), **{tag: value})
    with pytest.raises(ImageReadError, match=f"differ in {tag}"):
        read_volume(folder)


def test_slices_without_a_position_are_refused(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]
) -> None:
    with pytest.raises(ImageReadError, match="does not say ImagePositionPatient with 3 numbers"):
        read_volume(dicom_series(tmp_path, volume, ImagePositionPatient=None))


@pytest.mark.parametrize("name", ["no_dicom", "empty"])
def test_a_folder_without_dicom_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    if name == "no_dicom":
        (folder / "a.txt").write_text("hello")
    with pytest.raises(ImageReadError, match=f"the folder '{name}' holds no DICOM images"):
        read_volume(folder)


def test_pixels_that_are_cut_short_are_refused(
    tmp_path: Path, volume: Volume, dicom_series: Callable[..., Path]
) -> None:
    folder = dicom_series(tmp_path, volume)
    file = folder / "image003"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(ImageReadError, match="cannot be decoded"):
        read_volume(folder)


def test_an_absurd_size_is_refused_before_pixels_are_read(tmp_path: Path, dicom_slice: Callable[..., Path]) -> None:
    path = dicom_slice(tmp_path / "a.dcm", np.zeros((2, 2), np.int16), np.zeros(3), Rows=60000, Columns=60000)
    with pytest.raises(ImageReadError, match="60000 x 60000"):
        read_volume(path)
