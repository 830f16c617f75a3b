"""A dark lesion on pale skin, a SAM-family model that sees what is dark, and a segmenter that draws one disc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from samantic.segsam import ViewPrompts


def disc(rows: int, columns: int, y: float, x: float, radius: float) -> np.ndarray:
    yy, xx = np.mgrid[0:rows, 0:columns]
    return (yy - y) ** 2 + (xx - x) ** 2 < radius**2


@dataclass(frozen=True, eq=False)
class Seen:
    mask: np.ndarray
    mask_logits: np.ndarray
    predicted_iou: float


class DarkIsLesion:
    """Answers every prompt with the dark pixels; a second word in the prompt costs it confidence."""

    weights_hash = "dark"

    def __init__(self) -> None:
        self.asked: list[ViewPrompts] = []

    def encode(self, image: np.ndarray) -> np.ndarray:
        return image

    def decode(self, features: np.ndarray, prompts: Sequence[ViewPrompts]) -> list[Seen]:
        self.asked += prompts
        dark = features.mean(axis=2) < 128
        distance = ndimage.distance_transform_edt(dark) - ndimage.distance_transform_edt(~dark)
        return [Seen(dark, distance, 0.9 - 0.1 * bool(len(item.points_xy))) for item in prompts]


@dataclass(frozen=True, eq=False)
class Sharp:
    mask: np.ndarray
    probability: np.ndarray
    mean_variance: float
    boundary_confidence: float


class Disc:
    """A segmenter that draws one disc, whatever it is shown."""

    weights_hash = "disc"

    def __init__(self, mask: np.ndarray, mean_variance: float = 0.02) -> None:
        self.mask, self.mean_variance = mask, mean_variance
        self.seeds: list[int] = []
        self.options: list[tuple[float, int, int]] = []

    def sharpen(
        self,
        image: np.ndarray,
        coarse: np.ndarray,
        *,
        noise_share: float = 0.5,
        members: int = 5,
        steps: int = 4,
        seed: int = 0,
    ) -> Sharp:
        assert image.shape[:2] == coarse.shape
        self.seeds.append(seed)
        self.options.append((noise_share, members, steps))
        return Sharp(self.mask, self.mask.astype(np.float32), self.mean_variance, 0.9)


@pytest.fixture
def lesion() -> np.ndarray:
    return disc(64, 80, 30, 44, 15)


@pytest.fixture
def image(lesion: np.ndarray) -> np.ndarray:
    return np.where(lesion[..., None], (90, 60, 50), (220, 180, 160)).astype(np.uint8)


@pytest.fixture
def predictor() -> DarkIsLesion:
    return DarkIsLesion()


@pytest.fixture
def segmenter(lesion: np.ndarray) -> Disc:
    return Disc(lesion)
