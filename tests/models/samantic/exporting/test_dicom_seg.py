"""Labels as DICOM SEG, read back by highdicom: pixels, places, codes, colours, and who drew them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from typer.testing import CliRunner

from samantic.cli.main import app
from samantic.exporting import ExportError, export
from samantic.exporting.cielab import cielab_of_rgb
from samantic.exporting.dicom_slices import DicomSliceError, labels_on_slices
from samantic.imaging import Volume, read_volume, write_mask, write_volume
from samantic.vocabulary import load_vocabulary

SHAPE = (6, 5, 4)
SPACING = (0.7, 1.1, 2.5)
TURN = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
ORIENTATIONS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


def affine() -> np.ndarray:
    """Voxel of the phantom -> RAS, oblique."""
    matrix = np.eye(4)
    matrix[:3, :3] = TURN * SPACING
    matrix[:3, 3] = (12.5, -80.25, 33.125)
    return matrix


def phantom() -> np.ndarray:
    """Labels 0, 1 and 2 without any symmetry."""
    return np.random.default_rng(5).integers(0, 3, SHAPE).astype(np.uint8)


def regridded(labels: np.ndarray, order: Sequence[int], signs: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The same labels in the same place, stored with other axes."""
    flips = tuple(slice(None, None, sign) for sign in signs)
    to_old = np.zeros((4, 4))
    to_old[3, 3] = 1
    for new, (old, sign) in enumerate(zip(order, signs, strict=True)):
        to_old[old, new] = sign
        to_old[old, 3] = labels.shape[old] - 1 if sign < 0 else 0
    return np.ascontiguousarray(labels.transpose(order)[flips]), affine() @ to_old


def slices(labels: np.ndarray, across: int, flips: Sequence[int] = (1, 1, 1)) -> list[tuple[Any, np.ndarray]]:
    """CT slices across an axis of the phantom, and the labels that belong on their pixels (rows, columns)."""
    columns_axis, rows_axis = (axis for axis in range(3) if axis != across)
    lps = LPS @ affine()
    made = []
    for index in range(labels.shape[across]):
        first = np.array([0 if flips[axis] > 0 else labels.shape[axis] - 1 for axis in range(3)])
        first[across] = index
        plane = labels.take(index, across)[:: flips[columns_axis], :: flips[rows_axis]].T
        directions = [flips[axis] * lps[:3, axis] / SPACING[axis] for axis in (columns_axis, rows_axis)]
        one = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = CTImageStorage
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
        one.is_little_endian, one.is_implicit_VR = True, False
        one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
        one.Modality, one.PatientID, one.PatientName = "CT", "P-7", "Phantom^B"
        one.Rows, one.Columns = plane.shape
        one.ImagePositionPatient = [f"{value:.10f}" for value in (lps @ [*first, 1])[:3]]
        one.ImageOrientationPatient = [f"{value:.12f}" for value in np.concatenate(directions)]
        one.PixelSpacing = [str(SPACING[rows_axis]), str(SPACING[columns_axis])]
        one.SliceThickness = str(SPACING[across])
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation, one.RescaleSlope, one.RescaleIntercept = 15, 1, 1, 0
        one.PixelData = np.full(plane.shape, index, np.int16).tobytes()
        made.append((one, plane))
    return made


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_labels_lie_on_their_pixels_whatever_the_axes_of_both(order: Sequence[int], signs: Sequence[int]) -> None:
    grid, matrix = regridded(phantom(), order, signs)
    for across, flips in itertools.product(range(3), [(1, 1, 1), (-1, 1, -1), (1, -1, 1), (-1, -1, 1)]):
        series = slices(phantom(), across, flips)
        series = [series[number] for number in np.random.default_rng(2).permutation(len(series))]
        frames = labels_on_slices(grid, matrix, [one for one, _ in series])
        np.testing.assert_array_equal(frames, np.stack([plane for _, plane in series]))


def moved(series: list[Any]) -> list[Any]:
    series[0].ImagePositionPatient = [float(value) + 0.4 for value in series[0].ImagePositionPatient]
    return series


def doubled(series: list[Any]) -> list[Any]:
    series[1].ImagePositionPatient = series[0].ImagePositionPatient
    return series


