"""A voxel grid in patient millimetres on which tissues are laid down one over the other with soft edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class Region:
    """A box of voxels with the patient coordinates of their centres.

    `x`, `y`, `z` are RAS millimetres (+x towards the patient's right, +y forwards, +z upwards),
    shaped (I, 1, 1), (1, J, 1) and (1, 1, K) so that formulas broadcast.
    """

    slices: tuple[slice, slice, slice]
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray


@dataclass(eq=False)
class Canvas:
    """An image and its truth in the making.

    `affine` is a diagonal IJK -> RAS matrix; `image` is float32 (I, J, K), `truth` is uint8 (I, J, K) and `names` maps
    a truth value to the name of its class.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    softness_mm: float
    image: np.ndarray = field(init=False)
    truth: np.ndarray = field(init=False)
    names: dict[int, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.image = np.zeros(self.shape, np.float32)
        self.truth = np.zeros(self.shape, np.uint8)

    @property
    def spacing_mm(self) -> np.ndarray:
        return np.abs(np.diag(self.affine)[:3])

    def everywhere(self) -> Region:
        return self.region((-1e6, -1e6, -1e6), (1e6, 1e6, 1e6))

    def around(self, points_mm: np.ndarray, margin_mm: float) -> Region:
        """Return the region that holds all `points_mm` (N, 3) and `margin_mm` around them."""
        points = np.atleast_2d(points_mm)
        return self.region(points.min(0) - margin_mm, points.max(0) + margin_mm)

    def region(self, lower_mm: np.ndarray | tuple[float, ...], upper_mm: np.ndarray | tuple[float, ...]) -> Region:
        """Return the voxels whose centres lie between two corners; empty where the box misses the grid."""
        slices = []
        coordinates = []
        for axis in range(3):
            step, start = self.affine[axis, axis], self.affine[axis, 3]
            ends = sorted(((lower_mm[axis] - start) / step, (upper_mm[axis] - start) / step))
            first = int(np.clip(np.ceil(ends[0]), 0, self.shape[axis]))
            stop = int(np.clip(np.floor(ends[1]) + 1, first, self.shape[axis]))
            slices.append(slice(first, stop))
            shape = [1, 1, 1]
            shape[axis] = stop - first
            coordinates.append(
                (start + step * np.arange(first, stop, dtype=np.float32)).astype(np.float32).reshape(shape)
            )
        return Region((slices[0], slices[1], slices[2]), *coordinates)

    def paint(
        self, region: Region, distance_mm: np.ndarray, value: np.ndarray | float, name: str | None = None
    ) -> None:
        """Lay a tissue over what is there.

        `distance_mm` is negative inside. Voxels cut by the edge get a mixture of both tissues (partial volume).
        Whatever label lay under the tissue is replaced by `name`, or by nothing where it is None.
        """
        share = np.clip(0.5 - distance_mm / self.softness_mm, 0.0, 1.0).astype(np.float32)
        image = self.image[region.slices]
        image += share * (np.asarray(value, np.float32) - image)
        self.truth[region.slices][distance_mm < 0] = 0 if name is None else self._value_of(name)

    def shade(self, region: Region, distance_mm: np.ndarray, value: np.ndarray | float) -> None:
        """Change the grey value inside a shape and leave the truth alone (vessels in a liver, gas in a bowel)."""
        share = np.clip(0.5 - distance_mm / self.softness_mm, 0.0, 1.0).astype(np.float32)
        image = self.image[region.slices]
        image += share * (np.asarray(value, np.float32) - image)

    def texture(self, rng: np.random.Generator, sigma_mm: float) -> np.ndarray:
        """Return smooth noise over the whole grid with mean 0 and standard deviation 1, float32 (I, J, K)."""
        return smooth_noise(rng, self.shape, sigma_mm / self.spacing_mm)

    def _value_of(self, name: str) -> int:
        for value, known in self.names.items():
            if known == name:
                return value
        value = len(self.names) + 1
        self.names[value] = name
        return value


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], sigma: np.ndarray | Sequence[float] | float
) -> np.ndarray:
    """Return Gaussian noise of `shape` smoothed by `sigma` voxels, with mean 0 and standard deviation 1 (float32).

    Coarse noise is drawn on a coarse grid and interpolated, which costs a fraction of filtering the full one.
    """
    sigmas = np.broadcast_to(np.asarray(sigma, float), (len(shape),))
    factors = np.maximum(np.floor(sigmas / 1.5), 1.0)
    coarse_shape = tuple(int(np.ceil(length / factor)) + 1 for length, factor in zip(shape, factors, strict=True))
    noise = ndimage.gaussian_filter(
        rng.standard_normal(coarse_shape, dtype=np.float32), tuple(sigmas / factors), mode="reflect"
    )
    if max(factors) > 1:
        noise = ndimage.zoom(noise, tuple(factors), order=1)
    noise = noise[tuple(slice(0, length) for length in shape)]
    noise -= noise.mean()
    return (noise / max(float(noise.std()), 1e-6)).astype(np.float32)
