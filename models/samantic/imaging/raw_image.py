"""What a file says: exact voxels and geometry, before intensities are tidied."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from samantic.imaging.volume import Modality

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class RawImage:
    """Voxels (I, J, K) or (I, J, K, 3) exactly as stored, affine (4, 4) to RAS millimetres, and the header's texts."""

    array: np.ndarray
    affine: np.ndarray
    modality: Modality | None = None
    texts: dict[str, str] = field(default_factory=dict)


def affine_from_lps(directions: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """RAS affine (4, 4) of voxel steps (3, 3), one LPS vector in millimetres per column, and an LPS origin (3,)."""
    affine = np.eye(4)
    affine[:3, :3] = directions
    affine[:3, 3] = origin
    return LPS_TO_RAS @ affine
