"""One training round on real photographs in which people have labelled skin and lesions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch

from samantic.datasets.studies import LabelledImage
from samantic.evaluation import dice
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, LearnedRound, Scores, held_out_ids
from samantic.segsam.training.retraining.course import Course
from samantic.segsam.training.retraining.watching import Watch, nobody_cancels, nobody_listens
from samantic.skinphoto.checkpoint import read_skin_photo, save_skin_photo
from samantic.skinphoto.classes import BACKGROUND, CLASS_NAMES, LESION
from samantic.skinphoto.network import SkinPhotoNetwork
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.skinphoto.training.augmentation import varied
from samantic.skinphoto.training.labelled_photographs import LabelledPhotograph, moved_batch, read_photographs
from samantic.skinphoto.training.retrain_options import SkinRetrainOptions
from samantic.skinphoto.training.skin_photo_loss import skin_photo_loss
from samantic.training import TrainingError
from samantic.training.epochs import epochs


@dataclass(frozen=True, eq=False, kw_only=True)
class RetrainedSkinPhoto(LearnedRound):
    """The network after a round, with the manifest of all that it has learned from."""

    network: SkinPhotoNetwork
    manifest: TrainingManifest

    def save(self, path: Path) -> None:
        """Write the weights, atomically."""
        save_skin_photo(self.network, path, self.manifest)


def retrain(
    start: Path,
    images: Sequence[LabelledImage],
    options: SkinRetrainOptions | None = None,
    *,
    on_epoch: Callable[[EpochReport], None] = nobody_listens,
    is_cancelled: Callable[[], bool] = nobody_cancels,
) -> RetrainedSkinPhoto:
    """Learn from labelled photographs, starting from the weights `start`; return the weights of the best epoch.

    `class_of_value` of each image names `skin`, and `skin_lesion` where one is drawn. Validation is on photographs that
    these weights have never learned from. `is_cancelled` is asked before every step; Cancelled then. TrainingError:
    there is nothing to learn from; SkinPhotoWeightsError: `start` holds no weights.
    """
    options, watch = options or SkinRetrainOptions(), Watch(on_epoch, nobody_listens, is_cancelled)
    weights = read_skin_photo(start)
    left_out: list[str] = []
    photographs = read_photographs(images, weights.network.config.side, options.most_images, left_out)
    ids = [one.image_id for one in photographs]
    held_out = held_out_ids(ids, options.validation_share, weights.manifest.image_ids, options.validation_ids)
    learned = [one for one in photographs if one.image_id not in held_out]
    if not learned:
        raise TrainingError(f"There is nothing to learn from: {' '.join(left_out) or 'no photograph is labelled.'}")
    validation = [one for one in photographs if one.image_id in held_out] or learned
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    before, best, reports = _learned(weights.network.to(device), learned, validation, options, watch)
    manifest = TrainingManifest.of({options.data_set: [one.image_id for one in learned]})
    return RetrainedSkinPhoto(
        network=best,
        before=before.to_dict(),
        after=next(report for report in reversed(reports) if report.is_best).after.to_dict(),
        held_out=tuple(sorted(held_out)),
        learned_from=tuple(sorted(one.image_id for one in learned)),
        left_out=tuple(left_out),
        epochs=tuple(reports),
        seconds=watch.seconds,
        manifest=manifest.with_earlier(weights.manifest),
    )


def _learned(
    network: SkinPhotoNetwork,
    learned: Sequence[LabelledPhotograph],
    validation: Sequence[LabelledPhotograph],
    options: SkinRetrainOptions,
    watch: Watch,
) -> tuple[Scores, SkinPhotoNetwork, list[EpochReport]]:
    before = scores(network, validation)
    device, side = next(network.parameters()).device, network.config.side

    def loss(_: int, random: np.random.Generator) -> torch.Tensor:
        images, labels = varied(*moved_batch(learned, options.batch_size, side, random), random)
        # The normalisation stays as it was learned: few photographs would spoil its statistics.
        return skin_photo_loss(network.eval()(images.to(device)), labels.to(device))

    course = Course(options, before, watch)
    best = course.best(
        epochs(network, options, loss, watch.before_step),
        network,
        lambda learned: cast(SkinPhotoNetwork, learned),
        lambda candidate: scores(candidate, validation),
    )
    return before, best, course.reports


def scores(network: SkinPhotoNetwork, photographs: Sequence[LabelledPhotograph]) -> Scores:
    """Mean Dice of skin with lesions, and of lesions over the photographs that show one or were said to."""
    segmenter = SkinSegmenter(network, device=next(network.parameters()).device)
    found: dict[str, list[float]] = {name: [] for name in CLASS_NAMES}
    for one in photographs:
        labels = segmenter.segment(one.image).labels((one.labels.shape[0], one.labels.shape[1]))
        found[CLASS_NAMES[0]].append(dice(labels != BACKGROUND, one.labels != BACKGROUND))
        if (labels == LESION).any() or (one.labels == LESION).any():
            found[CLASS_NAMES[1]].append(dice(labels == LESION, one.labels == LESION))
    means = {name: float(np.mean(values)) for name, values in found.items() if values}
    return Scores(float(np.mean(list(means.values()))), means)
