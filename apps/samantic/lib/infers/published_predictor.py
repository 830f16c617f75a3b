"""SEG-SAM as it is served now."""

from __future__ import annotations

from pathlib import Path

from samantic.app.lib.infers.published_model import PublishedModel
from samantic.segsam import SegSamPredictor
from samantic.segsam.checkpoint import CheckpointError
from samantic.training.model_store import ModelStore


class PublishedPredictor(PublishedModel[SegSamPredictor]):
    """The predictor of the version that `store` serves, of `start` before the first. Raises CheckpointError."""

    def __init__(self, store: ModelStore, start: Path) -> None:
        super().__init__(store, start, SegSamPredictor.from_checkpoint, CheckpointError)
