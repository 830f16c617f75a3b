"""The identity of an image encoder: two models with one encoder can share what it says of a picture."""

from __future__ import annotations

import hashlib

import torch
from torch import nn


def encoder_hash(encoder: nn.Module, image_size: int) -> str:
    """sha256 of everything that decides what an encoder answers: its tensors and the side of its input (ours).

    Decoders and heads do not count, so that embeddings outlive a training round with a frozen encoder.
    """
    digest = hashlib.sha256(f"{image_size} ".encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        values = tensor.detach().cpu().contiguous()
        digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
