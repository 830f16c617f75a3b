"""The record of a synthesis: its settings and every attempt with its scores and what was decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from samantic import __version__
from samantic.besadiff.synthesis.errors import OtherSettingsError, SynthesisError
from samantic.besadiff.synthesis.settings import SynthesisSettings, differences
from samantic.imaging import atomic_path

MANIFEST = "manifest.json"
FORMAT = "samantic.synthesis/1"
WARNING = "Every image of this folder was drawn by a model. None shows a person; do not mix them with those that do."

Decision = Literal["accepted", "rejected", "copy"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)


@dataclass(frozen=True)
class Attempt:
    """One pair that was drawn. `number` counts from 0; `name` is the image's id where it was accepted.

    `reasons` say why it was not; `record` is what generator, refiner and copy check noted, as JSON values.
    """

    number: int
    decision: Decision
    name: str | None
    reasons: tuple[str, ...]
    record: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the attempt as JSON values."""
        return {
            "attempt": self.number,
            "decision": self.decision,
            "image": self.name,
            "reasons": list(self.reasons),
            **self.record,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Attempt:
        """Read what `to_json` returned; KeyError or TypeError for something else."""
        known = ("attempt", "decision", "image", "reasons")
        number, decision, name, reasons = (values[key] for key in known)
        record = {key: value for key, value in values.items() if key not in known}
        return cls(int(number), decision, name, tuple(reasons), record)


@dataclass
class Manifest:
    """The attempts of one folder in their order; `save` writes them, whole or not at all."""

    settings: Mapping[str, Any]
    attempts: list[Attempt] = field(default_factory=list)
    counts: Counter[Decision] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = Counter(attempt.decision for attempt in self.attempts)

    @property
    def accepted(self) -> list[Attempt]:
        """The attempts whose pairs are in the folder."""
        return [attempt for attempt in self.attempts if attempt.decision == "accepted"]

    def add(self, attempt: Attempt) -> None:
        """Take the next attempt in."""
        self.attempts.append(attempt)
        self.counts[attempt.decision] += 1

    def save(self, folder: Path) -> None:
        """Write the record; the same attempts give the same bytes."""
        text = json.dumps(
            {
                "format": FORMAT,
                "synthetic": True,
                "warning": WARNING,
                "software": f"samantic {__version__}",
                "settings": self.settings,
                "counts": {decision: self.counts[decision] for decision in DECISIONS},
                "attempts": [attempt.to_json() for attempt in self.attempts],
            },
            indent=1,
        )
        with atomic_path(folder / MANIFEST) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def opened(cls, folder: Path, settings: SynthesisSettings) -> Manifest:
        """Return the record of a folder to go on with, an empty one for a new or empty folder.

        SynthesisError: the folder holds something else. OtherSettingsError: it was begun with other settings.
        """
        here = json.loads(json.dumps(settings.to_json()))
        if not (folder / MANIFEST).is_file():
            if any(not path.name.startswith(".") for path in folder.iterdir()):
                raise SynthesisError(
                    f"'{folder}' holds other files and no {MANIFEST}; choose a folder that is new or empty."
                )
            return cls(here)
        found = read_manifest(folder)
        different = differences(found.settings, here)
        if different:
            raise OtherSettingsError(
                f"'{folder}' was begun with other settings: {'; '.join(different)}. Choose another folder, or go on "
                "with the settings of this one."
            )
        return found


def read_manifest(folder: Path) -> Manifest:
    """Read the record of a folder. SynthesisError: it has none, or one that cannot be read."""
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']!r}, not {FORMAT!r}")
        return Manifest(dict(values["settings"]), [Attempt.from_json(one) for one in values["attempts"]])
    except FileNotFoundError:
        raise SynthesisError(f"'{folder}' holds no {MANIFEST}.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SynthesisError(f"'{path}' cannot be read: {error!r}. Choose another folder.") from error
