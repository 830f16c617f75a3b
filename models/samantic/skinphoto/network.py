"""DeepLabv3+ (arXiv 1802.02611) with the encoders of segmentation-models-pytorch."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import torch
from segmentation_models_pytorch import DeepLabV3Plus
from segmentation_models_pytorch.encoders import get_encoder_names
from segmentation_models_pytorch.encoders.resnet import ResNetEncoder
from torch import nn

from samantic.skinphoto.classes import CLASS_NAMES
from samantic.training.settings import SettingsError, read_settings

NORMS = ("instance", "batch")
STRIDES = (8, 16)
DEPTHS = (4, 5)


@dataclass(frozen=True)
class SkinPhotoConfig:
    """What a network is made of; SettingsError for what cannot be.

    `side`: photographs are shown to it with about side * side pixels. `encoder_depth` 5 is the whole encoder, as
    published; 4 leaves out its last stage, which holds most of the parameters and, dilated, much of the arithmetic
    (ours). `output_stride` and `atrous_rates` as published, the rates smaller, as the pictures are. `norm` "instance"
    normalises every picture by itself, "batch" as published.
    """

    encoder: str = "resnet18"
    encoder_depth: int = 4
    side: int = 192
    output_stride: int = 16
    atrous_rates: tuple[int, ...] = (2, 4, 6)
    decoder_channels: int = 128
    norm: str = "instance"

    def __post_init__(self) -> None:
        if self.encoder not in get_encoder_names():
            raise SettingsError(f"encoder must be one of segmentation-models-pytorch, not {self.encoder!r}.")
        for name, value, allowed in (
            ("encoder_depth", self.encoder_depth, DEPTHS),
            ("output_stride", self.output_stride, STRIDES),
            ("norm", self.norm, NORMS),
        ):
            if value not in allowed:
                raise SettingsError(f"{name} must be one of {', '.join(map(str, allowed))}, not {value!r}.")
        # On fewer cells there is nothing to normalise over.
        if not 4 * self.output_stride <= self.side <= 2048 or self.side % self.output_stride:
            raise SettingsError(
                f"side must be a multiple of {self.output_stride} from {4 * self.output_stride} to 2048, "
                f"not {self.side}."
            )
        if len(self.atrous_rates) != 3 or min(self.atrous_rates) < 1:
            raise SettingsError(f"atrous_rates must be three numbers from 1, not {self.atrous_rates}.")
        if not 8 <= self.decoder_channels <= 512:
            raise SettingsError(f"decoder_channels must be 8 to 512, not {self.decoder_channels}.")

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SkinPhotoConfig:
        """Read what `to_json` wrote; ValueError says what is wrong with it."""
        return read_settings(cls, json.loads(text))


class SkinPhotoNetwork(nn.Module):
    """Photographs (B, 3, H, W) in 0 to 1, sides multiples of the output stride -> logits (B, 3, H, W), see `classes`.

    `encoder_weights` names published weights of the encoder, which segmentation-models-pytorch downloads.
    """

    def __init__(self, config: SkinPhotoConfig, encoder_weights: str | None = None) -> None:
        super().__init__()
        self.config = config
        self.deeplab = DeepLabV3Plus(
            config.encoder,
            encoder_depth=config.encoder_depth,
            encoder_weights=encoder_weights,
            encoder_output_stride=config.output_stride,
            decoder_channels=config.decoder_channels,
            decoder_atrous_rates=config.atrous_rates,
            decoder_aspp_dropout=0.1,
            classes=1 + len(CLASS_NAMES),
        )
        if config.encoder_depth < 5 and isinstance(self.deeplab.encoder, ResNetEncoder):
            # segmentation-models-pytorch keeps the stage that it does not ask.
            self.deeplab.encoder.layer4 = nn.Identity()
        if config.norm == "instance":
            _with_instance_norm(self.deeplab)

    def forward(self, photographs: torch.Tensor) -> torch.Tensor:
        return self.deeplab(4 * photographs - 2)


def _with_instance_norm(module: nn.Module) -> None:
    """Put instance normalisation in the place of batch normalisation, but for what is pooled to a single pixel."""
    children = list(module.named_children())
    pools = any(isinstance(child, nn.AdaptiveAvgPool2d) for _, child in children)
    for name, child in children:
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.Identity() if pools else nn.InstanceNorm2d(child.num_features, affine=True))
        else:
            _with_instance_norm(child)