def turned(series: list[Any]) -> list[Any]:
    angle = np.deg2rad(30)
    for one in series:
        first, second = np.array(one.ImageOrientationPatient, float).reshape(2, 3)
        rotated = (first * np.cos(angle) + second * np.sin(angle), second * np.cos(angle) - first * np.sin(angle))
        one.ImageOrientationPatient = [f"{value:.10f}" for value in np.concatenate(rotated)]
    return series


def beside(series: list[Any]) -> list[Any]:
    shift = np.array(series[-1].ImagePositionPatient, float) - np.array(series[0].ImagePositionPatient, float)
    for one in series:
        one.ImagePositionPatient = list(np.round(np.array(one.ImagePositionPatient, float) + 3 * shift, 9))
    return series


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (moved, "do not lie on"),
        (doubled, "two of its DICOM slices"),
        (turned, "do not lie on|turned against"),
        (beside, "reach beyond the label"),
        (lambda series: series[1:], "3 slices of 6 x 5 pixels, its label 6 x 5 x 4 voxels"),
    ],
)
def test_slices_that_do_not_fit_the_label_are_refused(change: Any, sentence: str) -> None:
    series = change([one for one, _ in slices(phantom(), 2)])
    with pytest.raises(DicomSliceError, match=sentence):
        labels_on_slices(phantom(), affine(), series)


NAMES = [{"name": "left kidney", "idx": 1}, {"name": "My finding", "idx": 2}]
SUBMITTED = {
    "kind": "submission",
    "software": {"name": "samantic", "version": "0.1.0"},
    "draft": {"models": [{"model": "segsam", "weights_hash": "9f2c", "answers": 3}]},
}


def add_series(
    studies: Any,
    image_id: str = "head",
    labels: np.ndarray | None = None,
    across: int = 2,
    grid: tuple[Sequence[int], Sequence[int]] | None = None,
    **info: Any,
) -> list[tuple[Any, np.ndarray]]:
    """A DICOM series in the studies with a label; with `grid`, as the server converted it, with other axes."""
    labels = phantom() if labels is None else labels
    series = slices(labels, across, (-1, 1, 1))
    folder = studies.folder / f"{image_id} folder"
    folder.mkdir()
    for number, (one, _) in enumerate(series):
        one.save_as(folder / f"{len(series) - number}.dcm", write_like_original=False)
    if grid is None:
        volume = read_volume(folder)
        voxels = np.linalg.inv(affine()) @ volume.affine
        at = np.moveaxis(np.indices(volume.shape_ijk), 0, -1) @ voxels[:3, :3].T + voxels[:3, 3]
        drawn = labels[tuple(np.rint(at).astype(int).reshape(-1, 3).T)].reshape(volume.shape_ijk)
    else:
        drawn, matrix = regridded(labels, *grid)
        volume = Volume(np.zeros(drawn.shape, np.int16), matrix, "CT")
        converted = studies.folder / ".samantic" / "series"
        converted.mkdir(parents=True, exist_ok=True)
        write_volume(converted / f"{image_id}.nii.gz", volume)
    (studies.folder / "labels" / "final").mkdir(parents=True, exist_ok=True)
    write_mask(studies.folder / "labels" / "final" / f"{image_id}.nii.gz", drawn, volume)
    notes = {"name": f"{image_id}.nii.gz", "label_info": NAMES, "provenance": SUBMITTED, **info}
    image = {"name": folder.name, "source": "dicom", "series_uid": "1.2.3.4", "modality": "CT"}
    studies.objects[image_id] = {
        "image": {"ext": ".nii.gz", "info": image},
        "labels": {"final": {"ext": ".nii.gz", "info": notes}},
    }
    studies.save()
    return series


def read(folder: Path, image_id: str = "head") -> highdicom.seg.Segmentation:
    return highdicom.seg.segread(folder / "segmentations" / f"{image_id}.dcm")


def in_segments(planes: Sequence[np.ndarray], segmentation: highdicom.seg.Segmentation, uids: list[str]) -> None:
    found = segmentation.get_pixels_by_source_instance(
        uids, combine_segments=True, assert_missing_frames_are_empty=True, ignore_spatial_locations=False
    )
    np.testing.assert_array_equal(found, np.stack(planes))


