"""The network for breast ultrasound on the training loop that all models share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.breast.checkpoint import save_breast
from samantic.breast.config import BreastConfig
from samantic.breast.network import BreastNetwork
from samantic.breast.squares import grey_square, mask_square
from samantic.breast.training.augmentation import moved, retuned
from samantic.breast.training.encoder_weights import load_encoder_weights
from samantic.breast.training.examples import BreastExample
from samantic.breast.training.loss import BreastLoss, diagnosis_loss, diagnosis_weights, mask_loss
from samantic.breast.training.sheet import write_sheet
from samantic.segsam import TrainingManifest
from samantic.training import FitOptions, SettingsError, TrainingError, fit

WEIGHTS = "breast.safetensors"


@dataclass(frozen=True, eq=False)
class BreastBatch:
    """`images` and `masks` (B, 1, S, S) in 0 to 1; `possible` diagnoses (B, 3) bool."""

    images: torch.Tensor
    masks: torch.Tensor
    possible: torch.Tensor


def fit_breast(
    config: BreastConfig,
    examples: Sequence[BreastExample],
    options: FitOptions,
    run: Path,
    *,
    loss: BreastLoss | None = None,
    encoder_weights: str | None = None,
    encoder_learns: bool = True,
    shown: Sequence[BreastExample] = (),
    dataset: str = "busi",
) -> BreastNetwork:
    """Train a network and return the average of its weights; they are `breast.safetensors` in the folder `run`.

    `encoder_weights`: see `load_encoder_weights`. See `samantic.training.fit` for what is raised; SettingsError for an
    encoder that there is not.
    """
    set_seed(options.seed)
    try:
        network = BreastNetwork(config)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    manifest = TrainingManifest.of({dataset: [example.image_id for example in examples]})
    if encoder_weights is not None:
        manifest = manifest.with_earlier(load_encoder_weights(network, encoder_weights))
    network.encoder.requires_grad_(encoder_learns)
    task = BreastTask(network, examples, options, loss or BreastLoss(), manifest, shown)
    task.set_apart(encoder_weights=encoder_weights, encoder_learns=encoder_learns)
    return cast(BreastNetwork, fit(task, options, run))


class BreastTask:
    """A network learns masks and diagnoses together (a `TrainingTask`). TrainingError without an example."""

    weights_name = WEIGHTS

    def __init__(
        self,
        network: BreastNetwork,
        examples: Sequence[BreastExample],
        options: FitOptions,
        loss: BreastLoss,
        manifest: TrainingManifest,
        shown: Sequence[BreastExample] = (),
    ) -> None:
        if not examples:
            raise TrainingError("There is no labelled picture to learn from.")
        self.network, self._options, self._loss, self._manifest = network, options, loss, manifest
        side = network.image_size
        # As 8 bits: a data set at SAM's 1024 pixels would not fit into memory otherwise.
        self._images = torch.stack([_bytes(grey_square(example.image, side)) for example in examples])
        self._masks = torch.stack([_bytes(mask_square(example.mask, side)) for example in examples])
        self._possible = torch.tensor([example.possible for example in examples])
        self._weights = diagnosis_weights(self._possible, loss.class_balance)
        self._shown = shown
        digest = hashlib.sha256()
        for part in (self._images, self._masks, self._possible):
            digest.update(part.numpy().tobytes())
        self._identity = {"network": network.config.to_json(), "loss": asdict(loss), "data": digest.hexdigest()}

    def set_apart(self, **more: Any) -> None:
        """Add what else makes a run another one than its neighbour."""
        self._identity |= more

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> BreastBatch:  # noqa: ARG002
        chosen = torch.from_numpy(random.integers(len(self._images), size=self._options.batch_size))
        images, masks = moved(self._images[chosen].float() / 255, self._masks[chosen].float() / 255, random)
        return BreastBatch(retuned(images, random), masks, self._possible[chosen])

    def loss(
        self,
        batch: BreastBatch,
        step: int,
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        learns = step >= self._loss.detached_share * self._options.steps
        found = self.network(batch.images, attention_learns=learns)
        parts = {}
        if self._loss.mask_weight:
            parts["mask"] = self._loss.mask_weight * mask_loss(found.mask_logits.float(), batch.masks)
        if self._loss.class_weight:
            weights = self._weights.to(batch.images.device)
            diagnosis = diagnosis_loss(found.class_logits.float(), batch.possible, weights, self._loss.smoothing)
            parts["diagnosis"] = self._loss.class_weight * diagnosis
        total = torch.stack(list(parts.values())).sum()
        return total, {name: float(part.detach()) for name, part in parts.items()}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_breast(cast(BreastNetwork, network), path, manifest=self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_sheet(cast(BreastNetwork, network), self._shown, path)


def _bytes(shares: torch.Tensor) -> torch.Tensor:
    return (255 * shares).round().to(torch.uint8)
