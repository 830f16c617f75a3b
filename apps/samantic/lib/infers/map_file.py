"""The file of an answer without a prompt: a label map, or a map of how sure each voxel is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.answer import ResultFormat, new_file, read_format, write_labels
from samantic.app.lib.infers.sessions import Extent
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.imaging import SliceView, Volume, crop_affine, write_volume
from samantic.vocabulary import Vocabulary

MAPS = ("labels", "confidence", "uncertainty")
FRACTIONS = (".nii.gz", ".nii", ".nrrd", ".mha")
"""What can hold fractions."""

WHITE = 65535


def read_map_format(
    params: Mapping[str, Any], volume: Volume, wanted: str, extensions: Sequence[str] = FRACTIONS
) -> ResultFormat:
    """Read the writer options for a map of `wanted`, which is written as one of `extensions`. Raises RequestError."""
    if wanted == "labels":
        return read_format(params, volume)
    is_kept(params)
    extension = wire.text(params.get("result_extension"), "result_extension") or extensions[0]
    form = read_format({**params, "result_extension": extension, "result_dtype": "uint16"}, volume)
    if form.extension not in extensions:
        raise RequestError(
            f"'result_extension' is {shown(extension)}, but a map of {wanted} is written as {', '.join(extensions)}."
        )
    return replace(form, dtype="uint16" if form.extension == ".png" else "float32")


def is_kept(params: Mapping[str, Any]) -> bool:
    """Whether the answer is to be saved as a label. Raises RequestError for a map of anything but labels."""
    if not wire.flag(params.get("save_label"), "save_label"):
        return False
    wanted = wire.text(params.get("map"), "map") or "labels"
    if wanted != "labels":
        raise RequestError(f"A map of {wanted} is no label and cannot be saved as one: leave 'map' out to save labels.")
    return True


@dataclass(frozen=True, eq=False)
class MapFile:
    """Writes arrays (I, J, K) in the grid of `volume`, cut to `extent` where the client wants a crop."""

    volume: Volume
    extent: Extent | None
    form: ResultFormat

    def labels(self, labels: np.ndarray, names: Mapping[str, int], vocabulary: Vocabulary) -> str:
        """Write label values to a new temporary file, which the caller removes, and return its path."""
        part, lower = self._cut(labels)
        return str(write_labels(self.volume, part, lower, self.form, names, vocabulary))

    def fractions(self, values: np.ndarray, white: float = 1.0) -> str:
        """Likewise for fractions, as float32; in a .png as grey levels of 16 bits, of which `white` is the lightest."""
        part, lower = self._cut(values)
        affine = self.volume.affine if lower is None else crop_affine(self.volume.affine, lower)
        if self.form.extension == ".png":
            part = np.rint(np.clip(part / white, 0, 1) * WHITE).astype(np.uint16)
        with new_file(self.form) as path:
            write_volume(path, Volume(part.astype(self.form.dtype, copy=False), affine), durable=False)
        return str(path)

    def _cut(self, array: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int] | None]:
        if not self.form.crop:
            return array, None
        # Where nothing was found, one voxel is the smallest that a file can hold.
        x0, x1, y0, y1, z0, z1 = self.extent or (0, 1, 0, 1, 0, 1)
        return array[x0:x1, y0:y1, z0:z1], (x0, y0, z0)


def in_volume(picture: np.ndarray, view: SliceView) -> np.ndarray:
    """Return an array (I, J, K) of the volume of `view` that holds `picture` (rows, cols) in its slice, 0 elsewhere."""
    # In the order of image files, so that writing needs no copy.
    array = np.zeros(view.volume_shape_ijk, picture.dtype, order="F")
    view.insert(array, picture)
    return array
