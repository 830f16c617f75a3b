"""Small stand-ins for generator, refiner and copy check, which take no time and can be told to fail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from samantic.besadiff.generator import Diagnosis, GeneratedPair, LesionCondition
from samantic.besadiff.refiner import Refinement
from samantic.besadiff.synthesis import Synthesis, synthesize, synthesizing

SIDE = 32


@dataclass
class Discs:
    """Draws a dark disc of the size that was asked for on coloured noise."""

    weights_hash: str = "discs"
    drawn: list[LesionCondition] = field(default_factory=list)

    def draw_condition(self, random: np.random.Generator, diagnosis: Diagnosis | None = None) -> LesionCondition:
        return LesionCondition(diagnosis, float(random.uniform(0.1, 0.3)), (0.5, 0.5))

    def generate(self, conditions: Sequence[LesionCondition], *, seeds: Sequence[int]) -> list[GeneratedPair]:
        pairs = []
        for condition, seed in zip(conditions, seeds, strict=True):
            self.drawn.append(condition)
            assert condition.area is not None
            yy, xx = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
            disc = yy**2 + xx**2 < condition.area * SIDE**2 / np.pi
            image = np.random.default_rng(seed).integers(150, 250, (SIDE, SIDE, 3)).astype(np.uint8)
            image[disc] //= 3
            pairs.append(GeneratedPair(image, disc.astype(np.float32), condition, seed))
        return pairs


@dataclass
class Threshold:
    """Keeps the coarse mask; rejects what `trusts` says no to."""

    trusts: Callable[[int], bool] = lambda seed: seed % 4 > 0
    name: str = "threshold"

    def settings(self) -> dict[str, Any]:
        return {"name": self.name}

    def refine(self, image: np.ndarray, coarse: np.ndarray, *, seed: int = 0) -> Refinement:
        assert image.shape[:2] == coarse.shape
        reasons = () if self.trusts(seed) else (f"The seed is {seed}, a multiple of four.",)
        return Refinement(coarse > 0.5, coarse, reasons, {"iou_with_coarse": 1.0})


@dataclass(frozen=True)
class Near:
    image_id: str
    pixel_distance: float
    embedding_distance: float
    is_copy: bool


@dataclass
class SomeAreCopies:
    """Calls an image a copy by its hash, about four in ten."""

    fingerprint: str = "some"
    reported: list[str] = field(default_factory=list)

    def nearest(self, image: np.ndarray) -> Near:
        value = hashlib.sha256(image.tobytes()).digest()[0]
        return Near("ISIC_1", value / 255, 0.5, value < 100)

    def write_report(self, pairs: Sequence[tuple[str, np.ndarray]], folder: Path) -> None:
        self.reported = [name for name, _ in pairs]
        (folder / "memorisation.json").write_text("{}")


Fill = Callable[..., Synthesis]


@pytest.fixture
def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Fill:
    """Synthesises into `name` of the test's folder, images as small as they are drawn.

    Painting the contact sheet takes longer than all the rest; tests marked `usefixtures("sheets")` have one.
    """
    if "sheets" not in request.fixturenames:
        monkeypatch.setattr(synthesizing, "write_sheet", lambda *_: None)

    def fill(count: int = 5, name: str = "synthetic", **options: Any) -> Synthesis:
        values: dict[str, Any] = {"generator": Discs(), "refiner": Threshold(), "copies": SomeAreCopies(), **options}
        return synthesize(count, tmp_path / name, side=values.pop("side", SIDE), **values)

    return fill


@pytest.fixture
def sheets() -> None:
    """Asked for by tests that need contact sheets."""


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file of a folder."""
    return contents_of


@pytest.fixture
def stand_ins() -> dict[str, Any]:
    """The stand-ins' types by name, for tests that change one."""
    return {"generator": Discs, "refiner": Threshold, "copies": SomeAreCopies}
