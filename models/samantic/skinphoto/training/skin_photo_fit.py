"""The network on the training loop that all models share."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.segsam import TrainingManifest
from samantic.skinphoto.checkpoint import save_skin_photo
from samantic.skinphoto.composites import Composite, LesionPatch, draw_composite
from samantic.skinphoto.network import SkinPhotoNetwork
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.skinphoto.training.augmentation import varied
from samantic.skinphoto.training.settings import SkinPhotoSettings
from samantic.skinphoto.training.skin_photo_loss import skin_photo_loss
from samantic.skinphoto.training.skin_photo_sheet import write_sheet
from samantic.training import TrainingError, fit


@dataclass(frozen=True, eq=False)
class SkinPhotoBatch:
    """`images` (B, 3, S, S) in 0 to 1; `labels` (B, S, S) int64, see `classes`."""

    images: torch.Tensor
    labels: torch.Tensor


def fit_skin_photo(
    lesions: Sequence[LesionPatch],
    settings: SkinPhotoSettings,
    run: Path,
    *,
    shown: Sequence[Composite] = (),
    dataset: str = "isic2017",
) -> SkinPhotoNetwork:
    """Train a network on composites of lesions and return the average network; each composite is drawn once.

    The weights are `skin-photo.safetensors` in the folder `run`. `dataset` is the name under which the manifest lists
    the lesions. See `samantic.training.fit`; TrainingError where there are no lesions.
    """
    set_seed(settings.fit.seed)
    return cast(SkinPhotoNetwork, fit(SkinPhotoTask(lesions, settings, shown, dataset), settings.fit, run))


class SkinPhotoTask:
    """A network learns what is skin and what is lesion in composites (a `TrainingTask`)."""

    weights_name = "skin-photo.safetensors"

    def __init__(
        self, lesions: Sequence[LesionPatch], settings: SkinPhotoSettings, shown: Sequence[Composite], dataset: str
    ) -> None:
        if not lesions:
            raise TrainingError("There is no lesion to make composites of.")
        self._lesions, self._settings, self._shown = lesions, settings, shown
        self._manifest = TrainingManifest.of({dataset: [lesion.image_id for lesion in lesions]})
        self.network = SkinPhotoNetwork(settings.network, settings.encoder_weights)
        digest = hashlib.sha256()
        for lesion in lesions:
            digest.update(lesion.ratio.tobytes() + lesion.alpha.tobytes())
        self._identity = {
            "network": dataclasses.asdict(settings.network),
            "encoder_weights": settings.encoder_weights,
            "smaller_first": [dataclasses.asdict(stage) for stage in settings.smaller_first],
            "lesions": digest.hexdigest(),
        }

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> SkinPhotoBatch:
        side = self._settings.side_at(step)
        drawn = [draw_composite(random, self._lesions, (side, side)) for _ in range(self._settings.fit.batch_size)]
        images = torch.from_numpy(np.stack([one.image for one in drawn])).permute(0, 3, 1, 2).float() / 255
        labels = torch.from_numpy(np.stack([one.labels for one in drawn])).long()
        return SkinPhotoBatch(*varied(images, labels, random))

    def loss(
        self,
        batch: SkinPhotoBatch,
        step: int,  # noqa: ARG002
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        return skin_photo_loss(self.network(batch.images).float(), batch.labels), {}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_skin_photo(cast(SkinPhotoNetwork, network), path, self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_sheet(SkinSegmenter(cast(SkinPhotoNetwork, network)), self._shown, path)
