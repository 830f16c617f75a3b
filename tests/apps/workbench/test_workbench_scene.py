"""The scene of the workbench on slicer-core: real images, real segments, one way back for answers and strokes."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("trame_slicer")

from SamanticLib.answers import ClassCode, ClassEntry, CodedTerm
from SamanticLib.errors import SamanticError
from SamanticLib.nrrd import read_nrrd
from SamanticLib.prompts import Prompts
from trame_slicer.core import SlicerApp

from samantic.workbench.scene.workbench_scene import WorkbenchScene

SHAPE = (20, 24, 10)
AFFINE = np.array([[-0.8, 0, 0, 9], [0, -0.9, 0, 4], [0, 0, 3.0, -20], [0, 0, 0, 1.0]])


def an_entry(name: str, value: str) -> ClassEntry:
    code = ClassCode(CodedTerm("SCT", "123037004", "Anatomical Structure"), CodedTerm("SCT", value, name))
    return ClassEntry(name.replace("_", " "), name, "ct", (), code, (40, 140, 200))


LIVER, SPLEEN = an_entry("liver", "10200004"), an_entry("spleen", "78961009")
SQUARE = (2, 6, 3, 8, 4, 5)


@pytest.fixture(scope="module")
def a_slicer_app() -> SlicerApp:
    return SlicerApp()


@pytest.fixture
def a_ct(tmp_path: Path) -> Path:
    volume = np.random.default_rng(3).integers(-200, 200, SHAPE).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, AFFINE), tmp_path / "ct.nii.gz")
    return tmp_path / "ct.nii.gz"


@pytest.fixture
def a_scene(a_slicer_app: SlicerApp, a_ct: Path) -> WorkbenchScene:
    scene = WorkbenchScene(a_slicer_app)
    scene.load_image(a_ct, "ct")
    return scene


def a_mask() -> np.ndarray:
    return np.ones((4, 5, 1), bool)


def test_an_image_lies_where_its_file_says(a_scene: WorkbenchScene) -> None:
    assert a_scene.image is not None
    assert a_scene.image.shape_ijk == SHAPE
    assert not a_scene.image.is_colour
    assert np.allclose(a_scene.image.ijk_to_ras, AFFINE)


def test_a_photograph_is_flat_and_in_colour(a_scene: WorkbenchScene, tmp_path: Path) -> None:
    picture = np.random.default_rng(5).integers(0, 255, (12, 18, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "mole.png")
    image = a_scene.load_image(tmp_path / "mole.png", "mole")
    assert (image.shape_ijk, image.is_colour, image.is_flat) == ((18, 12, 1), True, True)
    shown = [a_scene.volume.GetImageData().GetScalarComponentAsFloat(5, 7, 0, band) for band in range(3)]
    assert shown == picture[7, 5].tolist()
    assert a_scene.segments() == ()


def test_a_file_without_a_picture_is_a_sentence_and_the_open_image_stays(
    a_scene: WorkbenchScene, tmp_path: Path
) -> None:
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    with pytest.raises(SamanticError, match="cannot be shown"):
        a_scene.load_image(tmp_path / "broken.nii.gz", "broken")
    assert a_scene.image is not None
    assert a_scene.image.image_id == "ct"


def test_answers_are_taken_back_and_made_again_by_their_numbers(a_scene: WorkbenchScene) -> None:
    segment = a_scene.segment_for(LIVER)
    first = a_scene.paste(segment, a_mask(), SQUARE, overlap=False)
    second = a_scene.paste(segment, ~a_mask(), SQUARE, overlap=False)
    assert not a_scene.crop(segment, SQUARE).any()
    assert a_scene.undo() == second
    assert a_scene.crop(segment, SQUARE).all()
    assert a_scene.undo() == first
    assert not a_scene.crop(segment, SQUARE).any()
    assert a_scene.redo() == first
    assert a_scene.crop(segment, SQUARE).all()


def test_a_stroke_between_two_answers_is_a_step_of_its_own(a_scene: WorkbenchScene, a_slicer_app: SlicerApp) -> None:
    segment = a_scene.segment_for(LIVER)
    first = a_scene.paste(segment, a_mask(), SQUARE, overlap=False)
    a_slicer_app.segmentation_editor.set_active_segment_id(segment)
    modifier = a_slicer_app.segmentation_editor.active_segment_modifier
    painted = np.zeros(SHAPE[::-1], np.uint8)
    painted[8, 10, 10] = 1
    modifier.apply_labelmap(_labelmap(a_slicer_app, painted))
    assert a_scene.crop(segment, (10, 11, 10, 11, 8, 9)).all()
    corner = (12, 13, 12, 13, 2, 3)
    second = a_scene.paste(segment, np.ones((1, 1, 1), bool), corner, overlap=False)
    assert a_scene.undo() == second
    assert a_scene.undo() is None, "the stroke is not an answer"
    assert not a_scene.crop(segment, (10, 11, 10, 11, 8, 9)).any()
    assert a_scene.crop(segment, SQUARE).all()
    assert a_scene.undo() == first


def test_segments_of_a_scan_do_not_overlap_and_those_of_a_photograph_may(a_scene: WorkbenchScene) -> None:
    liver, spleen = a_scene.segment_for(LIVER), a_scene.segment_for(SPLEEN)
    a_scene.paste(liver, a_mask(), SQUARE, overlap=False)
    a_scene.paste(spleen, a_mask(), SQUARE, overlap=False)
    assert not a_scene.crop(spleen, SQUARE).any()
    a_scene.paste(spleen, a_mask(), SQUARE, overlap=True)
    assert a_scene.crop(spleen, SQUARE).all()
    assert a_scene.crop(liver, SQUARE).all()


def test_labels_are_written_on_the_voxels_of_the_image_without_empty_segments(
    a_scene: WorkbenchScene, tmp_path: Path
) -> None:
    a_scene.segment_for(SPLEEN)
    liver = a_scene.segment_for(LIVER)
    a_scene.paste(liver, a_mask(), SQUARE, overlap=False)
    names = a_scene.write_labels(tmp_path / "label.nrrd")
    written = read_nrrd((tmp_path / "label.nrrd").read_bytes())
    assert list(names) == ["liver"]
    assert (written.values[2:6, 3:8, 4] == names["liver"]).all()
    assert (written.values != 0).sum() == 20
    assert np.allclose(written.ijk_to_ras, AFFINE)
    assert [(one.class_name, one.is_empty) for one in a_scene.segments()] == [("spleen", True), ("liver", False)]


def test_marks_are_drawn_where_their_voxels_are_and_go_again(a_scene: WorkbenchScene, a_slicer_app: SlicerApp) -> None:
    a_scene.show_prompts(Prompts().with_point((3, 4, 5)).with_point((9, 9, 5), False).with_box((2, 8, 3, 9, 5, 6)))
    nodes = list(a_slicer_app.scene.GetNodesByClass("vtkMRMLMarkupsNode"))
    places = [list(node.GetNthControlPointPosition(0)) for node in nodes if node.GetNumberOfControlPoints() == 1]
    assert any(np.allclose(place, [9 - 0.8 * 3, 4 - 0.9 * 4, -20 + 15]) for place in places)
    assert any(node.GetNumberOfControlPoints() == 4 for node in nodes)
    a_scene.show_prompts(Prompts())
    nodes = list(a_slicer_app.scene.GetNodesByClass("vtkMRMLMarkupsNode"))
    assert all(node.GetNumberOfControlPoints() == 0 for node in nodes)


def _labelmap(slicer_app: SlicerApp, values: np.ndarray) -> object:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    labelmap = slicer_app.segmentation_editor.create_modifier_labelmap()
    vtk_to_numpy(labelmap.GetPointData().GetScalars())[:] = values.ravel()
    labelmap.Modified()
    return labelmap
