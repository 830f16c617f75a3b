"""Prompts -> tokens (SEG-SAM figure: "prompt encoder")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from segment_anything.modeling import PromptEncoder as SamPromptEncoder
from torch import nn
from torch.nn import functional

PADDING, BACKGROUND, FOREGROUND, BOX_UPPER_LEFT, BOX_LOWER_RIGHT = -1, 0, 1, 2, 3
"""Point labels, numbered as in SAM."""

RASTER_CLICK_RADIUS = 3.0
"""Standard deviation in input pixels of a click drawn into the dense prompt (ours)."""


@dataclass(frozen=True)
class PromptBatch:
    """Prompts of N objects in the pixels of the network's square input.

    `points_xy` (N, P, 2) with `point_labels` (N, P); a box is two points labelled 2 and 3; short rows are padded with
    label -1. `mask_logits` (N, 1, 4h, 4w) is the previous mask where `has_mask` (N,) says so, zeros elsewhere.
    `image_index` (N,) says which image of the batch each object lies on.
    """

    points_xy: torch.Tensor
    point_labels: torch.Tensor
    mask_logits: torch.Tensor
    has_mask: torch.Tensor
    image_index: torch.Tensor

    def to(self, device: torch.device) -> PromptBatch:
        """The same prompts on another device."""
        return PromptBatch(*(tensor.to(device) for tensor in vars(self).values()))


@dataclass(frozen=True)
class EncodedPrompts:
    """`sparse` (N, P', C) prompt tokens, `dense` (N, C, h, w), `dense_skip` (N, C/4, 2h, 2w) or None.

    `is_padding` (N, P') marks the tokens that only fill up short rows.
    """

    sparse: torch.Tensor
    is_padding: torch.Tensor
    dense: torch.Tensor
    dense_skip: torch.Tensor | None


class PromptEncoder(SamPromptEncoder):
    """SAM's prompt encoder (Kirillov et al. 2023) for objects with different kinds of prompts in one batch.

    `sparse` has one token more than the prompts: SAM ends clicks without a box with a "not a point" token that is
    attended to, and its weights expect it. For other objects it is padding.
    """

    def forward(self, prompts: PromptBatch) -> EncodedPrompts:
        prompts = replace(
            prompts,
            points_xy=functional.pad(prompts.points_xy, (0, 0, 0, 1)),
            point_labels=functional.pad(prompts.point_labels, (0, 1), value=PADDING),
        )
        labels = prompts.point_labels
        is_padding = labels == PADDING
        has_box = (labels >= BOX_UPPER_LEFT).any(dim=1)
        is_padding[:, -1] = has_box | is_padding.all(dim=1)
        dense = torch.where(
            prompts.has_mask[:, None, None, None],
            self.mask_downscaling(prompts.mask_logits),
            self.no_mask_embed.weight.reshape(1, -1, 1, 1),
        )
        return EncodedPrompts(self._embed_sparse(prompts), is_padding, dense, None)

    def _embed_sparse(self, prompts: PromptBatch) -> torch.Tensor:
        labels = prompts.point_labels[..., None]
        tokens = self.pe_layer.forward_with_coords(prompts.points_xy + 0.5, self.input_image_size)
        tokens = torch.where(labels == PADDING, self.not_a_point_embed.weight, tokens)
        for label, embedding in enumerate(self.point_embeddings):
            tokens = tokens + (labels == label) * embedding.weight
        return tokens


class RasterPromptEncoder(PromptEncoder):
    """A prompt encoder that also draws boxes and clicks as images (ours).

    Sparse corner tokens alone do not make a small network trust a box; drawn into the dense prompt, beside the
    previous mask, they do. Channels: previous mask logits, inside of the box, foreground clicks, background clicks.
    """

    def __init__(self, embed_dim: int, image_embedding_size: int, input_image_size: int) -> None:
        super().__init__(
            embed_dim=embed_dim,
            image_embedding_size=(image_embedding_size, image_embedding_size),
            input_image_size=(input_image_size, input_image_size),
            mask_in_chans=16,
        )
        skip_channels = embed_dim // 4
        del self.mask_downscaling  # the raster path below reads the mask instead
        self.raster_skip = nn.Sequential(
            nn.Conv2d(4, skip_channels, 3, stride=2, padding=1), nn.GroupNorm(1, skip_channels), nn.GELU()
        )
        self.raster_embedding = nn.Sequential(
            nn.Conv2d(skip_channels, embed_dim // 2, 3, stride=2, padding=1),
            nn.GroupNorm(1, embed_dim // 2),
            nn.GELU(),
            nn.Conv2d(embed_dim // 2, embed_dim, 1),
        )

    def forward(self, prompts: PromptBatch) -> EncodedPrompts:
        skip = self.raster_skip(self._draw(prompts))
        dense = self.raster_embedding(skip)
        without_mask = ~prompts.has_mask[:, None, None, None]
        dense = dense + without_mask * self.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return EncodedPrompts(self._embed_sparse(prompts), prompts.point_labels == PADDING, dense, skip)

    def _draw(self, prompts: PromptBatch) -> torch.Tensor:
        rows, columns = self.mask_input_size
        scale = self.input_image_size[0] / rows
        # Centres of the raster's cells in input pixels, where pixel 0 covers [0, 1).
        x = (torch.arange(columns, device=prompts.points_xy.device) + 0.5) * scale
        y = (torch.arange(rows, device=prompts.points_xy.device) + 0.5) * scale
        points = prompts.points_xy + 0.5
        labels = prompts.point_labels

        dx = x[None, None, :] - points[..., 0:1]
        dy = y[None, None, :] - points[..., 1:2]
        width = 2 * RASTER_CLICK_RADIUS**2
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
