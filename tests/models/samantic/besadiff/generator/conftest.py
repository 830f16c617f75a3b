"""A generator so small that a test can draw with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from samantic.besadiff.generator import ConditionDistribution, LesionGenerator
from samantic.besadiff.generator.config import GeneratorConfig
from samantic.besadiff.generator.network import GeneratorNetwork

SmoothPlanes = Callable[[int, int, int], np.ndarray]
TINY = GeneratorConfig(image_size=32, patch=4, kept=16, widths=(16, 32))


@pytest.fixture
def smooth_planes() -> SmoothPlanes:
    """Planes (count, 4, side, side) uint8 of a seed that change slowly, like skin."""

    def planes(count: int, side: int, seed: int) -> np.ndarray:
        coarse = torch.rand((count, 4, 4, 4), generator=torch.Generator().manual_seed(seed)) * 255
        return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 255).byte().numpy()

    return planes


@pytest.fixture
def network(smooth_planes: SmoothPlanes) -> GeneratorNetwork:
    """Untrained, but for the last layer not zero, so that it answers to what it is given."""
    torch.manual_seed(3)
    network = GeneratorNetwork(TINY)
    network.basis.learn(smooth_planes(20, TINY.image_size, 0))
    torch.nn.init.normal_(network.unet.conv_out.weight, std=0.1)
    return network


@pytest.fixture
def conditions() -> ConditionDistribution:
    return ConditionDistribution({"melanoma": ((0.3, 0.5, 0.5),), "nevus": ((0.1, 0.4, 0.6), (0.2, 0.5, 0.5))})


@pytest.fixture
def generator(network: GeneratorNetwork, conditions: ConditionDistribution) -> LesionGenerator:
    return LesionGenerator(network, conditions)
