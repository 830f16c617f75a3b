"""The teacher: a promptable model that describes a picture, and outlines what a box points at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from samantic.bundled import bundled_weights
from samantic.sam import find_checkpoint, find_file
from samantic.segsam import SegSam, SegSamPredictor, ViewPrompts
from samantic.segsam.checkpoint import load_manifest
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.published_weights import load_published, read_published, sam_config

MEDSAM, BUNDLED = "medsam_vit_b", "segsam-tiny"

Box = tuple[float, float, float, float]


class Teacher(Protocol):
    """What a student is taught by; it sees squares of `side` pixels."""

    weights_hash: str
    side: int

    @property
    def manifest(self) -> TrainingManifest | None:
        """The images whose labels it has learned from; None where nobody knows."""

    def features(self, square: np.ndarray) -> torch.Tensor:
        """A picture (side, side, 3) uint8 -> its features (D, h, w)."""

    def masks(self, square: np.ndarray, boxes: Sequence[Box]) -> list[np.ndarray]:
        """Probabilities (side, side) float32 of what each half-open box (x0, y0, x1, y1) points at."""


class PromptableTeacher:
    """Any model of the SAM family that `SegSamPredictor` runs (a `Teacher`)."""

    def __init__(self, predictor: SegSamPredictor, manifest: TrainingManifest | None = None) -> None:
        self._predictor, self._manifest = predictor, manifest
        self.weights_hash, self.side = predictor.weights_hash, predictor.image_size

    @classmethod
    def load(cls, path: Path, device: str | None = None) -> PromptableTeacher:
        """Read a SEG-SAM checkpoint. Raises CheckpointError."""
        return cls(SegSamPredictor.from_checkpoint(path, device), load_manifest(path))

    @classmethod
    def usual(cls, device: str | None = None) -> PromptableTeacher:
        """MedSAM where its weights are on this machine (`samantic models download`), the bundled SEG-SAM elsewhere.

        WeightsError where the file of MedSAM is not what it should be.
        """
        checkpoint = find_checkpoint(MEDSAM)
        path = find_file(checkpoint)
        if path is None:
            return cls.load(bundled_weights(BUNDLED), device)
        network = SegSam(sam_config(encoder=checkpoint.encoder))
        load_published(network, read_published(path))
        return cls(SegSamPredictor(network, checkpoint.sha256 or checkpoint.name, device))

    @property
    def manifest(self) -> TrainingManifest | None:
        return self._manifest

    def features(self, square: np.ndarray) -> torch.Tensor:
        return self._predictor.encode(square).maps["image_embedding"][0].float().cpu()

    def masks(self, square: np.ndarray, boxes: Sequence[Box]) -> list[np.ndarray]:
        if not boxes:
            return []
        nowhere, nothing = np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
        prompts = [ViewPrompts(nowhere, nothing, box) for box in boxes]
        found = self._predictor.decode(self._predictor.encode(square), prompts)
        return [1 / (1 + np.exp(-one.mask_logits.astype(np.float32))) for one in found]
