"""Pictures that no model here was trained on: photographs, noise, shadows of a chest.

Photographs are those that scikit-image and scikit-learn bring along. None of them, and no chest, takes part in the
calibration, which knows only drawn patterns (`samantic.segsam.outlier_pictures`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage import data as photographs
from sklearn.datasets import load_sample_images

from samantic.datasets.phantoms.chest_radiograph import make_chest_radiograph

SMALLEST_CROP = 96
SIDE = 256

TEXTURES = ("brick", "grass", "gravel")
SCENES = ("astronaut", "camera", "chelsea", "coffee", "coins", "rocket", "text", "china", "flower")
OTHER_MEDICINE = ("retina", "immunohistochemistry")


@dataclass(frozen=True, eq=False)
class StrangePictures:
    """A kind of picture; `draw(count)` yields (what it was taken from, picture (rows, cols, 3) uint8)."""

    kind: str
    count: int
    draw: Callable[[int], Iterator[tuple[str, np.ndarray]]]
    has_bar: bool = True


def strange_pictures() -> list[StrangePictures]:
    """All kinds; the same pictures in every run."""
    return [
        *(StrangePictures(f"photograph of a texture: {name}", 60, _crops_of((name,))) for name in TEXTURES),
        StrangePictures("chest-like phantom", 60, _chests),
        *(
            StrangePictures(f"{kind} noise, {tone}", 60, _noise_of(kind, tone))
            for kind in NOISE
            for tone in ("greys", "colours")
        ),
        StrangePictures("photographs of scenes", 180, _crops_of(SCENES)),
        StrangePictures("other medicine: retina, histology", 60, _crops_of(OTHER_MEDICINE), has_bar=False),
    ]


def _crops_of(names: tuple[str, ...]) -> Callable[[int], Iterator[tuple[str, np.ndarray]]]:
    """Crops of photographs in turn, of any size from SMALLEST_CROP to the whole side, some of them mirrored."""

    def draw(count: int) -> Iterator[tuple[str, np.ndarray]]:
        random = _random_of("|".join(names))
        pictures = [_photograph(name) for name in names]
        for number in range(count):
            name, picture = names[number % len(names)], pictures[number % len(names)]
            rows, columns, _ = picture.shape
            side = int(np.exp(random.uniform(np.log(SMALLEST_CROP), np.log(min(rows, columns) + 1))))
            y, x = random.integers(rows - side + 1), random.integers(columns - side + 1)
            crop = picture[y : y + side, x : x + side]
            yield name, np.ascontiguousarray(crop[:, ::-1] if random.random() < 0.5 else crop)

    return draw


def _photograph(name: str) -> np.ndarray:
    if name in ("china", "flower"):
        bundled = load_sample_images()
        return np.asarray(bundled.images[[file.endswith(f"{name}.jpg") for file in bundled.filenames].index(True)])
    picture = np.asarray(getattr(photographs, name)())
    return picture[..., :3] if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def _chests(count: int) -> Iterator[tuple[str, np.ndarray]]:
    return ((f"chest {number}", make_chest_radiograph(number)) for number in range(count))


def _gaussian(random: np.random.Generator, channels: int) -> np.ndarray:
    return random.normal(random.uniform(60, 200), random.uniform(10, 80), (SIDE, SIDE, channels))


def _uniform(random: np.random.Generator, channels: int) -> np.ndarray:
    low, high = sorted(random.uniform(0, 255, 2))
    return random.uniform(low, max(high, low + 40), (SIDE, SIDE, channels))


def _speckle(random: np.random.Generator, channels: int) -> np.ndarray:
    """The echo of tissue without any structure: the envelope of many scatterers, and grains of some width."""
    grain = random.uniform(0, 2)
    waves = ndimage.gaussian_filter(random.standard_normal((2, SIDE, SIDE, channels)), (0, grain, grain, 0))
    envelope = np.hypot(*waves)
    return random.uniform(60, 160) * envelope / envelope.mean()


NOISE = {"Gaussian": _gaussian, "uniform": _uniform, "speckle": _speckle}


def _noise_of(kind: str, tone: str) -> Callable[[int], Iterator[tuple[str, np.ndarray]]]:
    def draw(count: int) -> Iterator[tuple[str, np.ndarray]]:
        random = _random_of(f"{kind}|{tone}")
        for number in range(count):
            noise = NOISE[kind](random, 1 if tone == "greys" else 3).clip(0, 255).astype(np.uint8)
            yield f"noise {number}", np.ascontiguousarray(np.broadcast_to(noise, (SIDE, SIDE, 3)))

    return draw


def _random_of(name: str) -> np.random.Generator:
    return np.random.default_rng((41, zlib.crc32(name.encode())))
