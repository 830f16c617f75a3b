"""The round itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from samantic.datasets.studies import LabelledImage
from samantic.sam import EmbeddingCache
from samantic.segsam.checkpoint import load_calibration, load_manifest, load_network
from samantic.segsam.growing import NewClass, awake_in_head, class_named, described_by_text, grown, with_new_head
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.network import SegSam
from samantic.segsam.predictor import SegSamPredictor
from samantic.segsam.training.retraining.feature_shelf import FeatureShelf
from samantic.segsam.training.retraining.map_learning import MapLearner
from samantic.segsam.training.retraining.material import Material, read_material
from samantic.segsam.training.retraining.naming_learning import late_classes_of, learn_names
from samantic.segsam.training.retraining.options import RetrainOptions
from samantic.segsam.training.retraining.outcome import EpochReport, Retrained
from samantic.segsam.training.retraining.phantom_pictures import phantom_slices
from samantic.segsam.training.retraining.slices import SliceReader
from samantic.segsam.training.retraining.splitting import held_out_ids
from samantic.segsam.training.retraining.watching import Watch, nobody_cancels, nobody_listens


def retrain(
    start: Path,
    images: Sequence[LabelledImage],
    options: RetrainOptions | None = None,
    *,
    cache: EmbeddingCache | None = None,
    on_epoch: Callable[[EpochReport], None] = nobody_listens,
    is_cancelled: Callable[[], bool] = nobody_cancels,
    rehearsal: Sequence[Path] = (),
    on_progress: Callable[[int, int, str], None] = nobody_listens,
) -> Retrained:
    """Learn from labelled images, starting from the checkpoint `start`, and return the weights of the best epoch.

    The image encoder, the binary path and the look network stay as they are: a slice is encoded once, or never if
    `cache` has it from a click or an earlier round. The prompt-free head learns where every class is; classes that the
    network does not know are added (`samantic.segsam.growing`), and the semantic path learns their names. `rehearsal`
    are images without labels, on which the old answers are kept; phantoms are added to them where there is something to
    forget.

    It is a loop of its own, with the common optimiser, schedule and average: a round takes a minute, is not resumed,
    and stops when validation by image says so, which the common loop does not know. On one machine the same seed gives
    the same weights. `on_progress` is told how much is done, of how much, and what: "images", "embeddings",
    "training", "naming". `is_cancelled` is asked before every slice and every step; Cancelled then, and nothing was
    written. TrainingError: there is nothing to learn from; CheckpointError: `start` is none.
    """
    options, watch = options or RetrainOptions(), Watch(on_epoch, on_progress, is_cancelled)
    network = load_network(start)
    images = [_with_known_names(image, network.config.class_names) for image in images]
    new = _new_classes(network, images, options)
    network = _complete(network, new, options)
    predictor = SegSamPredictor(network, "in training", options.device, cache)
    network.requires_grad_(False)
    known, ids = load_manifest(start), [image.image_id for image in images]
    learned_before = frozenset() if known is None else known.image_ids
    # What a program made up says nothing about how well real images are done.
    never = {*learned_before, *(image.image_id for image in images if image.is_synthetic)}
    held_out = held_out_ids(ids, options.validation_share, never, options.validation_ids)
    reader = SliceReader(predictor, map_side(network), options.axes, options.slices_per_volume, options.empty_share)
    rehearsal = rehearsal if options.rehearsal_share > 0 else ()
    material = read_material(reader, images, network.config.class_names, held_out, rehearsal, watch)
    if options.rehearsal_share > 0 and _can_forget(network, material, options):
        first_late = len(network.config.class_names) - network.config.late_classes
        material.rehearsed.extend(
            phantom_slices(reader, options.phantom_pictures, network.config.class_names[first_late:])
        )
    shelf = FeatureShelf(predictor, options.feature_bytes)
    _fetch(material, shelf, watch)

    random = np.random.default_rng(options.seed)
    assert network.prompt_free_head is not None
    learner = MapLearner(network.prompt_free_head, network.config.class_names, material, shelf, options, random, watch)
    before = learner.before()
    reports = learner.learn(before)
    learn_names(network, material, shelf, options, random, watch)
    network.requires_grad_(False).eval()

    learned = tuple(sorted({item.image_id for item in material.training}))
    return Retrained(
        network=network,
        before=before.to_dict(),
        after=next(report for report in reversed(reports) if report.is_best).after.to_dict(),
        held_out=tuple(sorted({item.image_id for item in material.validation} - set(learned))),
        learned_from=learned,
        new_classes=tuple(one.name for one in new),
        left_out=(*material.left_out, *_about_words(new)),
        epochs=tuple(reports),
        seconds=watch.seconds,
        calibration=load_calibration(start),
        manifest=None if known is None else TrainingManifest.of({options.data_set: learned}).with_earlier(known),
    )


def map_side(network: SegSam) -> int:
    """Side of the head's maps."""
    encoder = network.encoder
    skips: dict[str, int] = encoder.skip_channels  # type: ignore[assignment]
    return network.image_size // 4 if "skip_stride4" in skips else int(encoder.embedding_size)  # type: ignore[arg-type]


def _with_known_names(image: LabelledImage, known: Sequence[str]) -> LabelledImage:
    classes = {value: class_named(word, known) for value, word in image.class_of_value.items() if value != 0}
    return dataclasses.replace(image, class_of_value=classes)


def _new_classes(network: SegSam, images: Sequence[LabelledImage], options: RetrainOptions) -> list[NewClass]:
    named = dict.fromkeys(name for image in images for name in image.class_of_value.values())
    unknown = [name for name in named if name not in network.config.class_names]
    return [NewClass(name, options.descriptions.get(name, "")) for name in unknown]


def _complete(network: SegSam, new: Sequence[NewClass], options: RetrainOptions) -> SegSam:
    """The network with all classes and a prompt-free head."""
    if new:
        network = grown(network, new)
    if network.prompt_free_head is None:
        network = with_new_head(network, options.prompt_free_width, options.seed)
    return network


def _can_forget(network: SegSam, material: Material, options: RetrainOptions) -> bool:
    """Whether the network knows classes that the labels do not speak of, and learns something that could hide them."""
    assert network.prompt_free_head is not None
    names_late = bool(options.naming_steps and late_classes_of(network, material.training))
    return names_late or bool(set(awake_in_head(network.prompt_free_head)) - set(material.classes))


def _fetch(material: Material, shelf: FeatureShelf, watch: Watch) -> None:
    """Every embedding once, before the first step: encoding is what takes long, and progress is told in slices."""
    slices = material.everything
    for done, item in enumerate(slices):
        watch.go_on(done, len(slices), "embeddings")
        if not shelf.has_room:
            break
        shelf.of([item])


def _about_words(new: Sequence[NewClass]) -> list[str]:
    return [
        f"'{one.name}' is not in the vocabulary, and without the sentence encoder (pip install 'samantic[text]') its "
        "words say nothing: it is learned from pictures alone."
        for one in new
        if not described_by_text(one)
    ]
