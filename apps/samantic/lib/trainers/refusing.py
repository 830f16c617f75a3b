"""What a train task may offer beside MONAI Label's interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from monailabel.interfaces.datastore import Datastore

from samantic.training.model_store import ModelStore


@runtime_checkable
class RefusesEarly(Protocol):
    """A train task that tells before a process is started for it why it would be in vain."""

    def refuse_early(self, params: Mapping[str, Any], datastore: Datastore, waits: bool) -> None:
        """Raise HTTPException with one plain sentence; `waits`: the training begins when the one before is done."""


@runtime_checkable
class KeepsVersions(Protocol):
    """A train task whose every publication is kept as a version that can be served again."""

    @property
    def store(self) -> ModelStore:
        """Where the versions are."""
