"""DermoSegDiff on the training loop that all models share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from monai.losses import DiceCELoss
from torch import nn

from samantic.besadiff.boundary_loss import BOUNDARY_WEIGHT, boundary_aware_loss
from samantic.besadiff.checkpoint import PartError, read_part, save_part
from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig, ImageFeatures
from samantic.besadiff.distance_maps import signed_distance
from samantic.besadiff.noise_schedule import STEPS, training_schedule
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.squares import stretched
from samantic.besadiff.training.augmentation import moved, recoloured
from samantic.besadiff.training.segmenter_sheet import write_sheet
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import TrainingManifest
from samantic.training import FitOptions, fit


@dataclass(frozen=True)
class SegmenterLoss:
    """`gamma` and `boundary_weight` of the boundary-aware loss (weight 0: without it).

    Ours, all 0 as published: `overlap_weight` of the soft Dice loss of the clean mask; `pure_noise_share` of the
    pictures that are learned from at the last step, where nothing of the mask is left. The mask's low frequencies
    outlive most steps, so a network that is asked at any step alike mostly learns to read the mask, not the picture.
    `guess_weight` of the loss (Dice and cross entropy) of a time-free image branch's own guess, and `guess_share` of
    the training during which that branch learns alone, at half the price of a step.
    """

    gamma: float = 0.25
    boundary_weight: float = BOUNDARY_WEIGHT
    overlap_weight: float = 0.0
    pure_noise_share: float = 0.0
    guess_weight: float = 0.0
    guess_share: float = 0.0


@dataclass(frozen=True, eq=False)
class SegmenterBatch:
    """`images` (B, 3, image_side, image_side) in 0 to 1; `signed_distances` (B, 1, mask_side, mask_side) in pixels."""

    images: torch.Tensor
    signed_distances: torch.Tensor


def fit_segmenter(
    config: DermoSegDiffConfig,
    views: Sequence[LabelledView],
    options: FitOptions,
    run: Path,
    *,
    loss: SegmenterLoss | None = None,
    start: Path | None = None,
    shown: Sequence[LabelledView] = (),
    dataset: str = "isic2017",
) -> DermoSegDiff:
    """Train DermoSegDiff on photographs whose labels are a lesion (not 0) or not, and return the average network.

    The weights are `segmenter.safetensors` in the folder `run`. `start` are weights of the same configuration to go
    on from. See `samantic.training.fit`; PartError where `start` does not fit.
    """
    set_seed(options.seed)
    network, manifest = DermoSegDiff(config), TrainingManifest.of({dataset: [view.image_id for view in views]})
    if start is not None:
        part = read_part("segmenter", start)
        if DermoSegDiffConfig.from_json(part.config_json) != config:
            raise PartError(f"{start.name} has another configuration than the network to train.")
        part.into(network)
        manifest = manifest if part.manifest is None else manifest.with_earlier(part.manifest)
    task = SegmenterTask(network, views, options, loss or SegmenterLoss(), manifest, shown)
    return cast(DermoSegDiff, fit(task, options, run))


class SegmenterTask:
    """A two-branch network learns to take the noise off a mask, seeing the photograph (a `TrainingTask`)."""

    weights_name = "segmenter.safetensors"

    def __init__(
        self,
        network: DermoSegDiff,
        views: Sequence[LabelledView],
        options: FitOptions,
        loss: SegmenterLoss,
        manifest: TrainingManifest,
        shown: Sequence[LabelledView] = (),
    ) -> None:
        if not views:
            raise ValueError("There is no labelled photograph to learn from.")
        self.network, self._options, self._loss, self._manifest = network, options, loss, manifest
        side, image_side = network.config.mask_side, network.config.image_side
        self._images = torch.stack([stretched(view.image, image_side) for view in views])
        self._distances = torch.stack([signed_distance(view.labels > 0, side)[None] for view in views])
        self._schedule = training_schedule(network.config.prediction)
        self._guess_loss = DiceCELoss(sigmoid=True)
        self._shown = shown
        digest = hashlib.sha256()
        for part in (self._images, self._distances):
            digest.update(part.numpy().tobytes())
        self._identity = {"network": network.config.to_json(), "loss": asdict(loss), "data": digest.hexdigest()}

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> SegmenterBatch:  # noqa: ARG002
        chosen = random.integers(len(self._images), size=self._options.batch_size)
        images, distances = moved(self._images[chosen].float() / 255, self._distances[chosen], random)
        return SegmenterBatch(recoloured(images, random), distances)

    def loss(
        self, batch: SegmenterBatch, step: int, random: np.random.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        features = self.network.image_features(batch.images)
        parts = {}
        if features.guess is not None and self._loss.guess_weight:
            truth = (batch.signed_distances > 0).float()
            parts["guess"] = self._loss.guess_weight * self._guess_loss(features.guess.float(), truth)
        if not parts or step >= self._loss.guess_share * self._options.steps:
            parts |= self._denoising(features, batch.signed_distances, random)
        total = torch.stack(list(parts.values())).sum()
        return total, {name: float(part.detach()) for name, part in parts.items()}

    def _denoising(
        self, features: ImageFeatures, signed_distances: torch.Tensor, random: np.random.Generator
    ) -> dict[str, torch.Tensor]:
        clean = torch.where(signed_distances > 0, 1.0, -1.0)
        drawn = random.integers(1, STEPS, size=len(clean))
        drawn[random.random(len(clean)) < self._loss.pure_noise_share] = STEPS - 1
        steps = torch.from_numpy(drawn).to(clean.device)
        noise = torch.from_numpy(random.standard_normal(clean.shape, dtype=np.float32)).to(clean.device)
        noisy = self._schedule.add_noise(clean, noise, steps)
        predicted = self.network(noisy, features, steps).float()
        target = clean if self.network.config.prediction == "sample" else noise
        parts = {
            "denoising": boundary_aware_loss(
                predicted, target, signed_distances, steps, self._loss.gamma, self._loss.boundary_weight
            )
        }
        if self._loss.overlap_weight:
            parts["overlap"] = self._loss.overlap_weight * _overlap_loss(
                self._clean_of(predicted, noisy, steps), clean > 0
            )
        return parts

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_part("segmenter", network, self.network.config.to_json(), path, manifest=self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_sheet(LesionSegmenter(cast(DermoSegDiff, network)), self._shown, path)

    def _clean_of(self, predicted: torch.Tensor, noisy: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        if self.network.config.prediction == "sample":
            return predicted
        kept = self._schedule.alphas_cumprod.to(noisy.device)[steps].view(-1, 1, 1, 1)
        return (noisy - (1 - kept).sqrt() * predicted) / kept.sqrt()


def _overlap_loss(clean: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """1 - soft Dice of each picture: masks (B, 1, S, S) in -1 to 1 and truths, bool -> scalar."""
    share, truth = ((clean + 1) / 2).clamp(0, 1).flatten(1), inside.float().flatten(1)
    return (1 - (2 * (share * truth).sum(1) + 1) / (share.sum(1) + truth.sum(1) + 1)).mean()
