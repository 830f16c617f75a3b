"""The round itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from samantic.breast.checkpoint import BreastFile, read_breast
from samantic.breast.training.examples import BreastExample
from samantic.breast.training.retraining.learning import BreastLearner
from samantic.breast.training.retraining.material import material_of, read_examples
from samantic.breast.training.retraining.options import BreastRetrainOptions
from samantic.breast.training.retraining.outcome import RetrainedBreast
from samantic.datasets.studies import LabelledImage
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, held_out_ids
from samantic.segsam.training.retraining.watching import Watch, nobody_cancels, nobody_listens


def retrain(
    start: Path,
    images: Sequence[LabelledImage],
    options: BreastRetrainOptions | None = None,
    *,
    on_epoch: Callable[[EpochReport], None] = nobody_listens,
    is_cancelled: Callable[[], bool] = nobody_cancels,
    on_progress: Callable[[int, int, str], None] = nobody_listens,
) -> RetrainedBreast:
    """Learn from labelled ultrasound, starting from the network `start`; return the weights of the best epoch.

    The names of a label's segments say what they are: "breast lesion" is drawn and not judged, "benign" and
    "malignant" and their like (`samantic.breast.diagnosis`) are both, and a label that names a lesion and shows none is
    of a normal breast. The encoder and the calibration stay. Validation is on pictures that these weights have never
    learned from. A round takes a few minutes and is not resumed. On one machine the same seed gives the same weights.
    `on_progress` is told how much is done, of how much, and what: "images", "training". `is_cancelled` is asked before
    every image and step; Cancelled then, and nothing was written. TrainingError: there is nothing to learn from;
    BreastFileError: `start` is no network.
    """
    options, watch = options or BreastRetrainOptions(), Watch(on_epoch, on_progress, is_cancelled)
    stored = read_breast(start)
    left_out: list[str] = []
    total = min(len(images), options.most_images)
    examples = read_examples(images, options.most_images, left_out, lambda done: watch.go_on(done, total, "images"))
    material = material_of(examples, _held_out(stored, examples, options), left_out)
    learner = BreastLearner(stored.network, stored.calibration, material, options, watch)
    before = learner.before()
    best = learner.learn(before)
    learned = [example.image_id for example in material.training]
    manifest = TrainingManifest.of({options.data_set: learned})
    return RetrainedBreast(
        network=best.network,
        before=before.to_dict(),
        after=best.scores.to_dict(),
        no_worse=best.scores.is_no_worse_than(before),
        held_out=tuple(sorted({example.image_id for example in material.validation} - set(learned))),
        learned_from=tuple(sorted(set(learned))),
        left_out=tuple(material.left_out),
        epochs=best.reports,
        seconds=watch.seconds,
        calibration=stored.calibration,
        manifest=manifest if stored.manifest is None else manifest.with_earlier(stored.manifest),
    )


def _held_out(stored: BreastFile, examples: Sequence[BreastExample], options: BreastRetrainOptions) -> frozenset[str]:
    learned_before = frozenset() if stored.manifest is None else stored.manifest.image_ids
    ids = [example.image_id for example in examples]
    return held_out_ids(ids, options.validation_share, learned_before, options.validation_ids)
