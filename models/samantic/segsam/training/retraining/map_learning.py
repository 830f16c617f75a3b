"""The prompt-free head learns from kept embeddings until validation says that it is enough."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from samantic.segsam.growing import awake_in_head, with_learned, without_silent
from samantic.segsam.prompt_free_head import PromptFreeHead
from samantic.segsam.training.retraining.feature_shelf import FeatureShelf
from samantic.segsam.training.retraining.map_loss import EarlierHead, map_loss, targets_of
from samantic.segsam.training.retraining.material import Material
from samantic.segsam.training.retraining.options import RetrainOptions
from samantic.segsam.training.retraining.outcome import EpochReport, Scores
from samantic.segsam.training.retraining.slices import StudySlice
from samantic.segsam.training.retraining.validation import dice_of
from samantic.segsam.training.retraining.watching import Watch
from samantic.training import learning_rate_at
from samantic.training.optimiser import adamw, moving_average


class MapLearner:
    """Trains a head on a round's slices, and only the classes that it knows or that a label names.

    A head may have a hundred classes that nothing was ever learned about; their maps would cost as much as the rest.
    """

    def __init__(
        self,
        head: PromptFreeHead,
        class_names: Sequence[str],
        material: Material,
        shelf: FeatureShelf,
        options: RetrainOptions,
        random: np.random.Generator,
        watch: Watch,
    ) -> None:
        self._whole, self._class_names, self._material = head, class_names, material
        self._shelf, self._options, self._random, self._watch = shelf, options, random, watch
        known_before = awake_in_head(head)
        self._classes = known_before + [index for index in material.classes if index not in known_before]
        self._row_of = {index: row for row, index in enumerate(self._classes)}
        self._head = without_silent(head, self._classes)
        self._earlier = None
        if known_before:
            earlier = without_silent(head, known_before).eval().requires_grad_(False)
            self._earlier = EarlierHead(earlier, len(known_before))

    def before(self) -> Scores:
        """What the head knew."""
        everyone = {index: index for index in range(len(self._class_names))}
        return self._scores(self._whole, everyone)

    def learn(self, before: Scores) -> list[EpochReport]:
        """Train; the head has the average weights of the best epoch afterwards."""
        options, head = self._options, self._head.requires_grad_(True).train()
        labelled, rehearsed = self._batch_sizes()
        steps_an_epoch = max(1, round(options.samples_per_epoch / labelled))
        schedule = options.fit_options(options.epochs * steps_an_epoch)
        optimiser, average = adamw(head, schedule), moving_average(head, options.average_decay)
        best, reports = head, list[EpochReport]()
        for epoch in range(options.epochs):
            losses = []
            for step in range(epoch * steps_an_epoch, (epoch + 1) * steps_an_epoch):
                self._watch.go_on(step, schedule.steps, "training")
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate_at(step, schedule)
                optimiser.zero_grad()
                loss = self._loss(labelled, rehearsed)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(head.parameters(), schedule.gradient_norm)
                optimiser.step()
                average.update_parameters(head)
                losses.append(float(loss.detach()))
            after = self._scores(average.module, self._row_of)
            is_best = all(after.mean_dice > report.after.mean_dice for report in reports)
            if is_best:
                best = cast(PromptFreeHead, copy.deepcopy(average.module))
            mean_loss = float(np.mean(losses))
            reports.append(
                EpochReport(epoch + 1, options.epochs, mean_loss, before, after, is_best, self._watch.seconds)
            )
            self._watch.on_epoch(reports[-1])
            if epoch + 1 - max(report.epoch for report in reports if report.is_best) >= options.patience:
                break
        with_learned(self._whole, best, self._classes)
        return reports

    def _loss(self, labelled: int, rehearsed: int) -> torch.Tensor:
        slices = self._drawn(self._material.training, labelled) + self._drawn(self._material.rehearsed, rehearsed)
        features = self._shelf.of(slices)
        device = features["image_embedding"].device
        targets = targets_of(slices, self._row_of, device)
        has_label = torch.arange(len(slices), device=device) < labelled
        weight = self._options.distillation_weight
        with torch.autocast(device.type, torch.bfloat16, enabled=self._options.mixed_precision == "bf16"):
            return map_loss(self._head, features, targets, has_label, self._earlier, weight, self._random)

    def _batch_sizes(self) -> tuple[int, int]:
        size = self._options.batch_size
        if not self._material.rehearsed or self._earlier is None:
            return size, 0
        rehearsed = min(size - 1, round(self._options.rehearsal_share * size))
        return size - rehearsed, rehearsed

    def _drawn(self, slices: list[StudySlice], count: int) -> list[StudySlice]:
        return [slices[int(index)] for index in self._random.integers(len(slices), size=count)] if count else []

    def _scores(self, head: torch.nn.Module, row_of: dict[int, int]) -> Scores:
        return dice_of(head, self._material.validation, self._shelf, self._class_names, row_of, self._watch.check)
