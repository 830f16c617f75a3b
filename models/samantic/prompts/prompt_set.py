"""Everything a person said about one object in one image, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samantic.prompts.json_text import read_json, write_json
from samantic.prompts.kinds import Box, ClassPrompt, MaskPrompt, Point, Scribble
from samantic.prompts.slicing import resolve_slice
from samantic.prompts.validation import validate

if TYPE_CHECKING:
    from samantic.vocabulary import Vocabulary


@dataclass(frozen=True)
class PromptSet:
    """The prompts of one request, in voxel indices (I, J, K) of the whole image."""

    points: tuple[Point, ...] = ()
    boxes: tuple[Box, ...] = ()
    scribbles: tuple[Scribble, ...] = ()
    mask: MaskPrompt | None = None
    classes: ClassPrompt = field(default_factory=ClassPrompt)

    def __post_init__(self) -> None:
        for name in ("points", "boxes", "scribbles"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def is_empty(self) -> bool:
        """True where nothing says *where* the object is; classes alone only limit what the answer may name."""
        return not (self.points or self.boxes or self.scribbles) and self.mask is None

    def validated(
        self,
        shape_ijk: tuple[int, int, int],
        vocabulary: Vocabulary | None = None,
        axis: int = 2,
        slice_index: int | None = None,
    ) -> PromptSet:
        """The same prompts made exact for one slice of one image.

        Points are rounded to voxels, boxes cut to the slice (extent 1 along `axis`), class names and synonyms
        replaced by the vocabulary's names. The slice is the one of `slice_index(axis)` unless it is given.
        Raises PromptError with one sentence: what was wrong, which value, what is allowed.
        """
        return validate(self, shape_ijk, vocabulary, axis, slice_index)

    def slice_index(self, axis: int) -> int:
        """The slice along `axis` (0, 1 or 2) that the prompts are about; slice 0 is a slice.

        It is the slice of the points and scribbles; else the middle of the slices that all boxes share (the lower
        of two); else the slice where the mask is largest. Raises PromptError where they disagree or say nothing.
        """
        return resolve_slice(self, axis)

    def to_json(self) -> str:
        """JSON text with the mask run-length encoded; `from_json` gives the same prompts back."""
        return write_json(self)

    @classmethod
    def from_json(cls, text: str, shape_ijk: tuple[int, int, int] | None = None) -> PromptSet:
        """The prompts of a JSON text; raises PromptError, and refuses a mask of another shape before decoding it."""
        return cls(**read_json(text, shape_ijk))
