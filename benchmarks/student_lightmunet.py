"""LightM-UNet in two dimensions (arXiv 2403.05246), written from the paper's description: a peer for its speed.

Width 16, (1, 2, 2, 4) blocks on the way down, (1, 1, 1) on the way up: 1.34 million parameters, the student's number
in the distillation paper. Its selective scan (Mamba, arXiv 2312.00752) runs as a parallel scan in plain PyTorch, whose
work grows with the tokens and not faster.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

STATE, TAPS, EXPANSION, GROUPS = 16, 4, 2, 8


def parallel_scan(decays: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """h_t = a_t h_(t-1) + x_t over axis 1 of (B, L, D, N), from h = 0: neighbours are joined, then filled in again."""
    length = decays.shape[1]
    if length == 1:
        return inputs
    if length % 2:
        # Joined by itself with a step that changes nothing.
        head = parallel_scan(decays[:, :-1], inputs[:, :-1])
        return torch.cat([head, decays[:, -1:] * head[:, -1:] + inputs[:, -1:]], dim=1)
    even_decays, odd_decays = decays[:, ::2], decays[:, 1::2]
    even_inputs, odd_inputs = inputs[:, ::2], inputs[:, 1::2]
    odd = parallel_scan(odd_decays * even_decays, torch.addcmul(odd_inputs, odd_decays, even_inputs))
    before = functional.pad(odd[:, :-1], (0, 0, 0, 0, 1, 0))
    even = torch.addcmul(even_inputs, even_decays, before)
    return torch.stack([even, odd], dim=2).flatten(1, 2)


class SelectiveStateSpace(nn.Module):
    """Mamba's block on sequences (B, L, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner, self.rank = EXPANSION * channels, math.ceil(channels / 16)
        self.project_in = nn.Linear(channels, 2 * inner, bias=False)
        self.convolution = nn.Conv1d(inner, inner, TAPS, groups=inner, padding=TAPS - 1)
        self.select = nn.Linear(inner, self.rank + 2 * STATE, bias=False)
        self.step = nn.Linear(self.rank, inner)
        self.log_decay = nn.Parameter(torch.arange(1, STATE + 1).float().log().repeat(inner, 1))
        self.skip = nn.Parameter(torch.ones(inner))
        self.project_out = nn.Linear(inner, channels, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x, gate = self.project_in(tokens).chunk(2, dim=-1)
        x = functional.silu(self.convolution(x.transpose(1, 2))[..., : tokens.shape[1]].transpose(1, 2))
        step, input_gate, output_gate = self.select(x).split([self.rank, STATE, STATE], dim=-1)
        delta = functional.softplus(self.step(step))
        decays = torch.exp(delta.unsqueeze(-1) * -self.log_decay.exp())
        states = parallel_scan(decays, (delta * x).unsqueeze(-1) * input_gate.unsqueeze(2))
        y = (states @ output_gate.unsqueeze(-1)).squeeze(-1) + self.skip * x
        return self.project_out(y * functional.silu(gate))


class MambaLayer(nn.Module):
    """Maps (B, C, H, W) -> (B, C', H, W): norm, Mamba beside a scaled way straight on, norm, linear."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.mamba = SelectiveStateSpace(channels)
        self.scale = nn.Parameter(torch.ones(1))
        self.project = nn.Linear(channels, out_channels)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        tokens = self.norm(maps.flatten(2).transpose(1, 2))
        tokens = self.project(self.norm(self.mamba(tokens) + self.scale * tokens))
        return tokens.transpose(1, 2).unflatten(2, maps.shape[2:])


class ResidualMambaBlock(nn.Module):
    """Twice normalised, rectified and through a Mamba layer, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        parts = [[nn.GroupNorm(GROUPS, channels), nn.ReLU(), MambaLayer(channels, channels)] for _ in range(2)]
        self.layers = nn.Sequential(*parts[0], *parts[1])

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + self.layers(maps)


class DepthwiseResidual(nn.Module):
    """Depthwise-separable convolution beside a scaled way straight on."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.pointwise = nn.Conv2d(channels, channels, 1)
        self.scale = nn.Parameter(torch.ones(1))
        self.norm = nn.GroupNorm(GROUPS, channels)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.pointwise(self.depthwise(maps)) + self.scale * maps))


class LightMUNet(nn.Module):
    """Pictures (B, 3, H, W), sides multiples of 8 -> logits (B, classes, H, W)."""

    def __init__(self, classes: int = 2, width: int = 16, down: tuple[int, ...] = (1, 2, 2, 4)) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, groups=3), nn.Conv2d(3, width, 1))
        widths = [width * 2**level for level in range(len(down))]
        self.widen = nn.ModuleList(MambaLayer(before, after) for before, after in itertools.pairwise(widths))
        self.down = nn.ModuleList(
            nn.Sequential(*(ResidualMambaBlock(channels) for _ in range(count)))
            for channels, count in zip(widths, down, strict=True)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(wide, wide // 2, 1) for wide in reversed(widths[1:]))
        self.up = nn.ModuleList(DepthwiseResidual(channels) for channels in reversed(widths[:-1]))
        self.out = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.ReLU(), nn.Conv2d(width, classes, 1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        maps, left = self.stem(pictures), []
        for level, blocks in enumerate(self.down):
            if level:
                maps = functional.max_pool2d(self.widen[level - 1](maps), 2)
            maps = blocks(maps)
            left.append(maps)
        for narrow, block, skip in zip(self.narrow, self.up, reversed(left[:-1]), strict=True):
            maps = block(functional.interpolate(narrow(maps), scale_factor=2, mode="bilinear") + skip)
        return self.out(maps)
