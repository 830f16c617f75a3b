"""Networks on disk: one safetensors file, with what the network is made of and has learned from in its header."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from samantic.imaging import atomic_path


def write_weights(
    network: nn.Module,
    path: Path,
    header: Mapping[str, str],
    dtype: torch.dtype = torch.float16,
    beside: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Write a network's numbers as `dtype`, its counters and the tensors `beside` them as they are, atomically.

    ValueError, and nothing is written, where a number is none or too large for `dtype`: nobody could read it again.
    """
    tensors = {
        name: tensor.detach().cpu().to(dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in network.state_dict().items()
    }
    broken = _not_finite(tensors)
    if broken is not None:
        raise ValueError(f"{path.name} is not written: '{broken}' holds numbers that are not finite in {dtype}.")
    with atomic_path(path) as temporary:
        save_file(tensors | dict(beside or {}), temporary, metadata=dict(header))


def read_weights(
    path: Path, format_name: str, what: str, error: type[ValueError]
) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Return header and tensors as they are stored; `error` says that the file is damaged, or no `what`."""
    try:
        with safe_open(path, framework="pt") as stored:
            header = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError) as problem:
        raise error(f"{path.name} cannot be read as a safetensors file: {problem}") from problem
    if header.get("format") != format_name:
        raise error(f"{path.name} is no {what}: its format is {header.get('format')!r}, not {format_name}.")
    return header, tensors


def unfit_tensors(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> list[str]:
    """The names that only one of two state dicts has, or both with different shapes, in order."""
    return sorted(
        name
        for name in found.keys() | wanted.keys()
        if name not in found or name not in wanted or found[name].shape != wanted[name].shape
    )


def fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], file_name: str, error: type[ValueError]) -> None:
    """Put weights into a network and set it to evaluate; `error` says why they cannot be its weights."""
    expected = network.state_dict()
    unfit = unfit_tensors(tensors, expected)
    if unfit:
        raise error(
            f"{file_name} does not fit its own configuration: {len(unfit)} of {len(expected)} tensors are missing, "
            f"unknown or of another shape, the first is '{unfit[0]}'."
        )
    # A weight that is no number would answer every picture with an empty mask, which looks like an image of nothing.
    broken = _not_finite(tensors)
    if broken is not None:
        raise error(f"{file_name} is damaged: '{broken}' holds numbers that are not finite.")
    network.load_state_dict(dict(tensors))
    network.eval()


def _not_finite(tensors: Mapping[str, torch.Tensor]) -> str | None:
    return next((name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()), None)
