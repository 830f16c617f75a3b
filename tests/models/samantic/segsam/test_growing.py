"""New classes leave the answers for the old ones alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor, load_network, save_network
from samantic.segsam.growing import (
    NewClass,
    awake_in_head,
    class_named,
    described_by_text,
    grown,
    wake_in_decoder,
    with_learned,
    with_new_head,
    without_silent,
)
from samantic.segsam.training.fit import text_vectors
from samantic.vocabulary import TextEncoderError


@pytest.fixture(autouse=True)
def no_sentence_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading one takes ten seconds."""

    def missing(_):
        raise TextEncoderError("not installed")

    monkeypatch.setattr("samantic.segsam.growing.embed_text", missing)


@pytest.fixture
def whole(config: SegSamConfig) -> SegSam:
    """A network with all parts, the prompt-free head too."""
    torch.manual_seed(0)
    return SegSam(replace(config, prompt_free_width=8), text_vectors(config.class_names)).eval()


def _answers(network: SegSam, picture: np.ndarray, clicked, asked=None):
    predictor = SegSamPredictor(network, "weights", "cpu")
    features = predictor.encode(picture)
    (answer,) = predictor.decode(features, [clicked((30, 20), box=(10, 8, 50, 36))], asked)
    return answer, predictor.semantic_map(features, asked)


@pytest.mark.parametrize("times", [1, 2])
def test_the_answers_for_the_old_classes_are_those_of_before(whole: SegSam, picture, clicked, times: int):
    larger = whole
    for time in range(times):
        larger = grown(larger, [NewClass(("spleen", "stomach")[time]), NewClass(f"our own {time}")])
    old = whole.config.class_names
    # Everything is asked for, the new classes too: they are silent.
    before, map_before = _answers(whole, picture, clicked)
    after, map_after = _answers(larger, picture, clicked)
    np.testing.assert_array_equal(after.mask, before.mask)
    assert after.predicted_class == before.predicted_class
    for name in old:
        assert after.class_probabilities[name] == pytest.approx(before.class_probabilities[name], abs=1e-6)
        if name in before.presence:
            assert after.presence[name] == pytest.approx(before.presence[name], abs=1e-6)
    assert after.class_confidence == pytest.approx(before.class_confidence, abs=1e-6)
    np.testing.assert_allclose(map_after.probabilities[: 1 + len(old)], map_before.probabilities, atol=1e-6)
    assert map_after.probabilities[1 + len(old) :].max() < 1e-20


def test_what_a_new_class_learns_about_its_token_changes_no_other_answer(whole: SegSam, picture, clicked):
    larger = grown(whole, [NewClass("spleen")])
    with torch.no_grad():
        larger.semantic_decoder.co_tokens.weight[-1] += 5
        larger.text_embeddings[-1] *= -3
    before, _ = _answers(whole, picture, clicked)
    after, _ = _answers(larger, picture, clicked, list(whole.config.class_names))
    assert after.class_probabilities == pytest.approx(before.class_probabilities, abs=1e-6)


def test_a_class_that_wakes_up_is_answered(whole: SegSam, picture, clicked):
    larger = grown(whole, [NewClass("spleen")])
    last = len(larger.config.class_names) - 1
    wake_in_decoder(larger, [last])
    (answer,) = SegSamPredictor(larger, "weights", "cpu").decode(
        SegSamPredictor(larger, "weights", "cpu").encode(picture), [clicked((30, 20))]
    )
    assert answer.class_probabilities["spleen"] > 1e-3


def test_a_grown_network_with_names_of_its_own_is_saved_and_read(whole: SegSam, picture, clicked, tmp_path: Path):
    larger = grown(whole, [NewClass("stent of the aorta")])
    save_network(larger, tmp_path / "grown.safetensors", torch.float32)
    read = load_network(tmp_path / "grown.safetensors")
    assert read.config.class_names[-1] == "stent of the aorta"
    after, _ = _answers(read, picture, clicked)
    assert after.class_probabilities["stent of the aorta"] < 1e-8


def test_a_network_without_names_grows_too():
    bare = SegSam(SegSamConfig((), encoder="small", so_token=False, co_tokens=False, text_to_vision=False))
    larger = with_new_head(grown(bare, [NewClass("liver")]), 8, seed=0)
    assert (larger.config.class_names, larger.config.late_classes) == (("liver",), 0)
    assert awake_in_head(larger.prompt_free_head) == []


def test_a_class_that_is_there_already_is_refused(whole: SegSam):
    with pytest.raises(ValueError, match="knows the class 'liver' already"):
        grown(whole, [NewClass("liver")])
    with pytest.raises(ValueError, match="knows the class 'spleen' already"):
        grown(whole, [NewClass("spleen"), NewClass("spleen")])


def test_a_small_copy_of_a_head_learns_for_the_whole_one(whole: SegSam):
    head = whole.prompt_free_head
    features = whole.encode(torch.rand(1, 3, whole.image_size, whole.image_size) * 255)
    small = without_silent(head, [3, 1])
    torch.testing.assert_close(small(features), head(features)[:, [0, 4, 2]])
    with torch.no_grad():
        small.classes.bias += 1
    with_learned(head, small, [3, 1])
    torch.testing.assert_close(small(features), head(features)[:, [0, 4, 2]])


@pytest.mark.parametrize(
    ("word", "name"),
    [("Left Kidney", "kidney_left"), ("10200004", "liver"), (" my stent ", "my stent"), ("my own", "my own")],
)
def test_a_class_is_named_by_the_vocabulary_where_it_has_it(word: str, name: str):
    assert class_named(word, ["my own"]) == name


def test_a_class_without_a_name_is_refused():
    with pytest.raises(ValueError, match="needs a name"):
        class_named("  ")


def test_without_a_sentence_encoder_a_free_name_says_nothing(whole: SegSam):
    assert described_by_text(NewClass("spleen"))
    assert not described_by_text(NewClass("my stent"))
    larger = grown(whole, [NewClass("spleen"), NewClass("my stent")])
    torch.testing.assert_close(larger.text_embeddings[-2], text_vectors(["spleen"])[0])
    assert not larger.text_embeddings[-1].any()
