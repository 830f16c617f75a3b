"""Prompts -> tokens (SEG-SAM figure: "prompt encoder")."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from segment_anything.modeling import PromptEncoder as SamPromptEncoder
from torch import nn
from torch.nn import functional

from samantic.segsam.prompt_batch import BOX_UPPER_LEFT, PADDING, PromptBatch
from samantic.segsam.prompt_raster import CHANNELS, draw_prompts


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
    previous mask, they do.
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
            nn.Conv2d(CHANNELS, skip_channels, 3, stride=2, padding=1), nn.GroupNorm(1, skip_channels), nn.GELU()
        )
        self.raster_embedding = nn.Sequential(
            nn.Conv2d(skip_channels, embed_dim // 2, 3, stride=2, padding=1),
            nn.GroupNorm(1, embed_dim // 2),
            nn.GELU(),
            nn.Conv2d(embed_dim // 2, embed_dim, 1),
        )

    def forward(self, prompts: PromptBatch) -> EncodedPrompts:
        skip = self.raster_skip(draw_prompts(prompts, self.input_image_size[0]))
        dense = self.raster_embedding(skip)
        without_mask = ~prompts.has_mask[:, None, None, None]
        dense = dense + without_mask * self.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return EncodedPrompts(self._embed_sparse(prompts), prompts.point_labels == PADDING, dense, skip)
