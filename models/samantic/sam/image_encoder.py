"""What every image encoder of the SAM family promises."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import torch

FeatureMaps = dict[str, torch.Tensor]
"""Feature maps of a batch of images by name.

`image_embedding` (B, C, h, w) is always there. Encoders with a fine path add `skip_stride4` and `skip_stride2`,
(B, C', S/4, S/4) and (B, C'', S/2, S/2), which sharpen the border of the mask.
"""

Placement = Literal["centre", "corner", "stretch"]
"""Where a picture lies in the square input: in the middle, in the upper left corner, or stretched to all of it."""


@runtime_checkable
class ImageEncoder(Protocol):
    """An encoder of square images with known output sizes."""

    image_size: int
    """Side of the square input in pixels."""

    embedding_dim: int
    """Channels of `image_embedding`."""

    embedding_size: int
    """Side of `image_embedding`."""

    skip_channels: dict[str, int]
    """Channels of each fine feature map that the encoder gives beside the embedding; empty for SAM's ViTs."""

    pixel_mean: tuple[float, float, float]
    pixel_std: tuple[float, float, float]

    placement: Placement
    """How the pictures lay in the input that the weights were trained on."""

    border: tuple[float, float, float]
    """Colour around the picture, 0 to 255."""

    def __call__(self, images: torch.Tensor) -> FeatureMaps:
        """Encode normalised images (B, 3, image_size, image_size)."""
        ...
