"""The network of the second look: picture and prompts in, one mask out (ours)."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import torch
from monai.networks.nets import BasicUNet
from torch import nn

from samantic.segsam.input_transform import InputTransform
from samantic.segsam.prompt_batch import PromptBatch
from samantic.segsam.prompt_raster import CHANNELS, draw_prompts

WIDTHS = (1, 2, 4, 6, 8, 1)
"""Of the U-Net's five levels and its last layer, in multiples of the narrowest."""


class LookNetwork(nn.Module):
    """A U-Net (Falk et al. 2019, MONAI's) that sees the prompts beside the picture, from its first layer on.

    SAM's decoder meets the prompts after the image encoder: a click costs little, and borders are as fine as a
    prompt-free encoder left them. Here every click costs a pass, which a small input affords, and the borders follow
    the prompt; so do RITM (Sofiiuk et al. 2021, arXiv 2102.06583) and FocalClick (Chen et al. 2022, arXiv 2204.02574).
    """

    pixel_mean = (123.675, 116.28, 103.53)
    pixel_std = (58.395, 57.12, 57.375)

    def __init__(self, image_size: int, width: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        # It prints its widths, also where a program reads what a command prints.
        with redirect_stdout(StringIO()):
            self.unet = BasicUNet(
                spatial_dims=2,
                in_channels=width + CHANNELS,
                out_channels=1,
                features=tuple(width * factor for factor in WIDTHS),
                upsample="nontrainable",
            )
        self.register_buffer("mean", torch.tensor(self.pixel_mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(self.pixel_std).view(1, 3, 1, 1), persistent=False)

    mean: torch.Tensor
    std: torch.Tensor

    def forward(self, images: torch.Tensor, prompts: PromptBatch) -> torch.Tensor:
        """Looks (B, 3, S, S) with values 0 to 255 and prompts of N objects -> mask logits (N, 1, S / 2, S / 2)."""
        seen = self.stem((images - self.mean) / self.std)[prompts.image_index]
        logits: torch.Tensor = self.unet(torch.cat([seen, draw_prompts(prompts, self.image_size)], dim=1))
        return logits

    def input_transform(self, shape: tuple[int, int], spacing_yx_mm: tuple[float, float]) -> InputTransform:
        """How a look (rows, cols) lies in the square input."""
        return InputTransform(shape, spacing_yx_mm, self.image_size)

    @property
    def low_resolution_size(self) -> int:
        """Side of the mask logits, which is also the side of the mask prompt."""
        return self.image_size // 2


def expected_iou(mask_logits: torch.Tensor) -> torch.Tensor:
    """The IoU to expect of masks (N, 1, h, w), if every cell is right as often as its probability says: (N,) (ours).

    0 where the mask is empty.
    """
    probability = torch.sigmoid(mask_logits).flatten(1)
    inside = probability > 0.5
    intersection = (probability * inside).sum(dim=1)
    union = torch.where(inside, torch.ones_like(probability), probability).sum(dim=1)
    return intersection / union.clamp(min=1e-6)
