from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samantic.imaging import Volume
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor


@pytest.fixture
def predictor_with_head(config: SegSamConfig) -> SegSamPredictor:
    torch.manual_seed(0)
    return SegSamPredictor(SegSam(replace(config, prompt_free_width=8)), "hash of the weights", device="cpu")


@pytest.fixture
def volume() -> Volume:
    """An ellipsoid in noise, (30, 40, 20) voxels of 1 x 1 x 2 mm."""
    i, j, k = np.ogrid[:30, :40, :20]
    inside = ((i - 15) / 8) ** 2 + ((j - 20) / 10) ** 2 + ((k - 10) / 7) ** 2 < 1
    noise = np.random.default_rng(1).normal(0, 5, inside.shape)
    return Volume((100 * inside + noise).astype(np.int16), np.diag([-1.0, -1.0, 2.0, 1.0]), "MR")
