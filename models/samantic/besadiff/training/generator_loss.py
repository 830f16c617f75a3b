"""What the generator's network is punished for."""

from __future__ import annotations

import torch

from samantic.besadiff.generator.network import GeneratorNetwork

SHARED = 64.0
"""Power by which the neighbours of a component tell it through noise; ours, by eye."""


def generator_loss(
    network: GeneratorNetwork, clean: torch.Tensor, vectors: torch.Tensor, planes: torch.Tensor
) -> torch.Tensor:
    """Weighted squared error of what the network says about `clean` (B, K, s, s) under noise of random strength.

    A component counts as much as it is strong, since the eye sees slow changes first, and at a step by the share of it
    that can be known through that much noise: what nobody can know would only shake the weights. Source: ours.
    """
    # One step from each of B equal parts of the schedule: less chance in the loss than B free draws.
    strata = (torch.randperm(len(clean)) + torch.rand(len(clean))) / len(clean)
    steps = (strata * len(network.signal)).long().to(clean.device)
    noise = torch.randn(clean.shape).to(clean)
    factors = network.factors(steps)
    noisy = factors.signal * clean + factors.noise * noise
    error = network.answer(noisy, steps, vectors, planes) - network.asked(clean, noise, steps)
    scale = network.basis.deviations[:, None, None]
    strength = SHARED * (factors.signal * scale / factors.noise) ** 2
    knowable = (strength / (1 + strength)).clamp_min(0.02)
    return (error.square() * knowable * (scale / scale.mean())).mean()
