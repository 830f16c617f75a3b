"""What every layout of a public data set has in common: how it is called, and what can be done with a folder of it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.layouts.case import Case, DatasetError, Depth, Listing, Problem
from samantic.datasets.layouts.reading import problems_of, views_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layout(ABC):
    """The folder layout of one public data set, as its publisher packs it."""

    name: str
    title: str
    licence: str
    address: str
    looked_for: str = field(kw_only=True)
    """What makes a folder one of this layout, for messages."""

    @abstractmethod
    def root(self, folder: Path) -> Path | None:
        """Return the folder in which the data set lies, `folder` itself or one below it; None if it is not there."""

    @abstractmethod
    def listing(self, folder: Path) -> Listing:
        """List a folder that is recognised; DatasetError if what says which labels there are cannot be read."""

    def recognise(self, folder: Path) -> bool:
        """Whether `folder` has this layout; a file or a missing folder has none."""
        return folder.is_dir() and self.root(folder) is not None

    def cases(self, folder: Path, part: str | None = None) -> Iterator[LabelledView]:
        """Read the labelled views of one part, or of all, one image at a time.

        Raises DatasetError at once for a part that is not there or has no labels and for classes that are all unknown,
        and while reading for a file that cannot be used. A class that the vocabulary lacks is left out of
        `class_names`; one warning line says so. Source: ours.
        """
        listing = self.listing(folder)
        cases = _labelled(self.title, listing, part)
        for note in listing.notes:
            _log.warning("%s: %s", self.title, note)
        return (view for case in cases for view in views_of(case))

    def problems(
        self, folder: Path, depth: Depth = Depth.labels, progress: Callable[[int, int], None] | None = None
    ) -> list[Problem]:
        """Return all that is wrong with a folder of this layout.

        progress: called with the number of images looked at and their number. Source: ours.
        """
        listing = self.listing(folder)
        found = list(listing.problems)
        for number, case in enumerate(listing.cases, start=1):
            found += problems_of(case, folder, depth)
            if progress is not None:
                progress(number, len(listing.cases))
        return found


def _labelled(title: str, listing: Listing, part: str | None) -> list[Case]:
    there = ", ".join(listing.parts) or "none"
    if part is not None and part not in listing.parts:
        raise DatasetError(f"This folder of {title} has no part '{part}'; the parts that are there: {there}.")
    chosen = [case for case in listing.cases if part in (None, case.part)]
    labelled = [case for case in chosen if case.labels]
    if not labelled:
        which = "These images" if part is None else f"The images of the part '{part}'"
        raise DatasetError(f"{which} of {title} have no labels here; the parts that are there: {there}.")
    known = [case for case in labelled if case.class_names]
    if not known:
        raise DatasetError(f"The vocabulary has no class of {title}: {' '.join(listing.notes)}")
    return known
