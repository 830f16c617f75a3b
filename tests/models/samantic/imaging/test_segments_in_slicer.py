"""Our .seg.nrrd files in 3D Slicer's own reader, where its core is installed (the extra `workbench`)."""

from pathlib import Path

import numpy as np
import pytest

from samantic.imaging import SegmentInfo, Volume, write_mask

slicer = pytest.importorskip("slicer", reason="3D Slicer's core is not installed; it comes with the extra 'workbench'")
vtk = pytest.importorskip("vtk")

SEGMENTS = [
    SegmentInfo(2, "left kidney", (185, 102, 83), "context~SCT^1^a~SCT^2^b~SCT^3^c~regions~^^~^^"),
    SegmentInfo(300, "liver", (221, 130, 101)),
]


@pytest.mark.parametrize("lower", [None, (1, 2, 3), (4, 6, 8)])
def test_slicer_finds_every_segment_and_every_voxel(
    tmp_path: Path, phantom: Volume, lower: tuple[int, int, int] | None
) -> None:
    labels = np.random.default_rng(0).choice([0, 2, 300], phantom.shape_ijk).astype(np.uint16)
    if lower is not None:
        labels[: lower[0]], labels[:, : lower[1]], labels[:, :, : lower[2]] = 0, 0, 0
        labels[lower] = 2
    i, j, k = lower or (0, 0, 0)
    write_mask(tmp_path / "m.seg.nrrd", labels[i:, j:, k:], phantom, SEGMENTS, lower)
    node, storage, scene = (
        slicer.vtkMRMLSegmentationNode(),
        slicer.vtkMRMLSegmentationStorageNode(),
        slicer.vtkMRMLScene(),
    )
    scene.AddNode(node)
    scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "m.seg.nrrd"))
    assert storage.ReadData(node) == 1
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    for index, expected in enumerate(SEGMENTS):
        segment = segmentation.GetNthSegment(index)
        assert (segment.GetName(), segment.GetLabelValue()) == (expected.name, expected.value)
        np.testing.assert_allclose(segment.GetColor(), np.array(expected.colour_rgb) / 255, atol=1e-5)
        if expected.terminology is not None:  # otherwise Slicer takes its own default
            tag = vtk.mutable("")
            segment.GetTag("TerminologyEntry", tag)
            assert str(tag) == expected.terminology
        found = _world(segment.GetRepresentation("Binary labelmap"), expected.value)
        voxels = (found - phantom.affine[:3, 3]) @ np.linalg.inv(phantom.affine[:3, :3]).T
        np.testing.assert_allclose(voxels, np.rint(voxels), atol=1e-6)
        wanted = np.argwhere(labels == expected.value)
        assert sorted(map(tuple, np.rint(voxels).astype(int))) == sorted(map(tuple, wanted))


def _world(labelmap, value: int) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    affine = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    extent = labelmap.GetExtent()
    shape = [high - low + 1 for low, high in zip(extent[::2], extent[1::2], strict=True)]
    scalars = labelmap.GetPointData().GetScalars()
    values = np.array([scalars.GetTuple1(index) for index in range(scalars.GetNumberOfTuples())])
    ijk = np.argwhere(values.reshape(shape, order="F") == value) + np.array(extent[::2])
    return ijk @ affine[:3, :3].T + affine[:3, 3]
