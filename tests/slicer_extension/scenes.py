"""Real scenes of 3D Slicer's own classes, with volumes in every orientation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import slicer
import vtk
from SamanticLib.answers import ClassCode, ClassEntry, CodedTerm
from SamanticLib.nodes import to_vtk_matrix
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

SHAPE = (7, 9, 5)
SPACING = (0.7, 1.3, 4.0)
OBLIQUE = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
SHEARED = np.array([[1.0, 0.3, 0.0], [0.0, 1.2, 0.25], [0.1, 0.0, 0.7]])


def orientations() -> list[np.ndarray]:
    """The 48 ways to permute and flip three axes, (3, 3)."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            for axis, (to, sign) in enumerate(zip(order, signs, strict=True)):
                matrix[to, axis] = sign
            found.append(matrix)
    return found


def grid(orientation: np.ndarray) -> np.ndarray:
    """Voxel index -> RAS, anisotropic and away from the origin."""
    matrix = np.eye(4)
    matrix[:3, :3] = orientation * SPACING
    matrix[:3, 3] = (-30.5, 12.25, 100.0)
    return matrix


GRIDS = [grid(one) for one in orientations()]
OBLIQUE_GRIDS = [grid(OBLIQUE @ one) for one in orientations()[::5]]


class Scene:
    """A scene with the logic of segmentations, as Slicer and the browser have it."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerSegmentationsModuleLogic()
        self.logic.SetMRMLScene(self.scene)

    def add(self, kind: str, name: str = "") -> Any:
        return self.scene.AddNewNodeByClass(kind, name or kind)

    def volume(self, ijk_to_ras: np.ndarray, shape: tuple[int, int, int] = SHAPE, colour: bool = False) -> Any:
        """A volume of zeros; in colour it is a photograph as Slicer loads one."""
        node = self.add("vtkMRMLVectorVolumeNode" if colour else "vtkMRMLScalarVolumeNode", "image")
        image = vtk.vtkImageData()
        image.SetDimensions(*shape)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3 if colour else 1)
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = 0
        node.SetAndObserveImageData(image)
        node.SetIJKToRASMatrix(to_vtk_matrix(ijk_to_ras))
        return node

    def transform(self, matrix: np.ndarray, parent: Any = None) -> Any:
        """A linear transform node of (3, 3) or (4, 4), under another one."""
        full = np.eye(4)
        full[: len(matrix), : len(matrix)] = matrix
        if len(matrix) == 3:
            full[:3, 3] = (5.0, -7.0, 3.5)
        node = self.add("vtkMRMLLinearTransformNode")
        node.SetMatrixTransformToParent(to_vtk_matrix(full))
        if parent is not None:
            node.SetAndObserveTransformNodeID(parent.GetID())
        return node

    def bending(self) -> Any:
        """A transform that warps: the more to the right, the further forward."""
        spline = vtk.vtkThinPlateSplineTransform()
        source, target = vtk.vtkPoints(), vtk.vtkPoints()
        for corner in itertools.product((-150.0, 150.0), repeat=3):
            source.InsertNextPoint(corner)
            target.InsertNextPoint(corner[0], corner[1] + corner[0] * corner[2] / 900, corner[2])
        spline.SetSourceLandmarks(source)
        spline.SetTargetLandmarks(target)
        spline.SetBasisToR()
        node = self.add("vtkMRMLTransformNode")
        node.SetAndObserveTransformToParent(spline)
        return node

    def exported(self, segmentation: Any, segment_id: str, volume: Any) -> np.ndarray:
        """What a segment holds in a volume, (i, j, k) bool, as Slicer's own export says."""
        labelmap = self.add("vtkMRMLLabelMapVolumeNode")
        ids = vtk.vtkStringArray()
        ids.InsertNextValue(segment_id)
        assert self.logic.ExportSegmentsToLabelmapNode(segmentation, ids, labelmap, volume)
        i, j, k = labelmap.GetImageData().GetDimensions()
        values = vtk_to_numpy(labelmap.GetImageData().GetPointData().GetScalars()).reshape(k, j, i).T != 0
        self.scene.RemoveNode(labelmap)
        return values

    def hand_drawn(self, segmentation: Any, name: str, ijk_to_local: np.ndarray, mask: np.ndarray) -> str:
        """A segment as the Segment Editor leaves one: a labelmap of its own, cut to some extent."""
        image = slicer.vtkOrientedImageData()
        image.SetImageToWorldMatrix(to_vtk_matrix(ijk_to_local))
        image.SetDimensions(*mask.shape)
        image.GetPointData().SetScalars(numpy_to_vtk(mask.astype(np.uint8).T.ravel(), deep=True))
        return segmentation.AddSegmentFromBinaryLabelmapRepresentation(image, name)


def entry(name: str, rgb: tuple[int, int, int] = (200, 100, 50)) -> ClassEntry:
    """A class with a code of its own."""
    number = str(sum(map(ord, name)))
    code = ClassCode(CodedTerm("SCT", "123037004", "Anatomical Structure"), CodedTerm("SCT", number, name.title()))
    return ClassEntry(name.replace("_", " "), name, "ct", (), code, rgb)


def blob(shape: tuple[int, int, int], seed: int = 1) -> np.ndarray:
    """A mask (i, j, k) without any symmetry."""
    return np.random.default_rng(seed).random(shape) < 0.4
