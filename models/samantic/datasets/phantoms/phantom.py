"""What every phantom generator returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from samantic.imaging import Modality


@dataclass(frozen=True, eq=False)
class Phantom:
    """A made-up image and the truth about it.

    `image` is (I, J, K) int16 or uint8, or (I, J, 1, 3) uint8 for colour photographs; `affine` is IJK -> RAS in mm;
    `truth` is uint8 (I, J, K); `names` maps its values to class names of the vocabulary.
    """

    id: str
    modality: Modality
    image: np.ndarray
    affine: np.ndarray
    truth: np.ndarray
    names: dict[int, str]

    def clicks(self) -> dict[str, tuple[int, int, int]]:
        """Return for every class the voxel that lies deepest inside it on the axial slice where its area is largest."""
        clicks = {}
        for value, name in self.names.items():
            inside = self.truth == value
            areas = inside.sum(axis=(0, 1))
            k = int(np.argmax(areas))
            depth = ndimage.distance_transform_edt(np.pad(inside[:, :, k], 1))[1:-1, 1:-1]
            i, j = np.unravel_index(int(np.argmax(depth)), depth.shape)
            clicks[name] = (int(i), int(j), k)
        return clicks
