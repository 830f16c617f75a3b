"""A small network whose prompt-free head has learned, in a second, what a bright and a gray ball are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from samantic.imaging import SliceView, Volume, to_uint8, window_for
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor
from samantic.segsam.training.fit import text_vectors
from samantic.segsam.training.prompt_free_loss import MapTargets, prompt_free_loss, shares_of

KNOWN = ("liver", "kidney_left", "skin_lesion", "hippocampus_anterior", "hippocampus_posterior")
BRIGHT, GRAY = "hippocampus_anterior", "liver"
SHAPE = (30, 24, 16)


def two_balls(affine: np.ndarray | None = None, shape: tuple[int, int, int] = SHAPE) -> tuple[Volume, np.ndarray]:
    """A volume of 2 mm with a bright ball (1) and a gray one (2) on dark ground, and the labels."""
    i, j, k = np.mgrid[: shape[0], : shape[1], : shape[2]]
    labels = np.zeros(shape, np.uint8)
    labels[(i - 9) ** 2 + (j - 9) ** 2 + (k - 8) ** 2 < 30] = 1
    labels[(i - 21) ** 2 + (j - 15) ** 2 + (k - 8) ** 2 < 30] = 2
    array = np.choose(labels, (0, 250, 130)) + np.random.default_rng(3).integers(0, 12, shape)
    return Volume(array.astype(np.int16), np.diag([-2.0, -2, 2, 1]) if affine is None else affine, "MR"), labels


@pytest.fixture(scope="session")
def balls() -> Callable[..., tuple[Volume, np.ndarray]]:
    return two_balls


@pytest.fixture(scope="session")
def headed(small_encoder: str, one_thread: None) -> SegSamPredictor:  # noqa: ARG001  they must come first
    torch.manual_seed(1)
    config = SegSamConfig(KNOWN, encoder=small_encoder, transformer_mlp_dim=64, prompt_free_width=16)
    network = SegSam(config, text_vectors(config.class_names))
    _teach(network)
    return SegSamPredictor(network, "hash of the headed weights", device="cpu")


@pytest.fixture(scope="session")
def headless(small_encoder: str, one_thread: None) -> SegSamPredictor:  # noqa: ARG001
    torch.manual_seed(2)
    config = SegSamConfig(KNOWN, encoder=small_encoder, transformer_mlp_dim=64)
    return SegSamPredictor(SegSam(config, text_vectors(KNOWN)), "hash of the headless weights", device="cpu")


def _teach(network: SegSam) -> None:
    volume, labels = two_balls()
    window = window_for(volume)
    channels = torch.tensor([0, 1 + KNOWN.index(BRIGHT), 1 + KNOWN.index(GRAY)])
    features, shares = [], []
    with torch.no_grad():
        for axis in range(3):
            for index in range(0, volume.shape_ijk[axis], 3):
                view = SliceView.of(volume, axis, index)
                transform = network.input_transform(view.shape, view.spacing_yx_mm)
                features.append(network.encode(transform.image(to_uint8(view.extract(volume.array), window))))
                picture = view.extract(labels)
                on_input = [transform.grid_logits((picture == value).astype(float), 64, 0.0) for value in (1, 2)]
                values = (on_input[0][0] > 0.5).long() + 2 * (on_input[1][0] > 0.5).long()
                shares.append(shares_of(values, channels, len(KNOWN) + 1, 16))
    maps = {name: torch.cat([one[name] for one in features]) for name in features[0]}
    targets = MapTargets(torch.stack(shares), torch.ones(len(shares), len(KNOWN), dtype=torch.bool))
    head = network.prompt_free_head
    optimiser = torch.optim.Adam(head.parameters(), 0.01)
    for _ in range(50):
        optimiser.zero_grad()
        prompt_free_loss(head(maps), targets).backward()
        optimiser.step()
