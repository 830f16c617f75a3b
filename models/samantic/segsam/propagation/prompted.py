"""What a propagation starts from: slices on which a person pointed the object out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samantic.segsam.view_prompts import ViewPrompts


@dataclass(frozen=True, eq=False)
class PromptedSlice:
    """One slice of the object, in the pixels of `SliceView.of(volume, axis, index)`.

    Either `prompts`, which the model answers, or `mask` (rows, cols) bool, a hand-corrected mask that is kept exactly.
    ValueError for both, for neither and for an empty mask.
    """

    index: int
    prompts: ViewPrompts | None = None
    mask: np.ndarray | None = None

    def __post_init__(self) -> None:
        if (self.prompts is None) == (self.mask is None):
            raise ValueError(f"Slice {self.index} needs either prompts or a mask that is kept, and not both.")
        if self.mask is not None and not self.mask.any():
            raise ValueError(f"The mask of slice {self.index} is empty: there is nothing to propagate from it.")
