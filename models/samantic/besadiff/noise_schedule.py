"""How much noise each step has, and which steps sampling takes; the schedulers are those of diffusers."""

from __future__ import annotations

import math

import torch
from diffusers import DDIMScheduler, DDPMScheduler

STEPS = 250
_BETAS = {"num_train_timesteps": STEPS, "beta_start": 4e-4, "beta_end": 0.08, "beta_schedule": "linear"}
"""T = 250, linear betas 4e-4 to 0.08 (DermoSegDiff)."""


def training_schedule(prediction: str) -> DDPMScheduler:
    """Return the schedule that adds the noise; `prediction` is `epsilon` or `sample`."""
    return DDPMScheduler(**_BETAS, prediction_type=prediction, clip_sample=True)


def ancestral_schedule(prediction: str) -> DDPMScheduler:
    """Return the published sampling: all 250 steps, new noise at each."""
    schedule = training_schedule(prediction)
    schedule.set_timesteps(STEPS)
    return schedule


def few_step_schedule(prediction: str, steps: int, noise_share: float = 1.0) -> tuple[DDIMScheduler, torch.Tensor]:
    """Return the DDIM schedule and the `steps` steps (descending) that remove the lowest `noise_share` of the steps.

    DDIM (Song et al. 2021, arXiv 2010.02502) without new noise; 1 begins with pure noise.
    """
    schedule = DDIMScheduler(**_BETAS, prediction_type=prediction, clip_sample=True, timestep_spacing="trailing")
    schedule.set_timesteps(min(STEPS, math.ceil(steps / noise_share)))
    return schedule, schedule.timesteps[-steps:]
