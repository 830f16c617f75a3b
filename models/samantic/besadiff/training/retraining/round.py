"""The round itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from samantic.besadiff.checkpoint import PartError, PartFile, read_part
from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.training.retraining.learning import SegmenterLearner
from samantic.besadiff.training.retraining.material import Material, material_of, read_views, square
from samantic.besadiff.training.retraining.options import LesionRetrainOptions
from samantic.besadiff.training.retraining.outcome import RetrainedSegmenter
from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.studies import LabelledImage
from samantic.segsam import TrainingManifest
from samantic.segsam.training.retraining import EpochReport, held_out_ids
from samantic.segsam.training.retraining.watching import Watch, nobody_cancels, nobody_listens

SYNTHETIC = "{}, synthetic"
"""Name of a data set's synthetic pairs in the manifest."""


def retrain(
    start: Path,
    images: Sequence[LabelledImage],
    options: LesionRetrainOptions | None = None,
    *,
    on_epoch: Callable[[EpochReport], None] = nobody_listens,
    is_cancelled: Callable[[], bool] = nobody_cancels,
    on_progress: Callable[[int, int, str], None] = nobody_listens,
) -> RetrainedSegmenter:
    """Learn from labelled photographs, starting from the segmenter `start`; return the weights of the best epoch.

    Every value that `class_of_value` of an image names is lesion. Images that are marked as synthetic are learned from
    and never measured on: validation is on real photographs that these weights have never learned from. A round takes a
    few minutes and is not resumed. On one machine the same seed gives the same weights. `on_progress` is told how much
    is done, of how much, and what: "images", "training". `is_cancelled` is asked before every image and step;
    Cancelled then, and nothing was written. TrainingError: there is nothing to learn from; PartError: `start` is none.
    """
    options, watch = options or LesionRetrainOptions(), Watch(on_epoch, on_progress, is_cancelled)
    part, config = _read(start)
    left_out: list[str] = []
    real, synthetic = ([one for one in images if one.is_synthetic is made_up] for made_up in (False, True))
    count = min(len(real), options.most_images)
    total = count + min(len(synthetic), options.most_images)

    def go_on(done: int, before: int) -> None:
        watch.go_on(before + done, total, "images")

    views = read_views(real, config.image_side, options.most_images, left_out, lambda done: go_on(done, 0))
    made_up = read_views(synthetic, config.image_side, options.most_images, left_out, lambda done: go_on(done, count))
    material = material_of(views, made_up, _held_out(part, views, options), left_out)
    return _learned(part, config, material, options, watch)


def retrain_on_views(
    start: Path,
    views: Iterable[LabelledView],
    options: LesionRetrainOptions | None = None,
    *,
    synthetic: Iterable[LabelledView] = (),
    on_epoch: Callable[[EpochReport], None] = nobody_listens,
    is_cancelled: Callable[[], bool] = nobody_cancels,
) -> RetrainedSegmenter:
    """Likewise from the views of a data set (`samantic.datasets.layouts.open_dataset`), one in memory at a time."""
    options, watch = options or LesionRetrainOptions(), Watch(on_epoch, nobody_listens, is_cancelled)
    part, config = _read(start)
    real, made_up = ([square(view, config.image_side) for view in some] for some in (views, synthetic))
    return _learned(part, config, material_of(real, made_up, _held_out(part, real, options), []), options, watch)


def _read(start: Path) -> tuple[PartFile, DermoSegDiffConfig]:
    part = read_part("segmenter", start)
    try:
        return part, DermoSegDiffConfig.from_json(part.config_json)
    except (TypeError, ValueError) as error:
        raise PartError(f"The configuration in {start.name} cannot be used: {error}") from error


def _held_out(part: PartFile, views: Sequence[LabelledView], options: LesionRetrainOptions) -> frozenset[str]:
    learned_before = frozenset() if part.manifest is None else part.manifest.image_ids
    ids = [view.image_id for view in views]
    return held_out_ids(ids, options.validation_share, learned_before, options.validation_ids)


def _learned(
    part: PartFile, config: DermoSegDiffConfig, material: Material, options: LesionRetrainOptions, watch: Watch
) -> RetrainedSegmenter:
    network = DermoSegDiff(config)
    part.into(network)
    learner = SegmenterLearner(network, material, options, watch)
    before = learner.before()
    best, reports = learner.learn(before)
    learned, made_up = ([view.image_id for view in views] for views in (material.real, material.synthetic))
    sets = {options.data_set: learned} | ({SYNTHETIC.format(options.data_set): made_up} if made_up else {})
    manifest = TrainingManifest.of(sets)
    return RetrainedSegmenter(
        network=best,
        before=before.to_dict(),
        after=next(report for report in reversed(reports) if report.is_best).after.to_dict(),
        held_out=tuple(sorted({view.image_id for view in material.validation} - set(learned))),
        learned_from=tuple(sorted(set(learned) | set(made_up))),
        left_out=tuple(material.left_out),
        epochs=tuple(reports),
        seconds=watch.seconds,
        manifest=manifest if part.manifest is None else manifest.with_earlier(part.manifest),
        notes=part.notes,
    )
