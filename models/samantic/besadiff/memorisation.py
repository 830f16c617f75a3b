"""Whether a generated image copies a training image: its nearest neighbour, by pixels and by an embedding.

What is near enough to be a copy is told by the training images themselves: the distances from each to the nearest of
the others are what lesions of different people have. Source: ours, after arXiv 2301.13188.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samantic.besadiff.memorisation_report import ReportedPair, write_memorisation_report
from samantic.besadiff.pixel_bank import TURNS, PixelBank, as_picture, resized, turned

SAMPLE = 64
"""So many training images tell the thresholds."""
UNUSUAL = 3.0
"""Robust standard deviations below the middle of the logarithms at which a distance is that of a copy."""
FEWEST = 10
REPORTED_SIDE = 96
SEED = 5

Descriptor = Callable[[np.ndarray], Any]
"""Gives a global descriptor (D,) of an image (rows, cols, 3) uint8, as array or tensor."""


@dataclass(frozen=True)
class Neighbour:
    """The training image that is nearest to an image, `pixel_distance` as in `PixelBank`, and whether it is copied.

    `embedding_distance` is 1 minus the cosine, 0 to 2. Turned by `turn` (see `turned`) the image matches it.
    """

    image_id: str
    pixel_distance: float
    embedding_distance: float
    is_copy: bool
    turn: int = 0


@dataclass(frozen=True)
class CopyThresholds:
    """An image is a copy below `pixel`, or below `embedding` where its pixels are nearer than `pixel_ordinary`.

    The last is the median between unlike training images: an embedding alone also calls those near that merely have
    the same kind of lesion.
    """

    pixel: float
    embedding: float
    pixel_ordinary: float


class Memorisation:
    """Looks for the training image that is nearest to an image; same images and descriptor, same `fingerprint`."""

    def __init__(self, training_images: Sequence[tuple[str, np.ndarray]], descriptor: Descriptor) -> None:
        """Compare with pairs of an id and an image (rows, cols, 3) uint8; ValueError if they are fewer than FEWEST.

        `descriptor` is asked once for every image, and eight times for each of SAMPLE that tell the thresholds.
        """
        if len(training_images) < FEWEST:
            raise ValueError(
                f"The check for copies needs at least {FEWEST} training images, not {len(training_images)}: fewer "
                "do not tell how far apart unlike images are."
            )
        self._descriptor = descriptor
        self._ids = [image_id for image_id, _ in training_images]
        images = [image for _, image in training_images]
        self._bank = PixelBank(images)
        self._embeddings = np.stack([_unit(descriptor(image)) for image in images])
        self._thumbnails = [_thumbnail(image) for image in images]
        sample = np.random.default_rng(SEED).permutation(len(images))[:SAMPLE]
        self._ordinary = np.array([self._nearest_others(images[index], index) for index in sample])
        pixel, embedding = (_unusual(distances) for distances in self._ordinary.T)
        self.thresholds = CopyThresholds(pixel, embedding, float(np.median(self._ordinary[:, 0])))
        digest = hashlib.sha256(repr((self._ids, self.thresholds)).encode())
        for thumbnail in self._thumbnails:
            digest.update(thumbnail.tobytes())
        self.fingerprint = digest.hexdigest()

    def nearest(self, image: np.ndarray) -> Neighbour:
        """Find the training image that is nearest to `image` (rows, cols, 3) uint8, at least 32 pixels a side.

        Nearest is the one whose distance is the smallest share of its threshold. ValueError for another shape or kind.
        """
        pixel, turns = self._bank.distances(image)
        embedding = self._embedding_distances(image)
        limits = self.thresholds
        shares = pixel / limits.pixel
        alike = pixel < limits.pixel_ordinary
        shares[alike] = np.minimum(shares, embedding / limits.embedding)[alike]
        index = int(shares.argmin())
        return Neighbour(
            self._ids[index],
            float(pixel[index]),
            float(embedding[index]),
            bool(shares[index] < 1),
            int(turns[index]),
        )

    def write_report(self, pairs: Sequence[tuple[str, np.ndarray]], folder: Path) -> Path:
        """Compare named images; write `memorisation.json`, and `closest_pairs.png` with the ten closest.

        Returns the path of the picture. The closest by pixels come first.
        """
        found = []
        for name, image in pairs:
            neighbour = self.nearest(image)
            training = self._thumbnails[self._ids.index(neighbour.image_id)]
            found.append(ReportedPair(name, turned(_thumbnail(image), neighbour.turn), training, neighbour))
        ordinary = {"pixel": self._ordinary[:, 0].tolist(), "embedding": self._ordinary[:, 1].tolist()}
        return write_memorisation_report(found, self.thresholds, ordinary, folder)

    def _nearest_others(self, image: np.ndarray, itself: int) -> tuple[float, float]:
        pixel, _ = self._bank.distances(image)
        embedding = self._embedding_distances(image)
        others = np.arange(len(pixel)) != itself
        return float(pixel[others].min()), float(embedding[others].min())

    def _embedding_distances(self, image: np.ndarray) -> np.ndarray:
        """(N,) the least of all turns, since a descriptor need not be the same for an image and its mirror image."""
        turns = np.stack([_unit(self._descriptor(turned(image, turn))) for turn in range(TURNS)])
        return np.clip(1 - turns @ self._embeddings.T, 0, 2).min(0)


def _unusual(distances: np.ndarray) -> float:
    """A distance that is unusually small among those of unlike images, however few of them are alike after all."""
    logarithms = np.log(np.maximum(distances, 1e-6))
    middle = np.median(logarithms)
    spread = 1.4826 * np.median(np.abs(logarithms - middle))
    return float(np.exp(middle - UNUSUAL * max(float(spread), 0.1)))


def _unit(vector: Any) -> np.ndarray:
    values = np.asarray(vector.detach().cpu() if hasattr(vector, "detach") else vector, dtype=np.float64).ravel()
    return values / max(float(np.linalg.norm(values)), 1e-12)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """(REPORTED_SIDE, REPORTED_SIDE, 3) uint8."""
    return resized(as_picture(image), REPORTED_SIDE).round().byte().permute(1, 2, 0).contiguous().numpy()
