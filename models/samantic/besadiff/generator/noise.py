"""How much noise there is at which step: the cosine schedule, shifted for large pictures."""

from __future__ import annotations

import math

import torch
from diffusers import DPMSolverMultistepScheduler

STEPS = 1000


def noise_to_signal(shift: float) -> torch.Tensor:
    """Standard deviation of the noise for a signal scaled to 1, (STEPS,): `shift` in the middle.

    tan(pi t / 2) of the cosine schedule (arXiv 2102.09672) times a shift for the neighbours of a pixel that say the
    same, without which layout would be visible through nearly all noise (arXiv 2301.11093).
    """
    time = (torch.arange(STEPS, dtype=torch.float64) + 1) / (STEPS + 1)
    return shift * torch.tan(time * math.pi / 2)


def signal_and_noise(shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The factors of signal and of noise at every step, float32 (STEPS,) each; their squares add up to 1."""
    ratio = noise_to_signal(shift)
    signal = (1 + ratio**2).rsqrt()
    return signal.float(), (signal * ratio).float()


def sampling_scheduler(shift: float, steps: int) -> DPMSolverMultistepScheduler:
    """DPM-Solver++ of second order (arXiv 2211.01095) with `steps` steps from pure noise."""
    scheduler = DPMSolverMultistepScheduler(
        STEPS,
        trained_betas=_betas(shift),
        prediction_type="sample",
        algorithm_type="dpmsolver++",
        solver_order=2,
        timestep_spacing="trailing",
        final_sigmas_type="zero",
    )
    scheduler.set_timesteps(steps)
    return scheduler


def _betas(shift: float) -> list[float]:
    kept = 1 / (1 + noise_to_signal(shift) ** 2)
    before = torch.cat([torch.ones(1, dtype=torch.float64), kept[:-1]])
    return list((1 - kept / before).tolist())
