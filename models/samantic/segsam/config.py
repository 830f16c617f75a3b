"""What a SEG-SAM network is made of."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class SegSamConfig:
    """The parts of the network; every part of the paper can be left out on its own (paper, ablation table).

    `so_token` adds the semantic-aware decoder, `co_tokens` the presence of the classes that were not prompted and its
    fusion into the SO-token, `text_to_vision` the T2VSE module. Cross-mask alignment is a loss, not a part: see
    `samantic.segsam.cross_mask_alignment`.
    """

    class_names: tuple[str, ...]
    encoder: str = "tiny"
    so_token: bool = True
    co_tokens: bool = True
    text_to_vision: bool = True
    text_dim: int = 384
    raster_prompts: bool = True
    """Draw boxes and clicks into the dense prompt as well (ours); needs an encoder with fine feature maps."""

    transformer_mlp_dim: int = 512

    image_size: int | None = None
    """Side of the square input where it is not the encoder's own: convolutional weights fit every size."""

    look_size: int | None = None
    """Side of the input of the second look at the prompted region (ours); None: the network looks once."""

    look_width: int = 24
    """Channels at the second look's finest level."""

    prompt_free_width: int | None = None
    """Channels of the head of the automatic mode (ours); None: the network has none."""

    late_classes: int = 0
    """How many of the last classes came after the others were learned; see `samantic.segsam.growing`."""

    def __post_init__(self) -> None:
        if self.so_token and not self.class_names:
            raise ValueError("A SEG-SAM network with a semantic path needs at least one class name.")
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError("The class names of a SEG-SAM network must differ from one another.")
        if self.look_size is not None and (self.look_size < 64 or self.look_size % 32):
            # Half the size is halved four times, and the normalisation of a single cell leaves nothing.
            raise ValueError(f"look_size must be a multiple of 32 from 64 on, not {self.look_size}.")
        if self.look_width < 1:
            raise ValueError(f"look_width must be at least 1, not {self.look_width}.")
        if self.prompt_free_width is not None and self.prompt_free_width < 1:
            raise ValueError(f"prompt_free_width must be at least 1, not {self.prompt_free_width}.")
        if not 0 <= self.late_classes <= len(self.class_names):
            raise ValueError(
                f"late_classes must be 0 to the number of classes, {len(self.class_names)}, not {self.late_classes}."
            )
        if not self.so_token and (self.co_tokens or self.text_to_vision):
            raise ValueError("CO-tokens and text-to-vision live in the semantic path: switch so_token on to use them.")

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SegSamConfig:
        values = json.loads(text)
        return cls(**{**values, "class_names": tuple(values["class_names"])})
