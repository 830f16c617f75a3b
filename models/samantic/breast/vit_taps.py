"""SAM's vision transformers with what their middle blocks see, for a decoder that draws finer borders."""

from __future__ import annotations

import torch
from torch import nn

from samantic.sam.image_encoder import FeatureMaps
from samantic.sam.vit_encoder import VitEncoder

TAPS = 3
"""Blocks that are looked into, at even distances before the last."""


class VitTaps(nn.Module):
    """A ViT of the SAM family (Kirillov et al. 2023) that also returns `tap0`, `tap1`, ...: (B, width, h, w) each.

    The taps come from the earliest block to the latest, on the grid of the patches, as UNETR takes them (Hatamizadeh
    et al. 2022, arXiv 2103.10504).
    """

    def __init__(self, encoder: VitEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        depth = len(encoder.image_encoder.blocks)
        self._at = sorted({depth * (tap + 1) // (TAPS + 1) for tap in range(TAPS)})
        self.tap_channels = int(encoder.image_encoder.patch_embed.proj.out_channels)

    @property
    def tap_names(self) -> tuple[str, ...]:
        return tuple(f"tap{number}" for number in range(len(self._at)))

    def forward(self, images: torch.Tensor) -> FeatureMaps:
        taken: dict[int, torch.Tensor] = {}
        hooks = [
            self.encoder.image_encoder.blocks[place].register_forward_hook(
                lambda _module, _inputs, output, place=place: taken.update({place: output})
            )
            for place in self._at
        ]
        try:
            maps = dict(self.encoder(images))
        finally:
            for hook in hooks:
                hook.remove()
        # SAM's blocks keep the channels last.
        return maps | {
            name: taken[place].permute(0, 3, 1, 2) for name, place in zip(self.tap_names, self._at, strict=True)
        }
