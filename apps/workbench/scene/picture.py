"""Photographs as volumes of one slice: pixel for pixel as they are stored, whatever EXIF says, as on the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from SamanticLib.errors import SamanticError
from SamanticLib.nodes import to_vtk_matrix
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp")
PICTURE_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Columns run to the patient's left and rows to the back, one millimetre each, as ITK reads pictures."""


def load_picture(scene: Any, path: Path) -> Any:
    """Return a volume node of a picture, vectors if it has colours; SamanticError for a file that is no whole picture.

    Transparent pixels are white.
    """
    try:
        with Image.open(path) as opened:
            opened.load()
            picture = _flattened(opened)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise SamanticError(f"The picture '{path.name}' cannot be read: {error}. Open another image.") from error
    pixels = np.asarray(picture)
    kind = "vtkMRMLScalarVolumeNode" if pixels.ndim == 2 else "vtkMRMLVectorVolumeNode"
    node = scene.AddNewNodeByClass(kind, path.stem)
    node.SetAndObserveImageData(_image(pixels))
    node.SetIJKToRASMatrix(to_vtk_matrix(PICTURE_TO_RAS))
    node.CreateDefaultDisplayNodes()
    return node


def _flattened(picture: Image.Image) -> Image.Image:
    if picture.mode in ("L", "I;16", "1"):
        return picture.convert("L") if picture.mode == "1" else picture
    if "A" in picture.mode or "transparency" in picture.info:
        transparent = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, transparent).convert("RGB")
    return picture.convert("RGB")


def _image(pixels: np.ndarray) -> vtkImageData:
    rows, columns = pixels.shape[:2]
    image = vtkImageData()
    image.SetDimensions(columns, rows, 1)
    scalars = numpy_to_vtk(np.ascontiguousarray(pixels.reshape(rows * columns, -1)), deep=True)
    scalars.SetName("ImageScalars")
    image.GetPointData().SetScalars(scalars)
    return image