@pytest.mark.parametrize("across", [0, 1, 2])
@pytest.mark.parametrize("grid", [None, *ORIENTATIONS[5::13]])
def test_every_frame_is_on_its_slice_and_in_its_place(empty: Any, tmp_path: Path, across: int, grid: Any) -> None:
    labels = phantom()
    labels.swapaxes(0, across)[1] = 0  # a slice without anything has no frame
    series = add_series(empty, labels=labels, across=across, grid=grid)
    export(empty.folder, "dicom-seg", tmp_path / "out")
    segmentation = read(tmp_path / "out")
    in_segments([plane for _, plane in series], segmentation, [one.SOPInstanceUID for one, _ in series])
    by_uid = {one.SOPInstanceUID: (one, plane) for one, plane in series}
    assert segmentation.NumberOfFrames == sum(len(np.unique(plane[plane > 0])) for _, plane in series)
    pixels = segmentation.pixel_array
    for frame, groups in zip(pixels, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        source = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        one, plane = by_uid[source]
        place = groups.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(np.array(place, float), np.array(one.ImagePositionPatient, float), atol=1e-6)
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        np.testing.assert_array_equal(frame, plane == number)
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    turn = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    np.testing.assert_allclose(np.array(turn, float), np.array(series[0][0].ImageOrientationPatient, float), atol=1e-6)
    assert shared.PixelMeasuresSequence[0].PixelSpacing == series[0][0].PixelSpacing
    assert segmentation.FrameOfReferenceUID == "1.2.3.5"
    assert (segmentation.PatientID, segmentation.StudyInstanceUID) == ("P-7", "1.2.3")


def codes(sequence: Any) -> tuple[str, str, str]:
    one = sequence[0]
    return one.CodingSchemeDesignator, one.CodeValue, one.CodeMeaning


def test_segments_carry_the_vocabularys_codes_and_colours(empty: Any, tmp_path: Path) -> None:
    names = [{"name": "kidney_left", "idx": 1}, {"name": "kidney cyst right", "idx": 2}]
    add_series(empty, label_info=names)
    export(empty.folder, "dicom-seg", tmp_path / "out")
    segmentation = read(tmp_path / "out")
    kidney, cyst = segmentation.SegmentSequence
    vocabulary = load_vocabulary()
    assert [one.SegmentLabel for one in (kidney, cyst)] == ["left kidney", vocabulary["kidney_cyst_right"].label]
    assert codes(kidney.SegmentedPropertyCategoryCodeSequence)[1] == "123037004"
    kind = kidney.SegmentedPropertyTypeCodeSequence
    assert codes(kind) == ("SCT", "64033007", "Kidney")
    assert codes(kind[0].SegmentedPropertyTypeModifierCodeSequence) == ("SCT", "7771000", "Left")
    assert codes(cyst.SegmentedPropertyTypeCodeSequence) == ("SCT", "367643001", "Cyst")
    assert codes(cyst.AnatomicRegionSequence) == ("SCT", "64033007", "Kidney")
    assert codes(cyst.AnatomicRegionSequence[0].AnatomicRegionModifierSequence) == ("SCT", "24028007", "Right")
    for segment, name in ((kidney, "kidney_left"), (cyst, "kidney_cyst_right")):
        assert tuple(segment.RecommendedDisplayCIELabValue) == cielab_of_rgb(vocabulary[name].colour_rgb)


def test_values_of_one_class_are_one_segment_and_unknown_names_are_tissue(empty: Any, tmp_path: Path) -> None:
    labels = phantom()
    labels[labels == 2] = 7
    labels[0, 0, 0] = 4
    names = [{"name": "liver", "idx": 1}, {"name": "Liver", "idx": 4}, {"name": "My finding " * 9, "idx": 7}]
    series = add_series(empty, labels=labels, label_info=names)
    export(empty.folder, "dicom-seg", tmp_path / "out")
    segmentation = read(tmp_path / "out")
    liver, own = segmentation.SegmentSequence
    assert (liver.SegmentLabel, own.SegmentLabel) == ("liver", ("My finding " * 9).strip()[:64])
    assert codes(own.SegmentedPropertyTypeCodeSequence) == ("SCT", "85756007", "Tissue")
    merged = [np.select([plane == 4, plane == 7], [1, 2], plane) for _, plane in series]
    in_segments(merged, segmentation, [one.SOPInstanceUID for one, _ in series])


@pytest.mark.parametrize(
    ("record", "kind", "name"),
    [
        (SUBMITTED, "SEMIAUTOMATIC", "segsam"),
        ({**SUBMITTED, "draft": None}, "MANUAL", None),
        ({"kind": "model", "model": "segsam_auto", "weights_hash": "41d0"}, "AUTOMATIC", "segsam_auto"),
        (None, "SEMIAUTOMATIC", "not recorded"),
        ({"kind": "submission", "draft": {"models": "damaged"}}, "SEMIAUTOMATIC", "not recorded"),
    ],
)
def test_the_record_says_who_drew_it(empty: Any, tmp_path: Path, record: Any, kind: str, name: str | None) -> None:
    add_series(empty, provenance=record)
    export(empty.folder, "dicom-seg", tmp_path / "out")
    segment = read(tmp_path / "out").SegmentSequence[0]
    assert segment.SegmentAlgorithmType == kind
    assert segment.get("SegmentAlgorithmName") == name
    if name == "segsam":
        algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert (algorithm.AlgorithmVersion, algorithm.AlgorithmName) == ("0.1.0", "segsam")
        assert "9f2c" in algorithm.AlgorithmParameters
        assert codes(algorithm.AlgorithmFamilyCodeSequence) == ("DCM", "123109", "Artificial Intelligence")


def test_images_that_are_no_series_are_left_out_with_a_sentence(studies: Any, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"None of the labels can be written as DICOM SEG.*not a DICOM series"):
        export(studies.folder, "dicom-seg", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    add_series(studies)
    add_series(studies, "blank", np.zeros(SHAPE, np.uint8))
    done = CliRunner().invoke(app, ["export", str(studies.folder), "--to", "dicom-seg", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "Written: 1 images" in done.output
    assert "Left out: mole, it is not a DICOM series" in done.output
    index = json.loads((tmp_path / "out" / "export.json").read_text())
    assert set(index["images"]) == {"head"}
    assert set(index["left_out"]) == {"ct_a", "ct_b", "mole", "blank"}
    assert "nothing is drawn" in index["left_out"]["blank"]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ({"FrameOfReferenceUID": None}, "do not say FrameOfReferenceUID"),
        ({"NumberOfFrames": 3}, "one file of many frames"),
    ],
)
def test_slices_without_a_place_are_refused(empty: Any, tmp_path: Path, damage: Any, sentence: str) -> None:
    add_series(empty, grid=ORIENTATIONS[0])
    for file in (empty.folder / "head folder").iterdir():
        one = pydicom.dcmread(file)
        for keyword, value in damage.items():
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)
        one.save_as(file)
    with pytest.raises(ExportError, match=sentence):
        export(empty.folder, "dicom-seg", tmp_path / "out")


def test_a_series_that_is_gone_or_lost_a_slice_is_refused(empty: Any, tmp_path: Path) -> None:
    add_series(empty, grid=ORIENTATIONS[0])
    (empty.folder / "head folder" / "1.dcm").unlink()
    with pytest.raises(ExportError, match="3 slices"):
        export(empty.folder, "dicom-seg", tmp_path / "out")
    for file in (empty.folder / "head folder").iterdir():
        file.unlink()
    with pytest.raises(ExportError, match="not in the studies any more"):
        export(empty.folder, "dicom-seg", tmp_path / "out")


@pytest.mark.parametrize("rgb", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (46, 138, 184), (1, 2, 3), (17, 250, 90)])
def test_colours_are_those_of_a_colour_management_system(rgb: tuple[int, int, int]) -> None:
    """Little CMS, which Pillow brings, converts through ICC profiles; it has 8 bits a channel."""
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.new("RGB", (1, 1), rgb), transform).tobytes()
    expected = [lab[0], *(np.array([lab[1], lab[2]], np.uint8).astype(np.int8).astype(int) + 128)]
    np.testing.assert_allclose(np.array(cielab_of_rgb(rgb)) / 257, expected, atol=1.0)
