"""With whose eyes a strategy looks at images: what any model makes of one, in numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from samantic.imaging import Volume
from samantic.segsam.choosing import ImageSummary, SummaryOptions


class Eyes(Protocol):
    """A model that looks at images; it stays the same while it looks at one."""

    @property
    def identity(self) -> str:
        """Whose summaries these are: the same text says the same of the same image."""

    @property
    def class_names(self) -> Sequence[str]:
        """The classes whose uncertainty can be told apart."""

    @property
    def knows_uncertainty(self) -> bool:
        """Whether summaries say how uncertain the model is."""

    @property
    def for_every_image(self) -> bool:
        """Whether it can look at images of every kind."""

    def look(self, volume: Volume, options: SummaryOptions, give_way: Callable[[], bool]) -> ImageSummary:
        """Look at an image; `give_way` is called between pieces of work. Raises RequestError for a kind not seen."""


@runtime_checkable
class HasEyes(Protocol):
    """A task whose model can look at images."""

    def eyes(self) -> Eyes:
        """Return the eyes of the model that is served now."""
