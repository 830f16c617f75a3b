"""The checkpoints that can be downloaded: where from, how large, with which hash, under which licence."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import resources

import yaml


class UnknownCheckpointError(ValueError):
    """A name that is not in the zoo; the message lists the names that are."""


@dataclass(frozen=True)
class Checkpoint:
    """One downloadable file of weights.

    `encoder` is a name of the encoder registry; `sha256` is None where none is published; `source` is the page where
    the authors offer the file.
    """

    name: str
    label: str
    encoder: str
    file_name: str
    urls: tuple[str, ...]
    size_bytes: int
    sha256: str | None
    licence: str
    source: str


def load_zoo() -> tuple[Checkpoint, ...]:
    """All checkpoints, in the order of `zoo.yaml`."""
    text = resources.files("samantic.sam").joinpath("zoo.yaml").read_text(encoding="utf-8")
    records = yaml.safe_load(text)["checkpoints"]
    return tuple(Checkpoint(**{**record, "urls": tuple(record["urls"])}) for record in records)


def find_checkpoint(name: str) -> Checkpoint:
    """The checkpoint of this name; raises UnknownCheckpointError with the nearest name and all names."""
    zoo = {checkpoint.name: checkpoint for checkpoint in load_zoo()}
    if name in zoo:
        return zoo[name]
    nearest = difflib.get_close_matches(name, zoo, n=1)
    hint = f"did you mean {nearest[0]}? " if nearest else ""
    raise UnknownCheckpointError(
        f"There is no checkpoint '{name[:60]}'; {hint}{'All' if hint else 'all'} names: {', '.join(zoo)}."
    )
