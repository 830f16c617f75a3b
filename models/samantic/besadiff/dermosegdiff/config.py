"""Which DermoSegDiff: sides, widths, how the image branch is fed, what is predicted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

IMAGE_BRANCHES = ("coupled", "time_free")
PREDICTIONS = ("epsilon", "sample")


@dataclass(frozen=True)
class DermoSegDiffConfig:
    """The defaults are the published network (321 M parameters, 128x128); ValueError for a value that cannot be.

    `mask_side` and `image_side` are those of the square mask and photograph; `mask_patch` x `mask_patch` pixels of the
    one and `image_patch` x `image_patch` of the other are folded into the channels of one place of the common grid (1
    as published; folding is ours: a quarter or a sixteenth of the arithmetic). Level n of a branch has width x
    multiplier[n] channels. `image_branch` is `coupled` as published, where the features of the image depend on the
    noisy mask and the step, or `time_free` (ours), where they do not and are computed once an image.
    `norm_groups` 0 (ours) normalises every channel by itself. `mask_attention_from` is the first level of the mask
    branch with attention (0 as published); the bottleneck always has it. With `stem_width` (ours) the photograph is not
    folded but halved by convolutions of so many channels, until `image_patch` x `image_patch` pixels are one place.
    `prediction` is `epsilon`, the noise, as published, or `sample`, the clean mask (ours: right after few steps).
    """

    mask_side: int = 128
    image_side: int = 128
    mask_patch: int = 1
    image_patch: int = 1
    mask_width: int = 128
    mask_multipliers: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    image_width: int = 64
    image_multipliers: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    image_branch: str = "coupled"
    attention_heads: int = 4
    attention_head_width: int = 32
    norm_groups: int = 8
    mask_attention_from: int = 0
    stem_width: int = 0
    prediction: str = "epsilon"

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask_multipliers", tuple(self.mask_multipliers))
        object.__setattr__(self, "image_multipliers", tuple(self.image_multipliers))
        if len(self.mask_multipliers) != len(self.image_multipliers) or not self.mask_multipliers:
            raise ValueError("mask_multipliers and image_multipliers must name the same number of levels, one or more.")
        sides = (self.mask_side, self.image_side, self.mask_patch, self.image_patch)
        widths = (self.mask_width, self.image_width, self.attention_heads, self.attention_head_width)
        if min(*sides, *widths, *self.mask_multipliers, *self.image_multipliers) < 1:
            raise ValueError("Sides, patches, widths, multipliers and heads must be at least 1.")
        if min(self.norm_groups, self.mask_attention_from, self.stem_width) < 0:
            raise ValueError("norm_groups, mask_attention_from and stem_width must be at least 0.")
        if self.stem_width and (self.image_patch < 2 or self.image_patch & (self.image_patch - 1)):
            raise ValueError(f"With a stem_width image_patch must be 2, 4, 8 or so, not {self.image_patch}.")
        if self.stem_width and self.norm_groups and self.stem_width % self.norm_groups:
            raise ValueError(f"stem_width must be a multiple of norm_groups ({self.norm_groups}).")
        if self.norm_groups and (self.mask_width % self.norm_groups or self.image_width % self.norm_groups):
            raise ValueError(f"mask_width and image_width must be multiples of norm_groups ({self.norm_groups}).")
        grids = {self.mask_side / self.mask_patch, self.image_side / self.image_patch}
        smallest = 2 ** (len(self.mask_multipliers) - 1)
        if len(grids) > 1 or min(grids) % smallest:
            raise ValueError(
                "mask_side / mask_patch and image_side / image_patch must be one whole number that can be halved "
                f"{len(self.mask_multipliers) - 1} times; they are {' and '.join(map(str, sorted(grids)))}."
            )
        if self.norm_groups == 0 and min(grids) == smallest:
            raise ValueError("With norm_groups 0 the coarsest level needs more than one place; use fewer levels.")
        if self.image_branch not in IMAGE_BRANCHES:
            raise ValueError(f"image_branch must be {' or '.join(IMAGE_BRANCHES)}, not {self.image_branch!r}.")
        if self.prediction not in PREDICTIONS:
            raise ValueError(f"prediction must be {' or '.join(PREDICTIONS)}, not {self.prediction!r}.")

    @property
    def mask_widths(self) -> tuple[int, ...]:
        """Channels of the mask branch in each level."""
        return tuple(self.mask_width * multiplier for multiplier in self.mask_multipliers)

    @property
    def image_widths(self) -> tuple[int, ...]:
        """Channels of the image branch in each level."""
        return tuple(self.image_width * multiplier for multiplier in self.image_multipliers)

    @property
    def shown_widths(self) -> tuple[int, ...]:
        """Channels of the image's maps that the mask branch is shown in each level.

        As published a level works at the width of the one above and widens on its way down; a time-free level does not.
        """
        widths = self.image_widths
        return widths if self.image_branch == "time_free" else (widths[0], *widths[:-1])

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DermoSegDiffConfig:
        """Read the text of `to_json`; ValueError or TypeError for another."""
        return cls(**json.loads(text))
