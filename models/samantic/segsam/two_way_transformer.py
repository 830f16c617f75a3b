"""SAM's two-way transformer for objects with different numbers of prompts in one batch."""

from __future__ import annotations

import math

import torch
from segment_anything.modeling import TwoWayTransformer
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock


class PaddedTwoWayTransformer(TwoWayTransformer):
    """SAM's two-way transformer (Kirillov et al. 2023) with SAM's parameter names; padding is not attended to (ours).

    Without that an answer would depend on how many prompts the other objects of the batch have.
    """

    def forward(
        self,
        image_embedding: torch.Tensor,
        image_pe: torch.Tensor,
        point_embedding: torch.Tensor,
        is_padding: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Image and its positional encoding (N, C, h, w), tokens (N, T, C) of which `is_padding` (N, T) do not count.

        Returns tokens (N, T, C) and image (N, h * w, C); the rows of padding tokens mean nothing.
        """
        keys = image_embedding.flatten(2).transpose(1, 2)
        key_pe = image_pe.flatten(2).transpose(1, 2)
        queries = point_embedding
        for layer in self.layers:
            queries, keys = _through(layer, queries, keys, point_embedding, key_pe, is_padding)
        attended = self.final_attn_token_to_image(q=queries + point_embedding, k=keys + key_pe, v=keys)
        return self.norm_final_attn(queries + attended), keys


def _through(
    layer: TwoWayAttentionBlock,
    queries: torch.Tensor,
    keys: torch.Tensor,
    query_pe: torch.Tensor,
    key_pe: torch.Tensor,
    is_padding: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One block, as in SAM, but for the two places where tokens are attended to."""
    if layer.skip_first_layer_pe:
        queries = _attend(layer.self_attn, queries, queries, queries, is_padding)
    else:
        with_position = queries + query_pe
        queries = queries + _attend(layer.self_attn, with_position, with_position, queries, is_padding)
    queries = layer.norm1(queries)
    queries = layer.norm2(queries + layer.cross_attn_token_to_image(q=queries + query_pe, k=keys + key_pe, v=keys))
    queries = layer.norm3(queries + layer.mlp(queries))
    attended = _attend(layer.cross_attn_image_to_token, keys + key_pe, queries + query_pe, queries, is_padding)
    return queries, layer.norm4(keys + attended)


def _attend(
    attention: Attention, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, is_padding: torch.Tensor | None
) -> torch.Tensor:
    heads = attention.num_heads
    q = attention._separate_heads(attention.q_proj(q), heads)
    k = attention._separate_heads(attention.k_proj(k), heads)
    v = attention._separate_heads(attention.v_proj(v), heads)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if is_padding is not None:
        scores = scores.masked_fill(is_padding[:, None, None, :], -math.inf)
    return attention.out_proj(attention._recombine_heads(torch.softmax(scores, dim=-1) @ v))
