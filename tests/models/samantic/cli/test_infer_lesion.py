"""`samantic infer --model besadiff` and the versions of besadiff, with a tiny segmenter in the bundled one's place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.sam import published_folder
from samantic.training.model_store import ModelStore

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def spot(tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]) -> tuple[Path, np.ndarray]:
    view = lesion_views(1, seed=2)[0]
    Image.fromarray(view.image).save(tmp_path / "mole.png")
    return tmp_path / "mole.png", view.labels == 1


@pytest.fixture(autouse=True)
def tiny_segmenter(a_trained_segmenter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samantic.cli.lesion.bundled_weights", lambda _: a_trained_segmenter)


@pytest.mark.parametrize("prompts", [(), ("--box", "8,56,6,44")])
def test_a_photograph_gives_the_lesion_and_how_sure_it_is(run: Run, spot, tmp_path: Path, prompts: tuple[str, ...]):
    image, truth = spot
    mask, overlay = tmp_path / "mask.png", tmp_path / "overlay.png"
    code, output = run("infer", image, "--model", "besadiff", *prompts, "-o", mask, "--overlay", overlay)
    assert code == 0, output
    assert "skin_lesion: " in output and "boundary confidence" in output
    assert overlay.exists()
    if not prompts:
        assert dice(np.asarray(Image.open(mask)) == 1, truth) > 0.7


def test_what_is_no_photograph_or_no_lesion_is_refused(run: Run, spot, ct: Path):
    code, output = run("infer", ct, "--model", "besadiff")
    assert code != 0 and "is no photograph in colour" in output
    code, output = run("infer", spot[0], "--model", "besadiff", "--classes", "liver")
    assert code != 0 and "liver" in output
    code, output = run("infer", spot[0], "--model", "besadiff", "--box", "1,20,1,20", "--box", "30,50,10,40")
    assert code != 0 and "one lesion at a time" in output


def test_the_versions_of_besadiff_are_its_own(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    store = ModelStore(published_folder("besadiff"))
    store.publish(lambda path: path.write_text("weights"), {"parent": "bundled"})
    assert "0001" in run("models", "history", "--model", "besadiff")[1]
    assert "0001" not in run("models", "history")[1]
    assert "Served from now on: bundled" in run("models", "rollback", "--model", "besadiff")[1]
    assert store.current() is None
    code, output = run("models", "history", "--model", "nobody")
    assert code != 0 and "it must be one of segsam, besadiff" in output
