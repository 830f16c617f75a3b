"""Noise -> masks in few steps: the image branch once an image, all members in one batch."""

from __future__ import annotations

import torch

from samantic.besadiff.dermosegdiff import DermoSegDiff, ImageFeatures
from samantic.besadiff.noise_schedule import STEPS, ancestral_schedule, few_step_schedule


@torch.no_grad()
def sample_masks(
    network: DermoSegDiff,
    features: ImageFeatures,
    noise: torch.Tensor,
    steps: int,
    noise_share: float = 1.0,
    coarse: torch.Tensor | None = None,
) -> torch.Tensor:
    """Features for M members and noise (M, 1, S, S) -> M masks (M, 1, S, S) in -1 to 1, by `steps` steps of DDIM.

    With `coarse` masks (M, 1, S, S) in -1 to 1, they are noised as after `noise_share` of the steps and denoised from
    there: the late steps decide about the border, the early ones, left out then, about where the lesion is (ours,
    after SDEdit, Meng et al. 2022).
    """
    schedule, steps_left = few_step_schedule(network.config.prediction, steps, noise_share)
    masks = noise
    if coarse is not None:
        masks = schedule.add_noise(coarse, noise, steps_left[:1].expand(len(noise)))
    for step in steps_left:
        predicted = network(masks, features, step.expand(len(masks)).to(masks.device))
        masks = schedule.step(predicted, int(step), masks).prev_sample
    return masks


@torch.no_grad()
def sample_masks_ancestrally(
    network: DermoSegDiff, images: torch.Tensor, noise: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """As published, for comparison: all 250 steps, everything computed anew at each; images (M, 3, ., .) in 0 to 1."""
    schedule, masks = ancestral_schedule(network.config.prediction), noise
    for step in range(STEPS - 1, -1, -1):
        predicted = network(masks, network.image_features(images), torch.full((len(masks),), step))
        masks = schedule.step(predicted, step, masks, generator=generator).prev_sample
    return masks
