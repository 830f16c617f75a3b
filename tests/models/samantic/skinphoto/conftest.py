"""Small lesions, a segmenter that knows colours, and photographs that it understands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from samantic.datasets.labelled_view import LabelledView
from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.composites import LesionPatch, lesion_patches
from samantic.skinphoto.network import SkinPhotoConfig
from samantic.skinphoto.segmenter import SkinAnswer, seen_shape

COLOURS = {BACKGROUND: (40, 90, 200), SKIN: (225, 180, 150), LESION: (110, 50, 40)}


class ColourSegmenter:
    """In the place of the network: every pixel is the class whose colour is nearest."""

    weights_hash = "colours"

    def __init__(self) -> None:
        self.asked = 0

    def segment(self, photograph: np.ndarray) -> SkinAnswer:
        self.asked += 1
        size = seen_shape((photograph.shape[0], photograph.shape[1]), 192, 16)
        pixels = torch.from_numpy(photograph.transpose(2, 0, 1).copy())[None].float()
        small = torch.nn.functional.interpolate(pixels, size=size, mode="bilinear", antialias=True)[0]
        colours = torch.tensor([COLOURS[value] for value in sorted(COLOURS)]).float()
        distances = (small[None] - colours[:, :, None, None]).square().sum(dim=1)
        return SkinAnswer((-distances / 500).softmax(dim=0).numpy())


@pytest.fixture
def colour_segmenter() -> ColourSegmenter:
    return ColourSegmenter()


@pytest.fixture(scope="session")
def painted() -> Callable[[np.ndarray], np.ndarray]:
    """Paints a label map (rows, cols) as a photograph (rows, cols, 3) that the colour segmenter understands."""
    return lambda labels: np.array([COLOURS[value] for value in sorted(COLOURS)], np.uint8)[labels]


@pytest.fixture(scope="session")
def disc() -> Callable[..., np.ndarray]:
    """A label map: a disc of lesion in a broad field of skin, background at the left."""

    def make(shape: tuple[int, int] = (120, 160), radius: float = 0.2, skin_from: float = 0.25) -> np.ndarray:
        y, x = np.ogrid[: shape[0], : shape[1]]
        labels = np.where(x >= skin_from * shape[1], SKIN, BACKGROUND) + np.zeros(shape, np.uint8)
        labels[(y - shape[0] / 2) ** 2 + (x - 0.65 * shape[1]) ** 2 < (radius * min(shape)) ** 2] = LESION
        return labels.astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def lesions(lesion_views: Callable[..., list[LabelledView]]) -> list[LesionPatch]:
    return lesion_patches(lesion_views(8, shape=(96, 128)))


@pytest.fixture(scope="session")
def small_config() -> SkinPhotoConfig:
    """The smallest network of the kind."""
    return SkinPhotoConfig("mobilenet_v2", side=64, decoder_channels=16, atrous_rates=(1, 2, 3), norm="batch")
