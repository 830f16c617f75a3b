"""Images and label maps onto the grid of another image."""

from __future__ import annotations

import numpy as np
import SimpleITK

from samantic.imaging.volume import Volume


def resample_to(volume: Volume, reference: Volume) -> Volume:
    """Interpolates `volume` linearly at the voxels of `reference`; outside it, the lowest value of `volume`.

    Returns (I, J, K[, 3]) of the reference's shape and affine, in the type of `volume`. Source: ours, on SimpleITK.
    """
    array = volume.array
    outside = float(array.min())
    resampled = _resampled(array, volume.affine, reference, SimpleITK.sitkLinear, outside)
    return Volume(resampled, reference.affine, volume.modality, reference.kind)


def resample_labels_to(labels_ijk: np.ndarray, affine: np.ndarray, reference: Volume) -> np.ndarray:
    """Takes for every voxel of `reference` the nearest label of (I, J, K) labels with `affine`; outside them, zero.

    Returns the reference's (I, J, K) in the type of the labels. Source: ours, on SimpleITK.
    """
    return _resampled(labels_ijk, affine, reference, SimpleITK.sitkNearestNeighbor, 0.0)


def _resampled(
    array: np.ndarray, affine: np.ndarray, reference: Volume, interpolator: int, outside: float
) -> np.ndarray:
    # Both grids lie in index space; one affine between them says it all, and may shear, which ITK's directions may not.
    transform = SimpleITK.AffineTransform(3)
    reference_to_moving = np.linalg.inv(affine) @ reference.affine
    transform.SetMatrix(reference_to_moving[:3, :3].ravel().tolist())
    transform.SetTranslation(reference_to_moving[:3, 3].tolist())
    moving = SimpleITK.GetImageFromArray(np.moveaxis(array, (0, 1, 2), (2, 1, 0)), isVector=array.ndim == 4)
    result = SimpleITK.Resample(
        moving,
        reference.shape_ijk,
        transform,
        interpolator,
        (0.0,) * 3,
        (1.0,) * 3,
        np.eye(3).ravel().tolist(),
        outside,
    )
    return np.moveaxis(SimpleITK.GetArrayFromImage(result), (2, 1, 0), (0, 1, 2)).astype(array.dtype, copy=False)
