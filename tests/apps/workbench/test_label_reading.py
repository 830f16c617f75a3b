"""Labels as the server keeps them, read on the voxels of their images."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("trame_slicer")

from SamanticLib.errors import SamanticError
from SamanticLib.label_files import write_label
from trame_slicer.core import SlicerApp

from samantic.workbench.scene.label_reading import read_label

AFFINE = np.array([[-0.8, 0, 0, 9], [0, -0.9, 0, 4], [0, 0, 3.0, -20], [0, 0, 0, 1.0]])


@pytest.fixture(scope="module")
def a_slicer_app() -> SlicerApp:
    return SlicerApp()


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 400, (5, 7, 3)).astype(np.uint16)


@pytest.mark.parametrize("name", ["label.nrrd", "label.nii.gz"])
def test_labels_of_volumes_lie_where_they_were_drawn(
    a_slicer_app: SlicerApp, labels: np.ndarray, tmp_path: Path, name: str
) -> None:
    if name.endswith(".nrrd"):
        write_label(tmp_path / name, labels, AFFINE)
    else:
        nibabel.save(nibabel.Nifti1Image(labels, AFFINE), tmp_path / name)
    nodes = a_slicer_app.scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")
    values, ijk_to_ras = read_label(a_slicer_app, tmp_path / name)
    assert np.array_equal(values, labels)
    assert ijk_to_ras is not None
    assert np.allclose(ijk_to_ras, AFFINE, atol=1e-5)
    assert a_slicer_app.scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == nodes


@pytest.mark.parametrize("largest", [255, 400])
def test_labels_of_photographs_are_read_pixel_for_pixel(
    a_slicer_app: SlicerApp, labels: np.ndarray, tmp_path: Path, largest: int
) -> None:
    flat = np.minimum(labels[:, :, :1], largest)
    write_label(tmp_path / "label.png", flat)
    values, ijk_to_ras = read_label(a_slicer_app, tmp_path / "label.png")
    assert np.array_equal(values, flat)
    assert ijk_to_ras is None


def test_what_is_no_label_is_a_sentence(a_slicer_app: SlicerApp, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "colours.png")
    with pytest.raises(SamanticError, match="colours"):
        read_label(a_slicer_app, tmp_path / "colours.png")
    nibabel.save(nibabel.Nifti1Image(np.full((4, 5, 3), 0.5, np.float32), AFFINE), tmp_path / "map.nii.gz")
    with pytest.raises(SamanticError, match="whole numbers"):
        read_label(a_slicer_app, tmp_path / "map.nii.gz")
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    with pytest.raises(SamanticError, match=r"broken.nii.gz.*no image"):
        read_label(a_slicer_app, tmp_path / "broken.nii.gz")
