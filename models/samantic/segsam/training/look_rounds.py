"""One training step of the look network: a first prompt, then corrective clicks."""

from __future__ import annotations

import numpy as np
import torch
from monai.losses import DiceLoss
from scipy import ndimage
from torch.nn import functional

from samantic.segsam.look_network import LookNetwork
from samantic.segsam.training.looks import LookBatch
from samantic.segsam.training.rounds import Interaction, correct, first_prompt, prompt_batch

ZOOMED_KINDS = {"box": 0.52, "both": 0.06, "mask": 0.1, "click and mask": 0.32}
WHOLE_KINDS = {"click": 0.9, "mask": 0.1}
"""How objects are first prompted. A box is always zoomed to; a lone click comes with the mask of the whole view."""


def look_loss(
    network: LookNetwork, batch: LookBatch, random: np.random.Generator
) -> tuple[torch.Tensor, dict[str, float]]:
    """Run the rounds of one batch and return the mean loss with its parts for the log."""
    device = batch.images.device
    interactions = [
        first_prompt(share >= 0.5, random, WHOLE_KINDS if whole else ZOOMED_KINDS)
        for share, whole in zip(batch.shares, batch.is_whole, strict=True)
    ]
    shares = np.stack([_of_part(*pair) for pair in zip(batch.shares, interactions, strict=True)])
    truth = torch.from_numpy(shares).to(device)
    index = torch.arange(len(interactions), device=device)
    rounds = 2 if random.random() < 0.6 else 3
    total, parts = torch.zeros((), device=device), {}
    for number in range(rounds):
        prompts = prompt_batch(interactions, index, network.image_size)
        logits = network(batch.images, prompts).float()
        loss = mask_loss(logits, truth).mean()
        total = total + loss / rounds
        parts[f"look_{number}"] = float(loss.detach())
        if number + 1 < rounds:
            correct(interactions, logits[:, 0].detach().cpu().numpy(), random)
    return total, parts


def mask_loss(mask_logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Cross entropy + Dice of logits (N, 1, g, g) against shares (N, g, g) in 0 to 1: (N,), as in nnU-Net."""
    target = shares[:, None].float()
    entropy = functional.binary_cross_entropy_with_logits(mask_logits, target, reduction="none").mean(dim=(1, 2, 3))
    return entropy + DiceLoss(sigmoid=True, reduction="none")(mask_logits, target).flatten(1).mean(dim=1)


def _of_part(share: np.ndarray, interaction: Interaction) -> np.ndarray:
    """The share (g, g) of the part that was prompted, with the cells at its border that it takes less than half of."""
    return np.where(ndimage.binary_dilation(interaction.truth), share, 0).astype(np.float32)
