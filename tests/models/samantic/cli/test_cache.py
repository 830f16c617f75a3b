"""`samantic cache`: how much is kept, and forgetting it."""

import pytest
import torch
from typer.testing import CliRunner

from samantic.cli.cache import app
from samantic.sam import EmbeddingCache, EmbeddingKey, embeddings_folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def samantic_cache(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_info_and_clear_before_there_is_a_cache_make_no_folder(home):
    assert "0 embeddings, 0.0 MB" in samantic_cache("info")
    assert "0 embeddings removed" in samantic_cache("clear")
    assert not home.exists()


def test_clear_removes_the_embeddings_of_the_default_folder_and_nothing_else():
    cache = EmbeddingCache(embeddings_folder())
    for number in range(3):
        key = EmbeddingKey(f"image {number}", "view", "ct", "tiny", "weights")
        cache.get_or_compute(key, lambda: {"x": torch.zeros(100_000)})
    other = embeddings_folder() / "notes.txt"
    other.write_text("mine")
    assert "3 embeddings, 0.6 MB" in samantic_cache("info")
    assert "3 embeddings removed" in samantic_cache("clear")
    assert list(embeddings_folder().iterdir()) == [other]


def test_another_folder_can_be_named(tmp_path):
    assert str(tmp_path) in samantic_cache("info", "--folder", tmp_path)
