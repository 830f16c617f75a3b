"""Does an uploaded label fit its image?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from samantic.app.lib.datastore import printable
from samantic.app.lib.server.lookups import running_app
from samantic.imaging import ImageReadError, Volume, read_mask, read_volume

REMEMBERED = 256


class LabelCheck:
    """Reads labels against the grid of their image; the grids of the latest images are remembered. Source: ours."""

    def __init__(self) -> None:
        self._grids: OrderedDict[tuple[str, int], Volume] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, sent_as: str, image_id: str) -> np.ndarray:
        """Read the label in `path` whole, (I, J, K) in the grid of its image.

        Raises ImageReadError if it is damaged or lies on another grid.
        """
        try:
            return read_mask(path, self._grid(Path(running_app().datastore().get_image_uri(image_id))))
        except ImageReadError as error:
            raise ImageReadError(str(error).replace(path.name, printable(sent_as))) from error

    def _grid(self, image: Path) -> Volume:
        key = (str(image), image.stat().st_mtime_ns)
        with self._lock:
            grid = self._grids.get(key)
        if grid is None:
            volume = read_volume(image)
            nothing = np.broadcast_to(np.uint8(0), volume.shape_ijk)
            grid = Volume(nothing, volume.affine, volume.modality, volume.kind)
            with self._lock:
                self._grids[key] = grid
                while len(self._grids) > REMEMBERED:
                    self._grids.popitem(last=False)
        return grid
