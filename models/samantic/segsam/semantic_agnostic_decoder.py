"""Tokens and image -> binary mask of the prompted object (SEG-SAM figure: "semantic-agnostic decoder")."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from segment_anything.modeling import MaskDecoder
from torch import nn
from torch.nn import functional

from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.prompt_encoder import EncodedPrompts
from samantic.segsam.two_way_transformer import PaddedTwoWayTransformer


@dataclass(frozen=True)
class BinaryMasks:
    """`mask_logits` (N, 4, H, W) and `predicted_iou` (N, 4).

    Mask 0 answers the prompts as they stand; masks 1 to 3 are the alternatives for one ambiguous prompt, as in SAM.
    """

    mask_logits: torch.Tensor
    predicted_iou: torch.Tensor


class SemanticAgnosticDecoder(MaskDecoder):
    """SAM's mask decoder (Kirillov et al. 2023) with SAM's parameter names, for objects on several images at once.

    Where the encoder gives fine feature maps they are added on the way up, as in SAM 2 (Ravi et al. 2024, arXiv
    2408.00714), and so is the dense prompt's (ours). Masks come at four times the embedding's side.
    """

    def __init__(self, embedding_dim: int, mlp_dim: int, with_fine_path: bool) -> None:
        super().__init__(
            transformer_dim=embedding_dim,
            transformer=PaddedTwoWayTransformer(depth=2, embedding_dim=embedding_dim, num_heads=8, mlp_dim=mlp_dim),
            iou_head_hidden_dim=embedding_dim,
        )
        self.fuse_prompt_skip = nn.Conv2d(embedding_dim // 4, embedding_dim // 4, 1) if with_fine_path else None

    def forward(
        self, features: FeatureMaps, position: torch.Tensor, prompts: EncodedPrompts, image_index: torch.Tensor
    ) -> BinaryMasks:
        """Features of B images, positional encoding (1, C, h, w), prompts of N objects, their image (N,)."""
        count = prompts.sparse.shape[0]
        output_tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight])[None].expand(count, -1, -1)
        tokens = torch.cat([output_tokens, prompts.sparse], dim=1)
        source = features["image_embedding"][image_index] + prompts.dense
        is_padding = functional.pad(prompts.is_padding, (output_tokens.shape[1], 0))
        tokens_out, source_out = self.transformer(source, position.expand(count, -1, -1, -1), tokens, is_padding)
        mask_tokens = tokens_out[:, 1 : 1 + self.num_mask_tokens]
        upscaled = self._upscale(source_out.transpose(1, 2).reshape(source.shape), features, prompts, image_index)
        weights = torch.stack([mlp(mask_tokens[:, i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1)
        mask_logits = torch.einsum("nmc,nchw->nmhw", weights, upscaled)
        return BinaryMasks(mask_logits, self.iou_prediction_head(tokens_out[:, 0]))

    def _upscale(
        self, source: torch.Tensor, features: FeatureMaps, prompts: EncodedPrompts, image_index: torch.Tensor
    ) -> torch.Tensor:
        first, norm, activation, second, last_activation = self.output_upscaling
        upscaled = first(source)
        if "skip_stride4" in features:
            upscaled = upscaled + features["skip_stride4"][image_index]
        if self.fuse_prompt_skip is not None and prompts.dense_skip is not None:
            upscaled = upscaled + self.fuse_prompt_skip(prompts.dense_skip)
        upscaled = second(activation(norm(upscaled)))
        if "skip_stride2" in features:
            upscaled = upscaled + features["skip_stride2"][image_index]
        return last_activation(upscaled)
