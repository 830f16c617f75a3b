"""The network: an encoder without prompts, a head for the mask, and a classifier that looks where the mask is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from samantic.breast.classifiers import MaskGuidedClassifier, PlainClassifier
from samantic.breast.config import BreastConfig
from samantic.breast.encoders import build_pyramid
from samantic.breast.mask_heads import ConvHead, UNetDecoder
from samantic.sam.image_encoder import FeatureMaps, ImageEncoder


@dataclass(frozen=True, eq=False)
class BreastOutput:
    """`mask_logits` (B, 1, S, S); `class_logits` (B, 3) in the order of DIAGNOSES; `attention` (B, 1, h, w)."""

    mask_logits: torch.Tensor
    class_logits: torch.Tensor
    attention: torch.Tensor


class BreastNetwork(nn.Module):
    """Reads grey pictures (B, 1, S, S) in 0 to 1, S its `image_size`. ValueError where the parts do not fit.

    A picture as a whole is `described_by` these maps of the encoder: what it shows, and the grain of its texture.
    SAM's vision encoder without prompts, with a mask head and a classifier (PRECISE 2025; method page).
    """

    pixel_mean: torch.Tensor
    pixel_std: torch.Tensor

    def __init__(self, config: BreastConfig) -> None:
        super().__init__()
        pyramid = build_pyramid(config.encoder, config.image_size)
        base = pyramid.base
        self.config = config
        self.encoder = pyramid.module
        self.image_size = base.image_size
        self.described_by = tuple(dict.fromkeys(["image_embedding", *(level.name for level in pyramid.levels[-2:])]))
        self.head: nn.Module
        if config.head == "conv":
            self.head = ConvHead(base.embedding_dim, base.image_size)
        else:
            self.head = UNetDecoder(pyramid.levels)
        classifier = MaskGuidedClassifier if config.classifier == "mask_guided" else PlainClassifier
        self.classifier = classifier(base.embedding_dim, config.hidden, config.dropout)
        self.register_buffer("pixel_mean", torch.tensor(base.pixel_mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(base.pixel_std).view(1, 3, 1, 1), persistent=False)

    @property
    def base_encoder(self) -> nn.Module:
        """The encoder of the SAM family, without what was put around it here."""
        inner = getattr(self.encoder, "encoder", self.encoder)
        assert isinstance(inner, nn.Module) and isinstance(inner, ImageEncoder)
        return inner

    def encode(self, images: torch.Tensor) -> FeatureMaps:
        """Grey pictures (B, 1, S, S) in 0 to 1 -> the encoder's maps; ValueError for another shape."""
        side = self.image_size
        if images.ndim != 4 or tuple(images.shape[1:]) != (1, side, side):
            raise ValueError(f"The network reads (B, 1, {side}, {side}), not {tuple(images.shape)}.")
        return self.encoder((255 * images - self.pixel_mean) / self.pixel_std)

    def decode(self, maps: FeatureMaps, attention_learns: bool = True) -> BreastOutput:
        """The encoder's maps -> mask and classes; with `attention_learns` the classes also teach the mask."""
        mask_logits = self.head(maps)
        guiding = mask_logits if attention_learns else mask_logits.detach()
        class_logits, attention = self.classifier(maps["image_embedding"], guiding)
        return BreastOutput(mask_logits, class_logits, attention)

    def forward(self, images: torch.Tensor, attention_learns: bool = True) -> BreastOutput:
        return self.decode(self.encode(images), attention_learns)
