"""SEG-SAM: SAM's binary path and a semantic path over one image encoder (arXiv 2412.12660, figure 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from samantic.sam.image_encoder import FeatureMaps
from samantic.sam.registry import build_encoder
from samantic.segsam.config import SegSamConfig
from samantic.segsam.input_transform import InputTransform
from samantic.segsam.look_network import LookNetwork
from samantic.segsam.prompt_batch import PromptBatch
from samantic.segsam.prompt_encoder import PromptEncoder, RasterPromptEncoder
from samantic.segsam.prompt_free_head import PromptFreeHead
from samantic.segsam.semantic_agnostic_decoder import BinaryMasks, SemanticAgnosticDecoder
from samantic.segsam.semantic_aware_decoder import SemanticAwareDecoder, SemanticMasks
from samantic.segsam.text_to_vision import TextToVision


@dataclass(frozen=True)
class SegSamOutput:
    """Binary masks of N prompted objects and, where the network has the semantic path, what they are."""

    binary: BinaryMasks
    semantic: SemanticMasks | None


class SegSam(nn.Module):
    """Image encoder, prompt encoder, T2VSE, semantic-agnostic and semantic-aware decoder (SEG-SAM).

    A network may have a second one beside it, which looks at the prompted region alone and at borders only, and a head
    that says where every class is without a prompt (both ours).

    `text_embeddings` (K, text_dim) of the classes travel with the weights: a checkpoint needs no sentence encoder.
    """

    text_embeddings: torch.Tensor
    pixel_mean: torch.Tensor
    pixel_std: torch.Tensor

    def __init__(self, config: SegSamConfig, text_embeddings: torch.Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        encoder = build_encoder(config.encoder, config.image_size)
        dim, size = int(encoder.embedding_dim), int(encoder.embedding_size)  # type: ignore[arg-type]
        self.image_size = int(encoder.image_size)  # type: ignore[arg-type]
        self.encoder = encoder
        if config.raster_prompts:
            self.prompt_encoder: PromptEncoder = RasterPromptEncoder(dim, size, self.image_size)
        else:
            self.prompt_encoder = PromptEncoder(dim, (size, size), (self.image_size, self.image_size), 16)
        self.mask_decoder = SemanticAgnosticDecoder(dim, config.transformer_mlp_dim, config.raster_prompts)
        self.text_to_vision = TextToVision(config.text_dim, dim) if config.text_to_vision else None
        self.look_network = None if config.look_size is None else LookNetwork(config.look_size, config.look_width)
        self.prompt_free_head = (
            None
            if config.prompt_free_width is None
            else PromptFreeHead(len(config.class_names), dim, encoder.skip_channels, config.prompt_free_width)  # type: ignore[arg-type]
        )
        self.semantic_decoder = (
            SemanticAwareDecoder(
                len(config.class_names),
                dim,
                config.transformer_mlp_dim,
                with_co_tokens=config.co_tokens,
                text_dim=config.text_dim if config.text_to_vision else None,
                late_classes=config.late_classes,
            )
            if config.so_token
            else None
        )
        expected = (len(config.class_names), config.text_dim)
        if text_embeddings is None:
            text_embeddings = torch.zeros(expected)
        if tuple(text_embeddings.shape) != expected:
            raise ValueError(
                f"The text embeddings have shape {tuple(text_embeddings.shape)}; the network's classes need {expected}."
            )
        self.register_buffer("text_embeddings", text_embeddings.float())
        self.register_buffer("pixel_mean", torch.tensor(encoder.pixel_mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(encoder.pixel_std).view(1, 3, 1, 1), persistent=False)

    def encode(self, images: torch.Tensor) -> FeatureMaps:
        """Images (B, 3, image_size, image_size) with values 0 to 255 -> feature maps."""
        return self.encoder((images - self.pixel_mean) / self.pixel_std)

    def decode(self, features: FeatureMaps, prompts: PromptBatch, with_semantics: bool = True) -> SegSamOutput:
        """Feature maps of B images and prompts of N objects -> masks of N objects.

        `with_semantics=False` leaves the semantic path out, for corrective rounds that only need the binary mask.
        """
        return SegSamOutput(self.segment(features, prompts), self.name(features, prompts) if with_semantics else None)

    def segment(self, features: FeatureMaps, prompts: PromptBatch) -> BinaryMasks:
        """The binary path alone."""
        position = self.prompt_encoder.get_dense_pe()
        return self.mask_decoder(features, position, self.prompt_encoder(prompts), prompts.image_index)

    def name(self, features: FeatureMaps, prompts: PromptBatch) -> SemanticMasks | None:
        """The semantic path alone; None where the network has none."""
        if self.semantic_decoder is None:
            return None
        position = self.prompt_encoder.get_dense_pe()
        encoded = self.prompt_encoder(prompts)
        prompt_tokens = encoded.sparse
        if self.text_to_vision is not None:
            summary = self.text_to_vision.summarise(
                self.text_embeddings, features["image_embedding"], position, self.config.late_classes
            )
            prompt_tokens = self.text_to_vision(prompt_tokens, summary[prompts.image_index])
        return self.semantic_decoder(
            features,
            position,
            prompt_tokens,
            encoded.is_padding,
            encoded.dense,
            prompts.image_index,
            self.text_embeddings if self.text_to_vision is not None else None,
        )

    def input_transform(self, shape: tuple[int, int], spacing_yx_mm: tuple[float, float]) -> InputTransform:
        """How a picture (rows, cols) lies in the square input, as the encoder's weights expect it."""
        placement, border = self.encoder.placement, self.encoder.border
        return InputTransform(shape, spacing_yx_mm, self.image_size, placement, border)  # type: ignore[arg-type]

    def freeze_encoder(self) -> SegSam:
        """Keep the image encoder as it is in training: it gets no gradients, and its pass records none."""
        self.encoder.requires_grad_(False)
        return self

    @property
    def low_resolution_size(self) -> int:
        """Side of the mask logits, which is also the side of the mask prompt."""
        return self.prompt_encoder.mask_input_size[0]
