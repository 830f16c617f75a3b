"""Of which parts a network for breast ultrasound is made."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

HEADS = ("unet", "conv")
CLASSIFIERS = ("mask_guided", "plain")


@dataclass(frozen=True)
class BreastConfig:
    """ValueError for parts that there are not; sizes that an encoder cannot take are refused when it is built.

    `encoder` is "folded" (our small one) or a name of `samantic.sam.registry`; `image_size` the side of its square
    input, None for its own. `head` draws the mask from the embedding alone ("conv") or also from the encoder's finer
    maps ("unet"). `classifier` looks where the mask is ("mask_guided") or everywhere alike ("plain").
    """

    encoder: str = "folded"
    image_size: int | None = None
    head: str = "unet"
    classifier: str = "mask_guided"
    hidden: int = 256
    dropout: float = 0.3

    def __post_init__(self) -> None:
        for name, allowed in (("head", HEADS), ("classifier", CLASSIFIERS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}.")
        if not 1 <= self.hidden <= 4096:
            raise ValueError(f"hidden must be 1 to 4096, not {self.hidden}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and less than 1, not {self.dropout}.")

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BreastConfig:
        """Read what `to_json` wrote; TypeError or ValueError for anything else."""
        return cls(**json.loads(text))
