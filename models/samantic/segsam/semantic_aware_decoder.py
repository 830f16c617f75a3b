"""What the prompted object is, and which other classes the image holds (SEG-SAM figure: "semantic-aware decoder")."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from segment_anything.modeling.mask_decoder import MLP
from torch import nn
from torch.nn import functional

from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.two_way_transformer import PaddedTwoWayTransformer


@dataclass(frozen=True)
class SemanticMasks:
    """`semantic_logits` (N, K + 1, H, W), channel 0 is background; `presence_logits` (N, K) or None."""

    semantic_logits: torch.Tensor
    presence_logits: torch.Tensor | None


class SemanticAwareDecoder(nn.Module):
    """A second two-way transformer over [SO; CO x K; t'_p], apart from SAM's so that the two do not fight (SEG-SAM).

    The SO-token becomes the semantic mask M_s, one map per class. Each CO-token becomes the presence C_s of one class
    that was not prompted: a classification, not a segmentation. C_s is fused into the SO-token by an MLP, since
    knowing what else is there helps to name what was prompted. Ours: the tokens look at the embedding at half its side
    and M_s has the embedding's own, since a name and the alignment with the binary mask need no finer: a quarter of the
    cost. CO-tokens start from the class's text where there is one. The last `late_classes` came after the others were
    learned: their tokens look at everything but nothing looks at them, and a bias each keeps them silent until they
    are learned, so that the answers for the others stay as they were.
    """

    def __init__(
        self,
        num_classes: int,
        embedding_dim: int,
        mlp_dim: int,
        with_co_tokens: bool,
        text_dim: int | None,
        late_classes: int = 0,
    ) -> None:
        super().__init__()
        self.num_classes, self.late_classes = num_classes, late_classes
        self.upscaled_dim = embedding_dim // 4
        self.so_token = nn.Embedding(1, embedding_dim)
        self.transformer = PaddedTwoWayTransformer(depth=2, embedding_dim=embedding_dim, num_heads=8, mlp_dim=mlp_dim)
        self.upscaling = nn.ConvTranspose2d(embedding_dim, self.upscaled_dim, kernel_size=2, stride=2)
        self.upscaling_norm = nn.GroupNorm(1, self.upscaled_dim)
        self.semantic_hypernetwork = MLP(
            embedding_dim, 2 * embedding_dim, (num_classes + 1) * self.upscaled_dim, num_layers=3
        )
        self.co_tokens = nn.Embedding(num_classes, embedding_dim) if with_co_tokens else None
        self.co_text = nn.Linear(text_dim, embedding_dim) if with_co_tokens and text_dim else None
        self.presence_head = MLP(embedding_dim, embedding_dim, 1, num_layers=3) if with_co_tokens else None
        self.presence_to_so = (
            nn.Sequential(nn.Linear(num_classes, embedding_dim), nn.GELU(), nn.Linear(embedding_dim, embedding_dim))
            if with_co_tokens
            else None
        )

        self.late_bias = nn.Parameter(torch.zeros(late_classes)) if late_classes else None

    def forward(
        self,
        features: FeatureMaps,
        position: torch.Tensor,
        prompt_tokens: torch.Tensor,
        is_padding: torch.Tensor,
        dense_prompt: torch.Tensor,
        image_index: torch.Tensor,
        text_embeddings: torch.Tensor | None,
    ) -> SemanticMasks:
        """Features of B images; prompt tokens t'_p (N, P, C); dense prompt (N, C, h, w); text (K, text_dim).

        `is_padding` (N, P) marks the prompt tokens that do not count.
        """
        count = prompt_tokens.shape[0]
        queries = self._queries(text_embeddings)
        tokens = torch.cat([queries[None].expand(count, -1, -1), prompt_tokens], dim=1)
        source = functional.avg_pool2d(features["image_embedding"][image_index] + dense_prompt, 2)
        position = functional.avg_pool2d(position, 2)
        late = self.late_classes if self.co_tokens is not None else 0
        not_to_see = functional.pad(functional.pad(is_padding, (late, 0), value=True), (queries.shape[0] - late, 0))
        tokens_out, source_out = self.transformer(source, position.expand(count, -1, -1, -1), tokens, not_to_see)

        upscaled = self.upscaling(source_out.transpose(1, 2).reshape(source.shape))
        if "skip_stride4" in features:
            upscaled = upscaled + functional.avg_pool2d(features["skip_stride4"], 2)[image_index]
        upscaled = functional.gelu(self.upscaling_norm(upscaled))

        so_token = tokens_out[:, 0]
        presence_logits = self.presence(tokens_out[:, 1 : 1 + self.num_classes], upscaled)
        if presence_logits is not None and self.presence_to_so is not None:
            so_token = so_token + self.presence_to_so(torch.sigmoid(presence_logits))
        weights = self.semantic_hypernetwork(so_token).view(count, self.num_classes + 1, self.upscaled_dim)
        logits = torch.einsum("nkc,nchw->nkhw", weights, upscaled)
        if self.late_bias is not None:
            bias = functional.pad(self.late_bias, (self.num_classes + 1 - self.late_classes, 0))
            logits = logits + bias[:, None, None]
        return SemanticMasks(logits, presence_logits)

    def presence(self, co_tokens: torch.Tensor, upscaled: torch.Tensor) -> torch.Tensor | None:  # noqa: ARG002
        """CO-tokens (N, K, C) -> presence logits (N, K): a classification, which needs no map (N, C/4, h, w).

        A variant that segments every class in the whole image reads the map instead.
        """
        return None if self.presence_head is None else self.presence_head(co_tokens).squeeze(-1)

    def _queries(self, text_embeddings: torch.Tensor | None) -> torch.Tensor:
        if self.co_tokens is None:
            return self.so_token.weight
        co_tokens = self.co_tokens.weight
        if self.co_text is not None and text_embeddings is not None:
            co_tokens = co_tokens + self.co_text(text_embeddings)
        return torch.cat([self.so_token.weight, co_tokens])
