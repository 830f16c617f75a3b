"""The image encoders by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from samantic.sam.tiny_encoder import TinyEncoder
from samantic.sam.vit_encoder import MedSamEncoder, build_vit

ENCODERS: dict[str, Callable[..., nn.Module]] = {
    "tiny": TinyEncoder,
    "vit_b": partial(build_vit, "vit_b"),
    "vit_l": partial(build_vit, "vit_l"),
    "vit_h": partial(build_vit, "vit_h"),
    "medsam_vit_b": partial(build_vit, "vit_b", build=MedSamEncoder),
}


def build_encoder(name: str, image_size: int | None = None) -> nn.Module:
    """Build an image encoder with random weights, for inputs of its own size or of `image_size` pixels a side.

    Raises ValueError for a name that is not registered, listing those that are, and for a size it cannot take.
    """
    if name not in ENCODERS:
        raise ValueError(f"'{name}' is not an image encoder; choose one of {', '.join(ENCODERS)}.")
    return ENCODERS[name]() if image_size is None else ENCODERS[name](image_size=image_size)
