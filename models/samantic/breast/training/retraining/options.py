"""How a training round learns."""

from __future__ import annotations

from dataclasses import dataclass

from samantic.training import RoundOptions


@dataclass(frozen=True)
class BreastRetrainOptions(RoundOptions):
    """Options of one round, with the common defaults; SettingsError for a value out of range."""
