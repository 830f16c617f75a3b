from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from samantic.training.to_device import to_device


class _Pair(NamedTuple):
    left: torch.Tensor
    right: str


@dataclass(frozen=True)
class _Inner:
    index: torch.Tensor
    missing: torch.Tensor | None = None


@dataclass(frozen=True)
class _Batch:
    images: torch.Tensor
    objects: np.ndarray
    inner: _Inner
    several: tuple[torch.Tensor, ...]
    named: dict[str, list[torch.Tensor]]
    pair: _Pair


def test_every_tensor_moves_however_deep_and_the_rest_stays():
    objects = np.zeros(2)
    batch = _Batch(
        torch.zeros(2, 3, 4, 4),
        objects,
        _Inner(torch.zeros(2, dtype=torch.long)),
        (torch.zeros(1),),
        {"a": [torch.zeros(1)]},
        _Pair(torch.zeros(1), "word"),
    )
    moved = to_device(batch, torch.device("meta"))
    tensors = (moved.images, moved.inner.index, moved.several[0], moved.named["a"][0], moved.pair.left)
    assert all(tensor.device.type == "meta" for tensor in tensors)
    assert moved.objects is objects and moved.inner.missing is None and moved.pair.right == "word"
    assert batch.images.device.type == "cpu"


def test_pictures_come_in_channels_last_order():
    moved = to_device(torch.rand(2, 3, 4, 5), torch.device("cpu"))
    assert moved.is_contiguous(memory_format=torch.channels_last)
