"""The network that guesses the clean picture and its mask from a noisy one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import UNet2DModel
from torch import nn

from samantic.besadiff.generator.condition_input import PLANES, VECTOR_LENGTH
from samantic.besadiff.generator.config import GeneratorConfig
from samantic.besadiff.generator.noise import signal_and_noise
from samantic.besadiff.generator.patch_basis import PatchBasis

GROUPS = 16
HEAD_WIDTH = 32


@dataclass(frozen=True)
class NoiseFactors:
    """Factors of signal and of noise (B, 1, 1, 1), and the deviation of each noisy component (B, K, 1, 1)."""

    signal: torch.Tensor
    noise: torch.Tensor
    spread: torch.Tensor


class GeneratorNetwork(nn.Module):
    """A U-Net of the library diffusers on the components of a `PatchBasis`.

    Every component has its own scale, and with it its own preconditioning (arXiv 2206.00364, there with one scale for
    all): what the network is asked for has variance 1 at every step and in every component.
    """

    signal: torch.Tensor
    noise: torch.Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.basis = PatchBasis(config.patch, config.kept)
        signal, noise = signal_and_noise(config.noise_shift)
        self.register_buffer("signal", signal, persistent=False)
        self.register_buffer("noise", noise, persistent=False)
        levels = len(config.widths)
        plain, last = levels - 1, 1
        self.unet = UNet2DModel(
            sample_size=config.image_size // config.patch,
            in_channels=config.kept + PLANES,
            out_channels=config.kept,
            layers_per_block=config.blocks,
            block_out_channels=config.widths,
            down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",) * last,
            up_block_types=("AttnUpBlock2D",) * last + ("UpBlock2D",) * plain,
            attention_head_dim=HEAD_WIDTH,
            norm_num_groups=GROUPS,
            class_embed_type="identity",
        )
        embedded = config.widths[0] * 4
        self.condition = nn.Sequential(nn.Linear(VECTOR_LENGTH, embedded), nn.SiLU(), nn.Linear(embedded, embedded))

    def factors(self, steps: torch.Tensor) -> NoiseFactors:
        """The factors at steps (B,) of the schedule."""
        signal, noise = (table[steps][:, None, None, None] for table in (self.signal, self.noise))
        scale = self.basis.deviations[:, None, None]
        return NoiseFactors(signal, noise, torch.sqrt(noise**2 + (signal * scale) ** 2))

    def answer(
        self, noisy: torch.Tensor, steps: torch.Tensor, vectors: torch.Tensor, planes: torch.Tensor
    ) -> torch.Tensor:
        """What the network says (B, K, s, s) to noisy components, without the scales: about variance 1."""
        seen = torch.cat([noisy / self.factors(steps).spread, planes], dim=1)
        return self.unet(seen, steps, class_labels=self.condition(vectors)).sample.float()

    def forward(
        self, noisy: torch.Tensor, steps: torch.Tensor, vectors: torch.Tensor, planes: torch.Tensor
    ) -> torch.Tensor:
        """Return the clean components (B, K, s, s) as the network guesses them.

        `noisy` (B, K, s, s) at `steps` (B,), `vectors` and `planes` of the conditions.
        """
        factors = self.factors(steps)
        scale = self.basis.deviations[:, None, None]
        kept = noisy * factors.signal * (scale / factors.spread) ** 2
        return kept + self.answer(noisy, steps, vectors, planes) * scale * factors.noise / factors.spread

    def asked(self, clean: torch.Tensor, noise: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """What `answer` should say to `clean` (B, K, s, s) with `noise` at `steps`."""
        factors = self.factors(steps)
        scale = self.basis.deviations[:, None, None]
        return (clean * factors.noise / scale - noise * factors.signal * scale) / factors.spread
