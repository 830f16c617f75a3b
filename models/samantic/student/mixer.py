"""A Mamba mixer on a grid: every place hears from all others, along rows and columns."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from samantic.student.directions import DIRECTIONS, rolled_up, unrolled, unrolled_apart
from samantic.student.scan import selective_scan

SMALLEST_STEP, LARGEST_STEP = 1e-3, 1e-1
"""Between which the step sizes begin (Mamba)."""

FIRST_SHARE = 0.1
"""Of the mixer in its sum with what goes past it, at first; it learns its own, channel by channel (ours)."""


class MambaMixer(nn.Module):
    """Maps (B, C, H, W) -> the same shape, to be added to them.

    Mamba-2's block (arXiv 2405.21060) with a depthwise 3x3 convolution over the grid in place of the causal one, and
    four scans that share all but the step sizes. ValueError where heads do not divide the channels. Source: ours.
    """

    def __init__(self, channels: int, *, expansion: int, head_width: int, state: int) -> None:
        super().__init__()
        inner = expansion * channels
        if inner % head_width:
            raise ValueError(
                f"head_width must divide {expansion} times {channels} channels; {head_width} does not divide {inner}."
            )
        self.heads, self.head_width, self.inner, self.state = inner // head_width, head_width, inner, state
        steps, mixed = DIRECTIONS * self.heads, inner + 2 * state
        self.norm = nn.InstanceNorm2d(channels, affine=True)
        self.project_in = nn.Conv2d(channels, inner + mixed + steps, 1, bias=False)
        self.neighbours = nn.Conv2d(mixed, mixed, 3, padding=1, groups=mixed)
        self.step_bias = nn.Parameter(_first_step_bias(steps))
        self.log_decay = nn.Parameter(torch.linspace(1, 8, self.heads).log())
        self.skip = nn.Parameter(torch.ones(self.heads))
        self.gate_norm = nn.Parameter(torch.ones(inner))
        self.project_out = nn.Conv2d(inner, channels, 1, bias=False)
        self.share = nn.Parameter(torch.full((channels,), FIRST_SHARE))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        projected = self.project_in(self.norm(maps))
        gate, mixed, steps = projected.split([self.inner, self.inner + 2 * self.state, len(self.step_bias)], dim=1)
        mixed = functional.silu(self.neighbours(mixed))
        y = self._scanned(mixed, steps)
        y = y + mixed[:, : self.inner] * self.skip.repeat_interleave(self.head_width).view(-1, 1, 1)
        return self.project_out(self._gated(y, gate)) * self.share.view(-1, 1, 1)

    def _scanned(self, mixed: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        # Every direction is a sequence of its own: one scan for all. In full precision, because a rounded sum of
        # logarithms is a rounded memory.
        with torch.autocast(mixed.device.type, enabled=False):
            delta = functional.softplus(steps.float() + self.step_bias.float().view(-1, 1, 1))
            sequences = unrolled(mixed.float()).flatten(0, 1)
            x, input_gate, output_gate = sequences.split([self.inner, self.state, self.state], dim=-1)
            y = selective_scan(
                x.unflatten(-1, (self.heads, self.head_width)),
                unrolled_apart(delta).flatten(0, 1),
                -self.log_decay.float().exp(),
                input_gate,
                output_gate,
            )
            found = rolled_up(y.flatten(2).unflatten(0, (DIRECTIONS, -1)), *mixed.shape[2:])
        return found.to(mixed.dtype)

    def _gated(self, y: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        y = y * functional.silu(gate)
        size = y.float().square().mean(dim=1, keepdim=True).add(1e-5).rsqrt()
        return y * size.to(y.dtype) * self.gate_norm.view(-1, 1, 1)


def _first_step_bias(count: int) -> torch.Tensor:
    """The inverse of softplus of step sizes spread evenly on a logarithmic scale."""
    steps = torch.linspace(math.log(SMALLEST_STEP), math.log(LARGEST_STEP), count).exp()
    return steps + torch.log(-torch.expm1(-steps))
