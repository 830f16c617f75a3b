"""Text-to-vision semantic module, T2VSE (SEG-SAM figure: "text-to-vision semantic module")."""

from __future__ import annotations

import torch
from torch import nn


class TextToVision(nn.Module):
    """Lets the class descriptions look at the image and tells the prompt tokens what they saw (SEG-SAM, T2VSE).

    The text embeddings f_t (K, text_dim) are projected to the embedding's width. A learnable summary token t_text
    stands before them, so that one token can gather what all descriptions found (ours: the paper writes f_t + t_text).
    Cross-attention with the image embedding f_v gives t'_text (B, C); an MLP fuses it into every prompt token.
    """

    def __init__(self, text_dim: int, embedding_dim: int, num_heads: int = 8) -> None:
        super().__init__()
        self.project_text = nn.Linear(text_dim, embedding_dim)
        self.summary_token = nn.Parameter(torch.randn(1, 1, embedding_dim) * 0.02)
        self.norm_text = nn.LayerNorm(embedding_dim)
        self.self_attention = nn.MultiheadAttention(embedding_dim, num_heads, batch_first=True)
        self.norm_query = nn.LayerNorm(embedding_dim)
        self.cross_attention = nn.MultiheadAttention(embedding_dim, num_heads, batch_first=True)
        self.norm_out = nn.LayerNorm(embedding_dim)
        self.fuse = nn.Sequential(
            nn.Linear(2 * embedding_dim, embedding_dim), nn.GELU(), nn.Linear(embedding_dim, embedding_dim)
        )

    def summarise(
        self,
        text_embeddings: torch.Tensor,
        image_embedding: torch.Tensor,
        position: torch.Tensor,
        late_classes: int = 0,
    ) -> torch.Tensor:
        """Text (K, text_dim), image (B, C, h, w) and its positional encoding (1, C, h, w) -> t'_text (B, C).

        The summary leaves the last `late_classes` out, as it did when it was trained (ours).
        """
        text_embeddings = text_embeddings[: len(text_embeddings) - late_classes]
        image = image_embedding.flatten(2).transpose(1, 2)
        keys = image + position.flatten(2).transpose(1, 2)
        text = self.project_text(text_embeddings)[None].expand(image.shape[0], -1, -1)
        tokens = torch.cat([self.summary_token.expand(image.shape[0], -1, -1), text], dim=1)
        normed = self.norm_text(tokens)
        # All tokens see the image; then the summary gathers them.
        seen = tokens + self.cross_attention(normed, keys, image, need_weights=False)[0]
        query = self.norm_query(seen)
        summary = seen[:, :1] + self.self_attention(query[:, :1], query, query, need_weights=False)[0]
        return self.norm_out(summary[:, 0])

    def forward(self, prompt_tokens: torch.Tensor, summary: torch.Tensor) -> torch.Tensor:
        """Prompt tokens t_p (N, P, C) and t'_text (N, C) -> t'_p (N, P, C)."""
        repeated = summary[:, None].expand_as(prompt_tokens)
        return prompt_tokens + self.fuse(torch.cat([prompt_tokens, repeated], dim=-1))
