"""Attention between the places of a feature map, exact and linear in their number (DermoSegDiff, fig. 2)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class SelfAttention(nn.Module):
    """Every place looks at every other: normalised maps (B, C, h, w) -> what was seen (B, C, h, w)."""

    def __init__(self, channels: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(1, channels)
        self.to_qkv = nn.Conv2d(channels, 3 * heads * head_width, 1, bias=False)
        self.to_out = nn.Conv2d(heads * head_width, channels, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return what was seen; the caller adds it."""
        query, key, value = _heads(self.to_qkv(self.norm(maps)), self.heads)
        seen = functional.scaled_dot_product_attention(
            query.transpose(-1, -2), key.transpose(-1, -2), value.transpose(-1, -2)
        ).transpose(-1, -2)
        return self.to_out(seen.reshape(len(maps), -1, *maps.shape[-2:]))


class LinearAttention(nn.Module):
    """The same at a price linear in h x w (Shen et al. 2021, arXiv 1812.01243); C channels in, D out."""

    def __init__(self, channels: int, heads: int, head_width: int, channels_out: int | None = None) -> None:
        super().__init__()
        self.heads, self.scale = heads, head_width**-0.5
        self.norm = nn.GroupNorm(1, channels)
        self.to_qkv = nn.Conv2d(channels, 3 * heads * head_width, 1, bias=False)
        self.to_out = nn.Sequential(
            nn.Conv2d(heads * head_width, channels_out or channels, 1), nn.GroupNorm(1, channels_out or channels)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return what was seen; the caller adds it."""
        query, key, value = _heads(self.to_qkv(self.norm(maps)), self.heads)
        query, key = query.softmax(dim=-2) * self.scale, key.softmax(dim=-1)
        context = key @ value.transpose(-1, -2)
        seen = context.transpose(-1, -2) @ query
        return self.to_out(seen.reshape(len(maps), -1, *maps.shape[-2:]))


def _heads(qkv: torch.Tensor, heads: int) -> tuple[torch.Tensor, ...]:
    """(B, 3 H D, h, w) -> query, key, value (B, H, D, h w)."""
    return tuple(part.reshape(len(qkv), heads, -1, qkv.shape[-2] * qkv.shape[-1]) for part in qkv.chunk(3, dim=1))
