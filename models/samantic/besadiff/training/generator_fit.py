"""The generator on the training loop that all models share."""

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

from samantic.besadiff.checkpoint import save_part
from samantic.besadiff.generator.condition import ConditionDistribution, Diagnosis, LesionCondition, condition_of
from samantic.besadiff.generator.condition_input import condition_planes, condition_vectors
from samantic.besadiff.generator.lesion_generator import CONDITIONS, KIND
from samantic.besadiff.generator.network import GeneratorNetwork
from samantic.besadiff.generator.patch_basis import to_signed
from samantic.besadiff.generator.planes import planes_of
from samantic.besadiff.training.generator_loss import generator_loss
from samantic.besadiff.training.generator_settings import GeneratorSettings
from samantic.besadiff.training.generator_sheet import write_generated_sheet
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.manifest import TrainingManifest
from samantic.training import TrainingError, fit


@dataclass(frozen=True, eq=False)
class GeneratorBatch:
    """`planes` (B, 4, S, S) in -1 to 1; `vectors` and `guides` of the conditions, those left out included."""

    planes: torch.Tensor
    vectors: torch.Tensor
    guides: torch.Tensor


def fit_generator(
    views: Sequence[LabelledView],
    settings: GeneratorSettings,
    run: Path,
    *,
    diagnoses: Mapping[str, Diagnosis] | None = None,
    dataset: str = "isic2017",
) -> GeneratorNetwork:
    """Train a generator on labelled views and return it; its file is `generator.safetensors` in the folder `run`.

    `diagnoses` by image id, none where an image is not in it; `dataset` is the name under which the manifest lists the
    ids. See `samantic.training.fit` for what is raised; TrainingError where no view shows a lesion.
    """
    set_seed(settings.fit.seed)
    task = GeneratorTask(views, settings, diagnoses or {}, dataset)
    return cast(GeneratorNetwork, fit(task, settings.fit, run))


class GeneratorTask:
    """A network learns to draw pictures and masks like those of labelled views (a `TrainingTask`)."""

    weights_name = "generator.safetensors"

    def __init__(
        self,
        views: Sequence[LabelledView],
        settings: GeneratorSettings,
        diagnoses: Mapping[str, Diagnosis],
        dataset: str,
    ) -> None:
        shown = [view for view in views if (view.labels > 0).any()]
        if not shown:
            raise TrainingError(f"None of the {len(views)} images shows a lesion: there is nothing to learn from.")
        self._settings = settings
        self._planes = planes_of(shown, settings.network.image_size)
        self._diagnoses = [diagnoses.get(view.image_id) for view in shown]
        measured = [
            condition_of(planes[3] > 127, diagnosis)
            for planes, diagnosis in zip(self._planes, self._diagnoses, strict=True)
        ]
        self._conditions = ConditionDistribution.of(measured)
        self._manifest = TrainingManifest.of({dataset: [view.image_id for view in shown]})
        self.network = GeneratorNetwork(settings.network)
        self.network.basis.learn(self._planes)
        self._identity = {
            "network": dataclasses.asdict(settings.network),
            "drop": [settings.drop_all, settings.drop_each],
            "images": hashlib.sha256(self._planes.tobytes()).hexdigest(),
            "conditions": hashlib.sha256(self._conditions.to_json().encode()).hexdigest(),
        }

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> GeneratorBatch:  # noqa: ARG002
        drawn, conditions = [], []
        for index in random.integers(len(self._planes), size=self._settings.fit.batch_size):
            planes = _turned(self._planes[index], random)
            drawn.append(planes)
            conditions.append(self._left_open(condition_of(planes[3] > 127, self._diagnoses[index]), random))
        config = self._settings.network
        return GeneratorBatch(
            to_signed(torch.from_numpy(np.stack(drawn))),
            condition_vectors(conditions),
            condition_planes(conditions, config.image_size // config.patch),
        )

    def loss(
        self,
        batch: GeneratorBatch,
        step: int,  # noqa: ARG002
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        with torch.autocast(batch.planes.device.type, enabled=False):
            clean = self.network.basis.encode(batch.planes)
        return generator_loss(self.network, clean, batch.vectors, batch.guides), {}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        config = self._settings.network.to_json()
        save_part(KIND, network, config, path, manifest=self._manifest, notes={CONDITIONS: self._conditions.to_json()})

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        write_generated_sheet(cast(GeneratorNetwork, network), self._conditions, path)

    def _left_open(self, condition: LesionCondition, random: np.random.Generator) -> LesionCondition:
        """The condition with parts left out, so that a picture can be asked for without them."""
        if random.random() < self._settings.drop_all:
            return LesionCondition()
        without = random.random(3) < self._settings.drop_each
        return LesionCondition(
            None if without[0] else condition.diagnosis,
            None if without[1] else condition.area,
            None if without[2] else condition.centre_yx,
        )


def _turned(planes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One of the eight flips and rotations of planes (4, S, S): dermoscopic pictures have no upright."""
    planes = np.rot90(planes, int(random.integers(4)), axes=(1, 2))
    return planes[:, :, ::-1] if random.random() < 0.5 else planes
