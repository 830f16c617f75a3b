"""The segmenter learns until validation says that it is enough."""

from __future__ import annotations

import copy
import dataclasses
from typing import cast

import numpy as np
import torch
from accelerate.utils import set_seed

from samantic.besadiff.dermosegdiff import DermoSegDiff
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.training.retraining.material import LESION, Material
from samantic.besadiff.training.retraining.options import LesionRetrainOptions
from samantic.besadiff.training.segmenter_fit import SegmenterBatch, SegmenterTask
from samantic.besadiff.training.settings import SegmenterSettings
from samantic.evaluation import dice
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, Scores
from samantic.segsam.training.retraining.watching import Watch
from samantic.training import learning_rate_at
from samantic.training.optimiser import adamw, moving_average


class SegmenterLearner:
    """Trains a network on a round's photographs by the loss that the bundled one was trained with.

    It is a loop of its own, with the common optimiser, schedule and average: it stops when validation says so, which
    the common loop does not know.
    """

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
        options, network = self._options, self._network.train()
        schedule = options.fit_options()
        optimiser, average = adamw(network, schedule), moving_average(network, options.average_decay)
        best, reports = network, list[EpochReport]()
        for epoch in range(options.epochs):
            losses = []
            for step in range(epoch * options.steps_per_epoch, (epoch + 1) * options.steps_per_epoch):
                self._watch.go_on(step, schedule.steps, "training")
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate_at(step, schedule)
                optimiser.zero_grad()
                loss = self._loss(step)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.gradient_norm)
                optimiser.step()
                average.update_parameters(network)
                losses.append(float(loss.detach()))
            candidate = cast(DermoSegDiff, copy.deepcopy(average.module).half().float().eval())
            after = self._scores(candidate)
            is_best = all(after.mean_dice > report.after.mean_dice for report in reports)
            if is_best:
                best = candidate
            report = EpochReport(
                epoch + 1, options.epochs, float(np.mean(losses)), before, after, is_best, self._watch.seconds
            )
            reports.append(report)
            self._watch.on_epoch(report)
            if epoch + 1 - max(report.epoch for report in reports if report.is_best) >= options.patience:
                break
        return best, reports

    def _loss(self, step: int) -> torch.Tensor:
        key = (self._options.seed, step)
        # As in the common loop: torch's own generators are seeded by the step, too.
        set_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        random = np.random.default_rng(key)
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
