"""A training round on labels that somebody drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.datasets.phantoms import make_ultrasound
from samantic.datasets.studies import LabelledImage
from samantic.evaluation import dice
from samantic.imaging import SliceView, Window, read_mask, read_volume, to_uint8, window_for
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSam, SegSamPredictor, TrainingManifest, ViewPrompts, load_network, save_network
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.checkpoint import load_manifest
from samantic.segsam.interaction import deepest_click, jittered_box
from samantic.segsam.semantic_aware_decoder import SemanticMasks
from samantic.segsam.training.retraining import EpochReport, RetrainOptions, retrain
from samantic.segsam.training.retraining.phantom_pictures import KINDS
from samantic.segsam.training.rounds import Interaction, prompt_batch
from samantic.training import SettingsError, TrainingError

OLD = {1: "liver", 2: "kidney_left"}


@pytest.fixture
def old_studies(a_study) -> list[LabelledImage]:
    """Six images with both old classes."""
    return [a_study(f"old{seed}", ("liver", "kidney_left"), OLD, seed) for seed in range(6)]


def _dice(weights: Path, images: Sequence[LabelledImage]) -> float:
    """Mean Dice of the semantic map, asked for everything that the network knows, on the middle slice."""
    predictor = SegSamPredictor.from_checkpoint(weights, "cpu")
    scores = []
    for image in images:
        volume = read_volume(image.image)
        view = SliceView.of(volume, 2, 1)
        said = predictor.semantic_map(predictor.encode(to_uint8(view.extract(volume.array), window_for(volume))))
        truth = view.extract(read_mask(image.label, volume))
        for value, name in image.class_of_value.items():
            scores.append(dice(said.labels == said.class_names.index(name) + 1, truth == value))
    return float(np.mean(scores))


def test_a_round_teaches_a_network_without_a_head_where_the_classes_are(start, old_studies, quick, tmp_path, a_study):
    reports: list[EpochReport] = []
    done = retrain(start, old_studies, quick, on_epoch=reports.append)
    assert done.before["mean_dice"] == 0
    assert done.after["mean_dice"] > 0.75 and done.is_better_or_equal
    assert set(done.after["dice"]) == set(OLD.values())
    assert tuple(reports) == done.epochs and [one.epoch for one in reports] == list(range(1, len(reports) + 1))
    assert set(done.held_out).isdisjoint(done.learned_from) and done.held_out
    done.save(tmp_path / "learned.safetensors")
    others = [a_study(f"other{seed}", ("liver", "kidney_left"), OLD, seed + 50) for seed in range(4)]
    assert _dice(tmp_path / "learned.safetensors", others) > 0.75
    manifest = load_manifest(tmp_path / "learned.safetensors")
    assert manifest.images == {"ct": ("x",), "studies": done.learned_from}
    _assert_untouched(load_network(start), load_network(tmp_path / "learned.safetensors"), "prompt_free_head.")


def test_images_that_a_program_made_up_are_learned_from_and_never_held_out(start, old_studies, quick):
    made_up = [replace(image, is_synthetic=True) for image in old_studies[2:]]
    done = retrain(start, [*old_studies[:2], *made_up], replace(quick, epochs=1, validation_share=0.9))
    assert done.held_out
    assert set(done.held_out) <= {image.image_id for image in old_studies[:2]}


def test_an_image_that_was_learned_under_another_sets_name_is_never_held_out(start, old_studies, quick, tmp_path):
    first, *rest = [image.image_id for image in old_studies]
    known = TrainingManifest.of({"ct": rest})
    save_network(load_network(start), tmp_path / "knows.safetensors", torch.float32, None, known)
    done = retrain(tmp_path / "knows.safetensors", old_studies, replace(quick, epochs=1, validation_share=0.9))
    assert done.held_out == (first,)


def test_a_new_class_is_learned_from_a_few_labels_and_the_old_ones_are_kept(
    start, old_studies, quick, tmp_path, a_study
):
    learned, grown = tmp_path / "learned.safetensors", tmp_path / "grown.safetensors"
    retrain(start, old_studies, replace(quick, epochs=10)).save(learned)
    test_old = [a_study(f"other{seed}", ("liver", "kidney_left"), OLD, seed + 50) for seed in range(6)]
    # Liver and kidney are there as well, but nobody labelled them.
    new = [
        a_study(f"new{seed}", ("our stent", "liver", "kidney_left"), {7: "our stent"}, seed + 100) for seed in range(5)
    ]
    test_new = [
        a_study(f"test{seed}", ("our stent", "liver", "kidney_left"), {7: "our stent"}, seed + 200) for seed in range(4)
    ]
    unlabelled = [image.image for image in old_studies[:3]]
    done = retrain(learned, new, replace(quick, epochs=12, patience=12, learning_rate=3e-3), rehearsal=unlabelled)
    assert done.new_classes == ("our stent",) and "pictures alone" in done.left_out[0]
    done.save(grown)
    before = _dice(learned, test_old)
    assert before > 0.75
    assert _dice(grown, test_old) >= before - 0.01
    assert _dice(grown, test_new) > 0.5


def test_cached_embeddings_are_those_of_clicks_and_no_slice_is_encoded_twice(start, old_studies, quick):
    cache = EmbeddingCache(None)
    predictor = SegSamPredictor.from_checkpoint(start, "cpu", cache)
    volume = read_volume(old_studies[0].image)
    view, window = SliceView.of(volume, 2, 1), window_for(volume)
    key = predictor.embedding_key(volume.content_hash, view.key, window.key)
    predictor.embed(to_uint8(view.extract(volume.array), window), view.spacing_yx_mm, key)
    short = replace(quick, epochs=1, samples_per_epoch=8)
    learned = retrain(start, old_studies, short, cache=cache)
    assert cache.statistics.computed == 4 * len(old_studies)
    # The next round, on what this one learned, finds them all.
    again = retrain(start, old_studies, short, cache=cache)
    assert cache.statistics.computed == 4 * len(old_studies)
    without = retrain(start, old_studies, replace(short, feature_bytes=0), cache=cache)
    for other in (again, without):
        for name, tensor in learned.network.state_dict().items():
            torch.testing.assert_close(other.network.state_dict()[name], tensor, atol=0, rtol=0, msg=name)


def test_a_new_class_gets_its_name_and_no_other_answer_changes(start, quick, a_study):
    both = {1: "spleen", 2: "liver"}
    images = [a_study(f"new{seed}", ("spleen", "liver"), both, seed) for seed in range(4)]
    short = replace(quick, epochs=1, samples_per_epoch=8)
    silent = retrain(start, images, short).network
    named = retrain(start, images, replace(short, naming_steps=30, naming_learning_rate=1e-2)).network
    # Its name begins to be given; how well depends on what the network has learned, which this one has not.
    assert _named_spleen(silent, images[0]) < 1e-6
    assert _named_spleen(named, images[0]) > 0.03
    before, after = (_semantics(network, images[0]) for network in (silent, named))
    old = len(silent.config.class_names) - 1
    torch.testing.assert_close(after.semantic_logits[:, : old + 1], before.semantic_logits[:, : old + 1])
    torch.testing.assert_close(after.presence_logits[:, :old], before.presence_logits[:, :old])
    _assert_untouched(silent, named, "semantic_decoder.")


def test_phantoms_are_rehearsed_so_that_a_new_name_is_not_given_to_everything(start, quick, a_study, monkeypatch):
    # The two that are made in a blink.
    monkeypatch.setattr("samantic.segsam.training.retraining.phantom_pictures.KINDS", KINDS[2:])
    images = [a_study(f"new{seed}", ("spleen",), {1: "spleen"}, seed) for seed in range(3)]
    short = replace(quick, epochs=1, samples_per_epoch=8, naming_steps=12, naming_learning_rate=3e-2)
    lesion = make_ultrasound(1)
    view = SliceView((*lesion.image.shape[:2], 1), lesion.affine, 2, 0)
    picture = to_uint8(view.extract(lesion.image), Window("percentile", ((0, 255),)))
    taken = []
    for pictures in (0, 8):
        network = retrain(start, images, replace(short, phantom_pictures=pictures)).network
        predictor = SegSamPredictor(network, "weights", "cpu")
        answers = predictor.decode(predictor.encode(picture), [_box(view.extract(lesion.truth) > 0)])
        taken.append(answers[0].class_probabilities["spleen"])
    assert taken[1] < 0.7 * taken[0], taken


def _named_spleen(network: SegSam, image: LabelledImage) -> float:
    """Of the object with the value 1 on the middle slice, prompted by its box."""
    predictor = SegSamPredictor(network, "weights", "cpu")
    picture, mask = _middle(image)
    return predictor.decode(predictor.encode(picture), [_box(mask)])[0].class_probabilities["spleen"]


def _semantics(network: SegSam, image: LabelledImage) -> SemanticMasks:
    picture, mask = _middle(image)
    mask = mask[:32, :32]  # the side of the mask grid
    clicks = prompt_batch([Interaction(mask, [deepest_click(mask)])], torch.zeros(1, dtype=torch.long), 64)
    with torch.no_grad():
        return network.name(SegSamPredictor(network, "weights", "cpu").encode(picture).maps, clicks)


def _middle(image: LabelledImage) -> tuple[np.ndarray, np.ndarray]:
    volume = read_volume(image.image)
    view = SliceView.of(volume, 2, 1)
    picture = to_uint8(view.extract(volume.array), window_for(volume))
    return picture, view.extract(read_mask(image.label, volume)) == 1


def _box(mask: np.ndarray) -> ViewPrompts:
    return ViewPrompts(np.zeros((0, 2)), np.zeros(0, int), jittered_box(mask, 0.0, np.random.default_rng(0)))


def test_a_cancelled_round_ends_at_once(start, old_studies, quick):
    asked = 0

    def is_cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 30

    with pytest.raises(Cancelled):
        retrain(start, old_studies, quick, is_cancelled=is_cancelled)
    assert asked == 31


def test_progress_is_told_for_every_part(start, old_studies, quick):
    told: list[tuple[int, int, str]] = []
    options = replace(quick, epochs=1, samples_per_epoch=16)
    retrain(start, old_studies, options, on_progress=lambda *args: told.append(args))
    assert list(dict.fromkeys(text for _, _, text in told)) == ["images", "embeddings", "training"]
    assert all(done < total for done, total, _ in told)


def test_an_image_that_cannot_be_read_is_left_out_and_said_so(start, old_studies, quick):
    old_studies[0].label.write_bytes(b"no label")
    done = retrain(start, old_studies, replace(quick, epochs=1, samples_per_epoch=8))
    assert "old0" not in done.learned_from + done.held_out
    assert len(done.left_out) == 1 and "'old0' is left out" in done.left_out[0]


def test_without_any_label_there_is_nothing_to_learn(start, quick):
    with pytest.raises(TrainingError, match="nothing to learn from"):
        retrain(start, [], quick)


def test_a_single_image_is_learned_from_and_measured_on(start, old_studies, quick):
    done = retrain(start, old_studies[:1], replace(quick, epochs=1, samples_per_epoch=8))
    assert done.held_out == () and done.learned_from == ("old0",) and done.after["dice"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": 0}, "epochs must be 1 to"),
        ({"axes": (3,)}, "axes must be some of 0, 1 and 2"),
        ({"mixed_precision": "fp8"}, "must be no or bf16"),
        ({"learning_rate": 0.0}, "learning_rate must be more than 0"),
    ],
)
def test_options_out_of_range_are_refused(wrong, said):
    with pytest.raises(SettingsError, match=said):
        RetrainOptions(**wrong)


def _assert_untouched(before, after, changed: str) -> None:
    theirs = after.state_dict()
    for name, tensor in before.state_dict().items():
        if not name.startswith(changed):
            torch.testing.assert_close(theirs[name].half(), tensor.half(), atol=0, rtol=0, msg=name)
