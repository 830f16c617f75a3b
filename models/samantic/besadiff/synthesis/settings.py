"""What decides which pairs come out; a folder that was begun with other settings is not gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samantic.besadiff.generator import DIAGNOSES, Diagnosis
from samantic.besadiff.synthesis.errors import SynthesisError


@dataclass(frozen=True)
class SynthesisSettings:
    """The seed, the diagnoses taken in turn (none: drawn as often as they were met), the side of the images in pixels,
    and what generator, refiner and copy check say of themselves, as JSON values."""

    seed: int
    diagnoses: tuple[Diagnosis, ...]
    side: int
    generator: str
    refiner: Mapping[str, Any]
    copy_check: str

    def __post_init__(self) -> None:
        unknown = [name for name in self.diagnoses if name not in DIAGNOSES]
        if unknown:
            raise SynthesisError(f"'{unknown[0]}' is no class that can be synthesised; use {', '.join(DIAGNOSES)}.")
        if self.seed < 0:
            raise SynthesisError(f"The seed must be 0 or more, not {self.seed}.")
        if not 32 <= self.side <= 2048:
            raise SynthesisError(f"The side of the images must be 32 to 2048 pixels, not {self.side}.")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {
            "seed": self.seed,
            "diagnoses": list(self.diagnoses),
            "side": self.side,
            "generator": self.generator,
            "refiner": dict(self.refiner),
            "copy_check": self.copy_check,
        }


def differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return one clause for every value in which two settings, as JSON values, differ."""
    found = []
    for name in sorted({*there, *here}):
        old, new = there.get(name), here.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{name}.")
        elif old != new:
            found.append(f"{prefix}{name} is {_shown(old)} there and {_shown(new)} here")
    return found


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:12]}…"
