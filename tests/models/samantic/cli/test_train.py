from __future__ import annotations

from pathlib import Path

import pytest

from samantic.besadiff.training import bundled as besadiff_bundled
from samantic.besadiff.training.settings import SegmenterSettings
from samantic.segsam.training import bundled
from samantic.segsam.training.settings import LookSettings, SegSamSettings
from samantic.training import TrainingStopped


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, SegSamSettings]]:
    """What the command would train; hours of training are left out."""
    calls: list[tuple[Path, SegSamSettings]] = []
    monkeypatch.setattr(bundled, "train", lambda run, settings: calls.append((run, settings)))
    return calls


def test_options_go_before_those_in_the_file(run, trained, tmp_path: Path):
    config = tmp_path / "run.yaml"
    config.write_text("shares: {ct: 1}\nnetwork: {image_size: 128}\nfit: {steps: 7, seed: 3}\n")
    options = ("--config", config, "--steps", 9, "--precision", "no", "--batch-size", 2)
    code, output = run("train", "segsam", tmp_path / "run", *options)
    assert code == 0 and "segsam.safetensors" in output
    folder, settings = trained[0]
    assert folder == tmp_path / "run" and settings.network == {"image_size": 128}
    chosen = settings.fit
    assert (chosen.steps, chosen.seed, chosen.batch_size, chosen.mixed_precision) == (9, 3, 2, "no")


def test_without_a_file_the_packaged_one_holds(run, trained, tmp_path: Path):
    assert run("train", "segsam", tmp_path / "run")[0] == 0
    assert trained[0][1] == SegSamSettings.from_yaml()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--precision", "fp8"), "mixed_precision must be one of no, bf16, fp16, not 'fp8'"),
        (("--steps", "0"), "steps must be at least 1, not 0"),
        (("--config", "none.yaml"), "There is no settings file none.yaml"),
        (("--initial-weights", "none.safetensors"), "There is no file none.safetensors with initial weights"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, trained, tmp_path: Path, options, said):
    code, output = run("train", "segsam", tmp_path / "run", *options)
    assert code == 2 and said in output
    assert not trained


def test_without_the_data_the_variable_is_named(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SAMANTIC_DATA", raising=False)
    code, output = run("train", "segsam", tmp_path / "run")
    assert code == 2 and "SAMANTIC_DATA" in output


def test_a_run_that_was_stopped_says_how_to_go_on(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stopped(*_: object) -> None:
        raise TrainingStopped(5, 12, 15)

    monkeypatch.setattr(bundled, "train", stopped)
    code, output = run("train", "segsam", tmp_path / "run")
    assert code == 128 + 15 and "Stopped after step 5 of 12. Start the same run again" in output


class TestLook:
    @pytest.fixture
    def trained_look(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Path, LookSettings]]:
        """What the command would train."""
        calls: list[tuple[Path, Path, LookSettings]] = []
        monkeypatch.setattr(bundled, "train_look", lambda run, segsam, settings: calls.append((run, segsam, settings)))
        return calls

    def test_options_go_before_those_in_the_file(self, run, trained_look, tmp_path: Path):
        config = tmp_path / "look.yaml"
        config.write_text("shares: {ct: 1}\nlook_size: 96\nfit: {steps: 7, seed: 3}\n")
        options = ("--config", config, "--steps", 9, "--precision", "no", "--batch-size", 2)
        code, output = run("train", "look", tmp_path / "run", "--segsam", tmp_path / "full.safetensors", *options)
        assert code == 0 and str(tmp_path / "run" / "segsam.safetensors") in output.replace("\n", "")
        folder, segsam, settings = trained_look[0]
        assert (folder, segsam) == (tmp_path / "run", tmp_path / "full.safetensors")
        assert (settings.look_size, settings.shares) == (96, {"ct": 1.0})
        chosen = settings.fit
        assert (chosen.steps, chosen.seed, chosen.batch_size, chosen.mixed_precision) == (9, 3, 2, "no")

    def test_without_a_file_the_packaged_one_holds(self, run, trained_look, tmp_path: Path):
        assert run("train", "look", tmp_path / "run", "--segsam", "full.safetensors")[0] == 0
        assert trained_look[0][2] == LookSettings.from_yaml()

    def test_the_weights_must_be_named(self, run, trained_look, tmp_path: Path):
        code, output = run("train", "look", tmp_path / "run")
        assert code == 2 and "--segsam" in output and not trained_look

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--precision", "fp8"), "mixed_precision must be one of no, bf16, fp16, not 'fp8'"),
            (("--steps", "0"), "steps must be at least 1, not 0"),
            (("--config", "none.yaml"), "There is no settings file none.yaml"),
        ],
    )
    def test_what_cannot_be_is_refused_in_a_sentence(self, run, trained_look, tmp_path: Path, options, said):
        code, output = run("train", "look", tmp_path / "run", "--segsam", "full.safetensors", *options)
        assert code == 2 and said in output
        assert not trained_look

    def test_weights_that_are_not_there_are_named(self, run, tmp_path: Path):
        code, output = run("train", "look", tmp_path / "run", "--segsam", "none.safetensors")
        assert code == 2 and "There is no file none.safetensors with SEG-SAM weights" in output

    def test_a_run_that_was_stopped_says_how_to_go_on(self, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        def stopped(*_: object) -> None:
            raise TrainingStopped(5, 12, 15)

        monkeypatch.setattr(bundled, "train_look", stopped)
        code, output = run("train", "look", tmp_path / "run", "--segsam", "full.safetensors")
        assert code == 128 + 15 and "Stopped after step 5 of 12. Start the same run again" in output


class TestDermoSegDiff:
    @pytest.fixture
    def trained_segmenter(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, SegmenterSettings, Path | None]]:
        calls: list[tuple[Path, SegmenterSettings, Path | None]] = []
        monkeypatch.setattr(besadiff_bundled, "train_segmenter", lambda *given: calls.append(given))
        return calls

    def test_options_go_before_those_in_the_file(self, run, trained_segmenter, tmp_path: Path):
        config = tmp_path / "run.yaml"
        config.write_text("network: {prediction: sample}\nloss: {boundary_weight: 0}\nfit: {steps: 7, seed: 3}\n")
        start = tmp_path / "start.safetensors"
        code, output = run(
            "train", "dermosegdiff", tmp_path, "--config", config, "--steps", 9, "--initial-weights", start
        )
        assert code == 0 and "segmenter.safetensors" in output
        folder, settings, given_start = trained_segmenter[0]
        assert (folder, given_start) == (tmp_path, start)
        assert (settings.network.prediction, settings.loss.boundary_weight) == ("sample", 0)
        assert (settings.fit.steps, settings.fit.seed) == (9, 3)

    def test_without_a_file_the_packaged_one_holds(self, run, trained_segmenter, tmp_path: Path):
        assert run("train", "dermosegdiff", tmp_path)[0] == 0
        assert trained_segmenter[0][1] == SegmenterSettings.from_yaml()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("network: {mask_side: 100}", "must be one whole number"),
            ("network: {prediction: velocity}", "prediction must be epsilon or sample"),
            ("loss: {wight: 2}", "'loss.wight' is no setting"),
        ],
    )
    def test_what_cannot_be_is_refused_in_a_sentence(self, run, trained_segmenter, tmp_path: Path, text, said):
        (tmp_path / "run.yaml").write_text(text)
        code, output = run("train", "dermosegdiff", tmp_path, "--config", tmp_path / "run.yaml")
        assert code == 2 and said in output
        assert not trained_segmenter
