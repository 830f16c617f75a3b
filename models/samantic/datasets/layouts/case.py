"""What a data set lists: cases with their files, parts, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from samantic.imaging import Modality

_ORDER = {"train": 0, "val": 1, "test": 2}


class DatasetError(ValueError):
    """A folder is no data set that is read, or cannot be read as one; the message says what was looked for."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a download: the file or folder, relative to the data set, and what is wrong."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}: {self.text}"


class Depth(str, Enum):
    """How far a check looks: into headers only, into every voxel of the labels too, or of the images as well."""

    headers = "headers"
    labels = "labels"
    everything = "everything"


@dataclass(frozen=True)
class LabelFile:
    """A file of labels: `names` maps each stored value, 0 apart, to a class of the vocabulary, or to None where the
    value is known but the vocabulary lacks its class."""

    path: Path
    names: Mapping[int, str | None]


@dataclass(frozen=True)
class Case:
    """An image of a data set and the files that label it; none where its labels are not published.

    `part` is "train", "val", "test", or "all" where the publisher names no parts. `channel` is the one that is read of
    an image with several. `modality` None leaves it to the file.
    """

    image_id: str
    part: str
    domain: str
    image: Path
    labels: tuple[LabelFile, ...]
    modality: Modality | None = None
    channel: int = 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the labels show, each once, in the order of the files and values."""
        names = (name for file in self.labels for name in file.names.values())
        return tuple(dict.fromkeys(name for name in names if name is not None))


@dataclass(frozen=True)
class Listing:
    """What lies in a folder: cases in order, problems seen without opening an image, and notes about class names."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are there, in the usual order."""
        return tuple(sorted({case.part for case in self.cases}, key=lambda part: (_ORDER.get(part, 9), part)))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of all cases, each once."""
        return tuple(dict.fromkeys(name for case in self.cases for name in case.class_names))
