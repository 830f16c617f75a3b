"""A small SEG-SAM network with all parts, which answers in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
import torch

from samantic.sam.registry import ENCODERS
from samantic.sam.tiny_encoder import TinyEncoder
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor, ViewPrompts
from samantic.segsam.prompt_batch import PADDING, PromptBatch
from samantic.segsam.training.fit import text_vectors

SIZE = 64
"""Side of the small network's input; its masks have half of that."""

CLASS_NAMES = ("liver", "kidney_left", "skin_lesion", "breast_lesion", "hippocampus_anterior")


@pytest.fixture(scope="session", autouse=True)
def small_encoder() -> Iterator[str]:
    """An encoder like `tiny`, sixteen times smaller, under the name "small"."""
    build = partial(TinyEncoder, image_size=SIZE, embedding_dim=64, widths=(8, 16, 32, 64), depths=(1, 1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, "small", build)
        yield "small"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors as small as these are faster on one thread, above all beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def config() -> SegSamConfig:
    return SegSamConfig(CLASS_NAMES, encoder="small", transformer_mlp_dim=64)


@pytest.fixture
def network(config: SegSamConfig) -> SegSam:
    torch.manual_seed(0)
    return SegSam(config, text_vectors(config.class_names)).eval()


@pytest.fixture
def predictor(network: SegSam) -> SegSamPredictor:
    return SegSamPredictor(network, "hash of the weights", device="cpu")


@pytest.fixture
def picture() -> np.ndarray:
    """Noise, 40 rows and 60 columns."""
    return np.random.default_rng(0).integers(0, 256, size=(40, 60, 3), dtype=np.uint8)


@pytest.fixture
def clicked() -> Callable[..., ViewPrompts]:
    """Foreground clicks and, where given, a box."""

    def prompts(*points_xy: tuple[float, float], box: tuple[float, float, float, float] | None = None) -> ViewPrompts:
        return ViewPrompts(np.array(points_xy, dtype=float).reshape(-1, 2), np.ones(len(points_xy), dtype=int), box)

    return prompts


@pytest.fixture
def batch_of() -> Callable[..., PromptBatch]:
    """Rows of (x, y, label) tokens, all on image 0 unless told, without a mask, padded to the longest row."""

    def build(
        rows: list[list[tuple[float, float, int]]], images: list[int] | None = None, grid: int = SIZE // 2
    ) -> PromptBatch:
        longest = max(len(row) for row in rows)
        points = torch.zeros(len(rows), longest, 2)
        labels = torch.full((len(rows), longest), PADDING)
        for row, tokens in enumerate(rows):
            for column, (x, y, label) in enumerate(tokens):
                points[row, column] = torch.tensor([x, y])
                labels[row, column] = label
        return PromptBatch(
            points,
            labels,
            torch.zeros(len(rows), 1, grid, grid),
            torch.zeros(len(rows), dtype=torch.bool),
            torch.tensor(images or [0] * len(rows)),
        )

    return build
