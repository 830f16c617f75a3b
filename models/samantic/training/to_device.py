"""Batches of any make on their way to the device."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch


def to_device(value: Any, device: torch.device) -> Any:
    """The same value with every tensor on `device`, within dataclasses, tuples, lists and dicts; arrays stay.

    Pictures (B, C, H, W) of floats come in channels-last order, like the network's weights.
    """
    if isinstance(value, torch.Tensor):
        if value.ndim == 4 and value.is_floating_point():
            return value.to(device, memory_format=torch.channels_last)
        return value.to(device)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if field.init)
        return dataclasses.replace(value, **{name: to_device(getattr(value, name), device) for name in fields})
    if isinstance(value, dict):
        return {name: to_device(item, device) for name, item in value.items()}
    if isinstance(value, list):
        return [to_device(item, device) for item in value]
    if isinstance(value, tuple):
        items = [to_device(item, device) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value
