from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def only_a_mole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo study of two small pictures and no synthetic ones, so that it is made quickly."""
    from samantic.datasets.phantoms import demo_study

    monkeypatch.setattr("samantic.bundled.bundled_models", lambda: ("segsam-tiny",))

    makers = {"ct_abdomen": (".nii.gz", _small_abdomen), "dermoscopy_1": demo_study.MAKERS["dermoscopy_1"]}
    monkeypatch.setattr(demo_study, "MAKERS", makers)


def _small_abdomen():
    import numpy as np

    from samantic.datasets import Phantom

    image = np.zeros((20, 24, 6), np.int16)
    truth = np.zeros(image.shape, np.uint8)
    truth[3:9, 4:12, 2:4] = 1
    return Phantom("ct_abdomen", "CT", image, np.diag([-2.0, -2.0, 4.0, 1.0]), truth, {1: "liver"})


@pytest.mark.usefixtures("only_a_mole")
def test_the_demo_writes_a_study_and_says_what_to_try(run, tmp_path: Path) -> None:
    code, output = run("demo", "--folder", tmp_path / "demo")
    assert code == 0, output
    assert (tmp_path / "demo" / "ct_abdomen.nii.gz").is_file()
    assert (tmp_path / "demo" / "truth" / "truth.json").is_file()
    assert f"samantic infer {tmp_path / 'demo' / 'ct_abdomen.nii.gz'} --point 5,6,2" in output
    assert "samantic demo --serve" in output


@pytest.mark.usefixtures("only_a_mole")
def test_the_demo_lies_in_the_state_folder_unless_told_otherwise(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    assert run("demo")[0] == 0
    assert (tmp_path / "home" / "demo" / "dermoscopy_1.jpg").is_file()


@pytest.mark.usefixtures("only_a_mole")
def test_served_the_demo_says_what_to_open_before_it_starts(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = []
    monkeypatch.setattr("samantic.app.launch.serve", lambda *arguments: served.append(arguments))
    code, output = run("demo", "--folder", tmp_path / "demo", "--serve", "--port", "8123")
    assert code == 0, output
    assert served == [(tmp_path / "demo", "127.0.0.1", 8123, {"models": "all"}, None)]
    assert "http://127.0.0.1:8123/info/" in output
    assert '"foreground": [[5, 6, 2]]' in output


@pytest.mark.usefixtures("only_a_mole")
def test_where_there_is_a_generator_synthetic_lesions_are_added_and_told_of(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def add(folder: Path, _load: object, seconds: float, _on_progress: object) -> int:
        asked.append((folder, seconds))
        return 10

    monkeypatch.setattr("samantic.bundled.bundled_models", lambda: ("besadiff-generator", "besadiff-segmenter"))
    monkeypatch.setattr("samantic.besadiff.synthesis.demo_pairs.add_demo_pairs", add)
    code, output = run("demo", "--folder", tmp_path / "demo", "--synthetic", 7)
    assert code == 0, output
    assert asked == [(tmp_path / "demo", 7)]
    assert "10 images that a model drew, 6 labelled; the next start adds 14 more" in output
    assert "a model drew" not in run("demo", "--folder", tmp_path / "demo", "--synthetic", 0)[1]
    assert len(asked) == 1


def test_a_folder_that_cannot_be_written_is_one_line(run, tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")
    code, output = run("demo", "--folder", tmp_path / "demo")
    assert code == 2
    assert "choose another folder" in output
    assert output.strip().count("\n") == 0
