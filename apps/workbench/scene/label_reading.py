"""Files of label values, as the server keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from SamanticLib.errors import SamanticError
from SamanticLib.nodes import volume_ijk_to_ras, volume_shape
from trame_slicer.core import SlicerApp
from vtkmodules.util.numpy_support import vtk_to_numpy

UNREADABLE = "The label cannot be read from '{name}': {why}. It was not used."


def read_label(slicer_app: SlicerApp, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Return label values (i, j, k) and where they lie (4, 4), None for a picture's; SamanticError for other files."""
    values, ijk_to_ras = (_picture(path), None) if path.suffix.lower() == ".png" else _volume(slicer_app, path)
    if values.dtype.kind == "f" and np.array_equal(values, np.rint(values)):
        values = values.astype(np.int64)
    if values.dtype.kind not in "ui" or values.min() < 0:
        raise SamanticError(UNREADABLE.format(name=path.name, why="its values are no whole numbers from 0"))
    return values, ijk_to_ras


def _picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise SamanticError(UNREADABLE.format(name=path.name, why=str(error))) from error
    if pixels.ndim != 2:
        raise SamanticError(UNREADABLE.format(name=path.name, why="it has colours in place of values"))
    return pixels.T[:, :, None]


def _volume(slicer_app: SlicerApp, path: Path) -> tuple[np.ndarray, np.ndarray]:
    node: Any = next(iter(slicer_app.io_manager.load_volumes(str(path))), None)
    if node is None or node.GetImageData() is None:
        raise SamanticError(UNREADABLE.format(name=path.name, why="it holds no image"))
    try:
        if node.GetImageData().GetNumberOfScalarComponents() != 1:
            raise SamanticError(UNREADABLE.format(name=path.name, why="it has several values for a voxel"))
        i, j, k = volume_shape(node)
        values = vtk_to_numpy(node.GetImageData().GetPointData().GetScalars()).reshape(k, j, i).T.copy(order="K")
        return values, volume_ijk_to_ras(node)
    finally:
        slicer_app.scene.RemoveNode(node)
