"""Prompts drawn as images."""

from __future__ import annotations

import torch

from samantic.segsam.prompt_batch import BACKGROUND, BOX_LOWER_RIGHT, BOX_UPPER_LEFT, FOREGROUND, PromptBatch

CLICK_RADIUS = 3.0
"""Standard deviation in input pixels of a drawn click (ours)."""

CHANNELS = 4


def draw_prompts(prompts: PromptBatch, input_size: int) -> torch.Tensor:
    """Prompts of N objects -> (N, 4, g, g) on the grid of their mask prompt (N, 1, g, g); the input is square.

    Channels: previous mask logits, inside of the box, foreground clicks, background clicks (ours).
    """
    cells = prompts.mask_logits.shape[-1]
    scale = input_size / cells
    # Centres of the cells in input pixels, where pixel 0 covers [0, 1).
    centres = (torch.arange(cells, device=prompts.points_xy.device) + 0.5) * scale
    points = prompts.points_xy + 0.5
    labels = prompts.point_labels

    dx = centres[None, None, :] - points[..., 0:1]
    dy = centres[None, None, :] - points[..., 1:2]
    width = 2 * CLICK_RADIUS**2
    discs = torch.exp(-dy.square() / width)[..., :, None] * torch.exp(-dx.square() / width)[..., None, :]
    foreground = (discs * (labels == FOREGROUND)[..., None, None]).amax(dim=1)
    background = (discs * (labels == BACKGROUND)[..., None, None]).amax(dim=1)

    # A cell lies in the box when it is right of and below one corner, left of and above the other; half a cell of
    # slack keeps a box thinner than a cell visible.
    slack = scale / 2
    is_upper = (labels == BOX_UPPER_LEFT)[..., None, None]
    is_lower = (labels == BOX_LOWER_RIGHT)[..., None, None]
    after = (dy >= -slack)[..., :, None] & (dx >= -slack)[..., None, :]
    before = (dy <= slack)[..., :, None] & (dx <= slack)[..., None, :]
    inside = (is_upper & after).any(dim=1) & (is_lower & before).any(dim=1)

    previous = torch.tanh(prompts.mask_logits[:, 0] / 4.0)
    return torch.stack([previous, inside.float(), foreground, background], dim=1)
