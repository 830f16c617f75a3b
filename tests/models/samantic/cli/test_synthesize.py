from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from samantic.besadiff.generator import Diagnosis, GeneratedPair, LesionCondition
from samantic.besadiff.refiner import Refinement
from samantic.besadiff.synthesis import usual_parts


class Noise:
    weights_hash = "noise"

    def draw_condition(self, _: np.random.Generator, diagnosis: Diagnosis | None = None) -> LesionCondition:
        return LesionCondition(diagnosis, 0.2, (0.5, 0.5))

    def generate(self, conditions: list[LesionCondition], *, seeds: list[int]) -> list[GeneratedPair]:
        image = np.random.default_rng(seeds[0]).integers(0, 255, (16, 16, 3)).astype(np.uint8)
        mask = np.zeros((16, 16), np.float32)
        mask[4:12, 4:12] = 1
        return [GeneratedPair(image, mask, conditions[0], seeds[0])]


@dataclass
class Keep:
    stop_at: int | None = None
    calls: int = 0

    def settings(self) -> dict[str, str]:
        return {"name": "keep"}

    def refine(self, _: np.ndarray, coarse: np.ndarray, *, seed: int = 0) -> Refinement:
        self.calls += 1
        if self.calls == self.stop_at:
            signal.raise_signal(signal.SIGINT)
        reasons = ("The seed is even.",) if seed % 2 == 0 else ()
        return Refinement(coarse > 0.5, coarse, reasons, {"iou_with_coarse": 1.0})


@pytest.fixture
def refiner(monkeypatch: pytest.MonkeyPatch) -> Keep:
    keep = Keep()
    monkeypatch.setattr(usual_parts, "load_parts", lambda *_: usual_parts.Parts(Noise(), keep, None))
    return keep


@pytest.mark.usefixtures("refiner")
def test_it_writes_the_pairs_and_says_where_to_look(run, tmp_path: Path) -> None:
    out = tmp_path / "synthetic"
    code, output = run("synthesize", 2, "--out", out, "--class", "melanoma", "--class", "nevus", "--seed", 3)
    assert code == 0, output
    assert sorted(path.name for path in out.glob("*.png")) == ["synthetic_000001.png", "synthetic_000002.png"]
    assert "2 accepted of" in output
    assert str(out / "report" / "contact_sheet.png") in output
    assert "Nobody looks for copies of training images" in output
    settings = json.loads((out / "manifest.json").read_text())["settings"]
    assert settings["diagnoses"] == ["melanoma", "nevus"]
    assert settings["seed"] == 3


def test_ctrl_c_ends_after_the_attempt_and_says_how_to_go_on(run, tmp_path: Path, refiner: Keep) -> None:
    refiner.stop_at = 2
    code, output = run("synthesize", 50, "--out", tmp_path / "synthetic")
    assert code == 130
    assert "the same command goes on from here" in output
    assert len(json.loads((tmp_path / "synthetic" / "manifest.json").read_text())["attempts"]) == 2
    code, output = run("synthesize", 2, "--out", tmp_path / "synthetic")
    assert code == 0, output


@pytest.mark.usefixtures("refiner")
def test_another_seed_in_the_same_folder_is_one_line(run, tmp_path: Path) -> None:
    run("synthesize", 1, "--out", tmp_path / "synthetic")
    code, output = run("synthesize", 1, "--out", tmp_path / "synthetic", "--seed", 9)
    assert code == 2
    assert "seed is 0 there and 9 here" in output


@pytest.mark.usefixtures("refiner")
def test_an_unknown_class_is_one_line_with_the_known_ones(run, tmp_path: Path) -> None:
    code, output = run("synthesize", 1, "--out", tmp_path / "synthetic", "--class", "mole")
    assert code == 2
    assert "'mole' is no class that can be synthesised; use nevus, melanoma, seborrheic_keratosis." in output


def test_weights_that_are_not_there_are_named_beside_the_bundled_ones(run, tmp_path: Path) -> None:
    code, output = run("synthesize", 1, "--out", tmp_path / "synthetic", "--sam", "nothing.safetensors")
    assert code == 2
    assert "'nothing.safetensors' neither comes with this package (" in output
    assert "segsam-tiny" in output


@pytest.mark.usefixtures("refiner")
def test_a_folder_that_cannot_be_made_is_one_line(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, output = run("synthesize", 1, "--out", tmp_path / "file" / "below")
    assert code == 2
    assert "Error" in output
    assert "Traceback" not in output
