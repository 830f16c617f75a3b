"""The segmenter learns until validation says that it is enough."""

from __future__ import annotations

import dataclasses
from typing import cast

import numpy as np
import torch

from samantic.besadiff.dermosegdiff import DermoSegDiff
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.training.retraining.material import LESION, Material
from samantic.besadiff.training.retraining.options import LesionRetrainOptions
from samantic.besadiff.training.segmenter_fit import SegmenterBatch, SegmenterTask
from samantic.besadiff.training.settings import SegmenterSettings
from samantic.evaluation import dice
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, Scores
from samantic.segsam.training.retraining.course import Course
from samantic.segsam.training.retraining.watching import Watch
from samantic.training.epochs import epochs


class SegmenterLearner:
    """Trains a network on a round's photographs by the loss that the bundled one was trained with."""

    def __init__(self, network: DermoSegDiff, material: Material, options: LesionRetrainOptions, watch: Watch) -> None:
        self._options, self._watch, self._material = options, watch, material
        device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._network, self._device = network.to(device), torch.device(device)
        # A round goes on from a network that is trained: both branches learn from its first step on.
        loss = dataclasses.replace(SegmenterSettings.from_yaml().loss, guess_share=0.0)
        schedule = options.fit_options()
        self._tasks = [
            SegmenterTask(network, views, schedule, loss, TrainingManifest())
            for views in (material.real, material.synthetic)
            if views
        ]

    def before(self) -> Scores:
        """How well the start segments what is held out."""
        return self._scores(self._network)

    def learn(self, before: Scores) -> tuple[DermoSegDiff, list[EpochReport]]:
        """Train, and return the average weights of the best epoch as they are published, in half precision."""
        course = Course(self._options, before, self._watch)
        learning = epochs(self._network, self._options, self._loss, self._watch.before_step)
        best = course.best(learning, self._network, lambda network: cast(DermoSegDiff, network), self._scores)
        return best, course.reports

    def _loss(self, step: int, random: np.random.Generator) -> torch.Tensor:
        synthetic = len(self._tasks) > 1 and random.random() < self._options.synthetic_share
        task = self._tasks[1 if synthetic else 0]
        batch = task.draw(step, random)
        # In the plain order of numbers: group normalisation of any other is slow on a CPU.
        batch = SegmenterBatch(batch.images.to(self._device), batch.signed_distances.to(self._device))
        return task.loss(batch, step, random)[0]

    def _scores(self, network: DermoSegDiff) -> Scores:
        """Mean Dice over the held-out photographs, on their squares."""
        segmenter = LesionSegmenter(network, device=self._device)
        found = []
        for view in self._material.validation:
            self._watch.check()
            answer = segmenter.segment(view.image, members=self._options.members, steps=self._options.steps)
            found.append(dice(answer.mask, view.labels > 0))
        mean = float(np.mean(found))
        return Scores(mean, {LESION: mean})
