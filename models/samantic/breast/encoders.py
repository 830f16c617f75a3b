"""Any image encoder of the SAM family as a pyramid of maps, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import nn

from samantic.breast.folded_encoder import FoldedEncoder
from samantic.breast.vit_taps import VitTaps
from samantic.sam.image_encoder import ImageEncoder
from samantic.sam.registry import ENCODERS, build_encoder
from samantic.sam.vit_encoder import VitEncoder

FOLDED = "folded"
DECODED_WIDTHS = (128, 64, 32, 16)
"""Of the decoder's levels over an encoder that has no fine maps of its own (method's figure)."""


@dataclass(frozen=True)
class PyramidLevel:
    """A map that the decoder reads: its name, its channels, and how many pixels of the input a cell is wide there.

    Taps of a ViT all lie on one grid; the decoder enlarges them to the stride of their level.
    """

    name: str
    channels: int
    stride: int
    width: int


@dataclass(frozen=True, eq=False)
class PyramidEncoder:
    """`module` gives feature maps by name; `base` is the encoder itself, with what it promises of its input.

    `levels` run from coarse to fine, each half the stride of the one before; `width` is that of the decoder there.
    """

    module: nn.Module
    base: ImageEncoder
    levels: tuple[PyramidLevel, ...]


def build_pyramid(name: str, image_size: int | None = None) -> PyramidEncoder:
    """Build an encoder with random weights. ValueError for an unknown name, or a size that it cannot take."""
    if name == FOLDED:
        folded = FoldedEncoder() if image_size is None else FoldedEncoder(image_size)
        strides = [(stage, width, int(stage.removeprefix("stride"))) for stage, width in folded.stage_channels.items()]
        return PyramidEncoder(
            folded, folded, tuple(PyramidLevel(stage, width, stride, width) for stage, width, stride in strides[::-1])
        )
    if name not in ENCODERS:
        raise ValueError(f"'{name}' is no encoder of breast ultrasound; choose one of {FOLDED}, {', '.join(ENCODERS)}.")
    encoder = build_encoder(name, image_size)
    if isinstance(encoder, VitEncoder):
        return _vit(encoder)
    # Every encoder of the registry promises it.
    base = cast(ImageEncoder, encoder)
    stride = base.image_size // base.embedding_size
    levels = [PyramidLevel("image_embedding", base.embedding_dim, stride, base.embedding_dim)]
    fine = sorted(base.skip_channels.items(), key=lambda item: -int(item[0].removeprefix("skip_stride")))
    for skip, channels in fine:
        levels.append(PyramidLevel(skip, channels, int(skip.removeprefix("skip_stride")), max(channels, 16)))
    return PyramidEncoder(encoder, base, tuple(levels))


def _vit(encoder: VitEncoder) -> PyramidEncoder:
    taps = VitTaps(encoder)
    stride = encoder.image_size // encoder.embedding_size
    levels = [PyramidLevel("image_embedding", encoder.embedding_dim, stride, encoder.embedding_dim)]
    # The latest tap lies next to the embedding, the earliest where the picture is finest.
    for name, width in zip(taps.tap_names[::-1], DECODED_WIDTHS, strict=False):
        stride //= 2
        levels.append(PyramidLevel(name, taps.tap_channels, stride, width))
    return PyramidEncoder(taps, encoder, tuple(levels))
