"""A small segmenter and photographs with a lesion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.segmenter import LesionSegmenter


@pytest.fixture
def tiny_config() -> DermoSegDiffConfig:
    return DermoSegDiffConfig(
        mask_side=32,
        image_side=64,
        mask_patch=2,
        image_patch=4,
        mask_width=8,
        mask_multipliers=(1, 2),
        image_width=8,
        image_multipliers=(1, 2),
        attention_heads=1,
        attention_head_width=8,
        image_branch="time_free",
        prediction="sample",
    )


@pytest.fixture
def tiny_segmenter(tiny_config: DermoSegDiffConfig) -> LesionSegmenter:
    torch.manual_seed(3)
    return LesionSegmenter(DermoSegDiff(tiny_config), "random weights", "cpu")


@pytest.fixture
def photograph() -> np.ndarray:
    """(90, 120, 3) uint8: light skin with a dark disc."""
    rows, columns = np.mgrid[:90, :120]
    lesion = (rows - 45) ** 2 + (columns - 60) ** 2 < 25**2
    noise = np.random.default_rng(5).integers(0, 12, (90, 120, 3))
    return (np.where(lesion[..., None], (110, 70, 60), (225, 180, 160)) + noise).astype(np.uint8)
