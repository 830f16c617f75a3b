"""The form in which embeddings are kept: half precision on the CPU, single precision when handed out."""

from __future__ import annotations

from collections.abc import Mapping

import torch

Tensors = dict[str, torch.Tensor]


def packed(tensors: object) -> Tensors:
    """Contiguous CPU tensors, floating point ones in half precision unless that would overflow.

    Raises TypeError where this is not a mapping from names to tensors.
    """
    if not isinstance(tensors, Mapping) or not tensors:
        raise TypeError(f"an embedding must be a mapping from names to tensors, got {type(tensors).__name__}")
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor) or tensor.is_complex():
            raise TypeError(f"an embedding must map names to tensors, got {name!r}: {type(tensor).__name__}")
    return {name: _packed(tensor.detach()) for name, tensor in tensors.items()}


def unpacked(tensors: Tensors) -> Tensors:
    """Fresh tensors, floating point ones in single precision; changing them does not change what is kept."""
    return {
        name: tensor.to(torch.float32, copy=True) if tensor.is_floating_point() else tensor.clone()
        for name, tensor in tensors.items()
    }


def bytes_of(tensors: Tensors) -> int:
    """Bytes that the tensors occupy."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def _packed(tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return tensor.cpu().clone(memory_format=torch.contiguous_format)
    single = tensor.to("cpu", torch.float32)
    half = single.to(torch.float16)
    fits = torch.equal(torch.isfinite(half), torch.isfinite(single))
    return (half if fits else single.clone()).contiguous()
