"""Breasts drawn by a program: spots in grey speckle, dark round ones benign and black star-shaped ones malignant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.breast import BreastConfig, BreastNetwork, save_breast
from samantic.breast.training.examples import BreastExample, named_possible
from samantic.breast.training.fit import fit_breast
from samantic.segsam import TrainingManifest
from samantic.training import FitOptions

KINDS = ("normal", "benign", "malignant")
TINY = BreastConfig(image_size=64, hidden=32, dropout=0.0)


@pytest.fixture(scope="session")
def breasts() -> Callable[..., list[BreastExample]]:
    """As many pictures (60, 80), of the three kinds in turn."""

    def make(count: int, seed: int = 0) -> list[BreastExample]:
        random, found = np.random.default_rng(seed), []
        y, x = np.mgrid[:60, :80]
        for number in range(count):
            kind = KINDS[number % 3]
            row, column = random.uniform(24, 36), random.uniform(28, 52)
            angle = np.arctan2(y - row, x - column)
            radius = random.uniform(10, 14) * (1 + (0.45 * np.cos(6 * angle) if kind == "malignant" else 0))
            mask = (np.hypot(y - row, x - column) < radius) & (kind != "normal")
            grey = np.where(mask, 90 if kind == "benign" else 10, 150) * random.uniform(0.8, 1.2, (60, 80))
            # Something black and something white is in every picture, as gel and skin are.
            grey[:3], grey[3:5] = 0, 255
            image = np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
            found.append(BreastExample(f"{kind}_{number}", image, mask, named_possible(kind)))
        return found

    return make


@pytest.fixture(scope="session")
def write_breast() -> Callable[..., Path]:
    """Writes a tiny network with random weights, others for every seed, and its manifest."""

    def write(path: Path, seed: int = 0, learned: tuple[str, ...] = ()) -> Path:
        torch.manual_seed(seed)
        save_breast(BreastNetwork(TINY), path, manifest=TrainingManifest.of({"busi": learned}))
        return path

    return write


@pytest.fixture(scope="session")
def a_trained_breast(tmp_path_factory: pytest.TempPathFactory, breasts: Callable[..., list[BreastExample]]) -> Path:
    """A tiny network after a hundred steps: it finds dark spots, and knows the kinds."""
    run = tmp_path_factory.mktemp("breast")
    options = FitOptions(steps=100, batch_size=12, learning_rate=4e-3, average_decay=0.9)
    fit_breast(TINY, breasts(24, seed=9), options, run, shown=breasts(3))
    return run / "breast.safetensors"
