"""Where a model is unsure, laid over the image in a warm colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from SamanticLib.geometry import Extent
from SamanticLib.nodes import to_vtk_matrix, volume_ijk_to_ras
from trame_slicer.core import SlicerApp
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData

OPACITY = 0.75
COLOURS = "Samantic uncertainty"
STOPS = ((0.05, 0.15, 0.55), (0.05, 0.45, 0.95), (0.1, 0.9, 0.95), (0.95, 1.0, 0.55))
FAINTEST = 0.04
"""Of the largest value; what is surer than that is not coloured."""


class UnsureMap:
    """A volume in the foreground of the slices. Source: ours."""

    def __init__(self, slicer_app: SlicerApp) -> None:
        self._app = slicer_app
        self._node: Any = None

    def show(self, values: np.ndarray | None, extent: Extent | None, largest: float, volume: Any) -> None:
        """Show values (i, j, k) over an extent of a volume, or nothing."""
        if self._node is not None:
            self._app.display_manager.show_volume_in_slice_foreground(None)
            self._app.scene.RemoveNode(self._node)
            self._node = None
        if values is None or extent is None or volume is None:
            return
        node = self._app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "uncertainty")
        node.SetSaveWithScene(False)
        matrix = volume_ijk_to_ras(volume)
        matrix[:3, 3] = (matrix @ np.array([*extent[::2], 1.0]))[:3]
        node.SetIJKToRASMatrix(to_vtk_matrix(matrix))
        node.SetAndObserveImageData(_image(values))
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(self._colours().GetID())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(0.0, largest)
        display.SetThreshold(FAINTEST * largest, largest)
        display.SetApplyThreshold(True)
        self._node = node
        self._app.display_manager.show_volume_in_slice_foreground(node)
        for view in self._app.view_manager.get_slice_views():
            view.set_foreground_opacity(OPACITY)

    def _colours(self) -> Any:
        """From deep blue over cyan to pale yellow: none of them is a colour of skin."""
        found = self._app.scene.GetFirstNodeByName(COLOURS)
        if found is not None:
            return found
        node = self._app.scene.AddNewNodeByClass("vtkMRMLColorTableNode", COLOURS)
        node.SetSaveWithScene(False)
        node.SetTypeToUser()
        node.SetNumberOfColors(256)
        places = np.linspace(0, 1, len(STOPS))
        for number in range(256):
            rgb = [np.interp(number / 255, places, [stop[band] for stop in STOPS]) for band in range(3)]
            node.SetColor(number, str(number), *(float(value) for value in rgb), 1.0)
        return node


def _image(values: np.ndarray) -> vtkImageData:
    image = vtkImageData()
    image.SetDimensions(*values.shape)
    scalars = numpy_to_vtk(np.ascontiguousarray(values.T, dtype=np.float32).ravel(), deep=True)
    image.GetPointData().SetScalars(scalars)
    return image
