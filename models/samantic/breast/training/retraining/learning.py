"""The heads learn until validation says that it is enough; the encoder stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch

from samantic.breast.calibration import BreastCalibration
from samantic.breast.diagnosis import LESION, known_index
from samantic.breast.network import BreastNetwork
from samantic.breast.reader import BreastReader
from samantic.breast.training.fit import BreastBatch, BreastTask
from samantic.breast.training.retraining.material import Material
from samantic.breast.training.retraining.options import BreastRetrainOptions
from samantic.breast.training.retraining.outcome import BreastScores
from samantic.breast.training.settings import BreastSettings
from samantic.evaluation import dice
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, Scores
from samantic.segsam.training.retraining.course import Course
from samantic.segsam.training.retraining.watching import Watch
from samantic.training.epochs import epochs

LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True, eq=False)
class BestEpoch:
    """The network of the best epoch, its scores, and what every epoch came to."""

    network: BreastNetwork
    scores: BreastScores
    reports: tuple[EpochReport, ...]


class BreastLearner:
    """Trains the heads on a round's pictures by the loss that the bundled network was trained with.

    With the encoder frozen, what the network calls familiar does not move.
    """

    def __init__(
        self,
        network: BreastNetwork,
        calibration: BreastCalibration | None,
        material: Material,
        options: BreastRetrainOptions,
        watch: Watch,
    ) -> None:
        self._options, self._watch, self._material, self._calibration = options, watch, material, calibration
        self._device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._network = network.to(self._device)
        network.encoder.requires_grad_(False)
        # The mask is there already: the classes may teach it from the first step on.
        loss = replace(BreastSettings.from_yaml().loss, detached_share=0.0)
        self._task = BreastTask(network, material.training, options.fit_options(), loss, TrainingManifest())

    def before(self) -> BreastScores:
        """How well the start reads what is held out."""
        return self._scores(self._network)

    def learn(self, before: BreastScores) -> BestEpoch:
        """Train; the best epoch is the one with the highest Dice among those that are no worse than the start.

        Where every epoch is worse in something, it is the one with the highest Dice.
        """
        course, best, best_scores = Course(self._options, before.masks, self._watch), self._network, before
        for epoch in epochs(self._network, self._options, self._loss, self._watch.before_step):
            candidate = cast(BreastNetwork, epoch.network)
            scores = self._scores(candidate)
            is_best = not course.reports or _rank(scores, before) > _rank(best_scores, before)
            if is_best:
                best, best_scores = candidate, scores
            course.note(epoch, scores.masks, is_best=is_best)
            if course.is_over:
                break
        return BestEpoch(best, best_scores, tuple(course.reports))

    def _loss(self, step: int, random: np.random.Generator) -> torch.Tensor:
        batch = self._task.draw(step, random)
        parts = (part.to(self._device) for part in (batch.images, batch.masks, batch.possible))
        return self._task.loss(BreastBatch(*parts), step, random)[0]

    def _scores(self, network: BreastNetwork) -> BreastScores:
        reader = BreastReader(network, self._calibration, device=self._device)
        overlaps: list[tuple[bool, float]] = []
        losses = []
        for example in self._material.validation:
            self._watch.check()
            answer = reader.read(example.image)
            overlaps.append((bool(example.mask.any()), dice(answer.mask, example.mask)))
            index = known_index(example.possible)
            if index is not None:
                losses.append(-np.log(max(float(answer.diagnosis_probabilities[index]), LEAST_PROBABILITY)))
        lesions = [score for has_lesion, score in overlaps if has_lesion]
        mean = float(np.mean([score for _, score in overlaps]))
        masks = Scores(mean, {LESION: float(np.mean(lesions))} if lesions else {})
        return BreastScores(masks, float(np.mean(losses)) if losses else None)


def _rank(scores: BreastScores, before: BreastScores) -> tuple[bool, float]:
    return scores.is_no_worse_than(before), scores.masks.mean_dice
