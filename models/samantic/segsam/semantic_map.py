"""What the prompt-free head says of a whole picture, restricted to the classes that somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, eq=False)
class SemanticMap:
    """`probabilities` (C + 1, rows, cols) float32 of the background and of `class_names`; they sum to 1 in a pixel."""

    probabilities: np.ndarray
    class_names: tuple[str, ...]

    @property
    def labels(self) -> np.ndarray:
        """(rows, cols) uint8: 0 background, n the n-th class."""
        return self.probabilities.argmax(axis=0).astype(np.uint8)

    @property
    def confidence(self) -> np.ndarray:
        """(rows, cols) float32: the probability of the label."""
        return self.probabilities.max(axis=0)

    @property
    def uncertainty(self) -> np.ndarray:
        """(rows, cols) float32 in 0 to 1: the entropy over that of a uniform guess."""
        return entropy(self.probabilities)


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy over the first axis (C + 1, ...) as a share of a uniform guess's: 0 is sure, 1 knows nothing."""
    known = np.clip(probabilities, 1e-7, 1.0)
    return (-(known * np.log(known)).sum(axis=0) / np.log(len(probabilities))).astype(np.float32)


def only_classes(logits: torch.Tensor, asked: Sequence[int]) -> torch.Tensor:
    """Logits (B, K + 1, h, w) -> (B, C + 1, h, w): whatever is not asked for counts as background (ours)."""
    channels = [index + 1 for index in asked]
    rest = [channel for channel in range(logits.shape[1]) if channel not in set(channels)]
    return torch.cat([logits[:, rest].logsumexp(dim=1, keepdim=True), logits[:, channels]], dim=1)
