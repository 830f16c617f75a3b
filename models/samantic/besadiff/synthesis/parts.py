"""What synthesis needs of its parts; each can be another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from samantic.besadiff.generator import Diagnosis, GeneratedPair, LesionCondition
from samantic.besadiff.refiner import Refinement


class PairSource(Protocol):
    """Draws an image with a soft mask; `samantic.besadiff.generator.LesionGenerator` is one."""

    weights_hash: str

    def draw_condition(self, random: np.random.Generator, diagnosis: Diagnosis | None = None) -> LesionCondition: ...

    def generate(self, conditions: Sequence[LesionCondition], *, seeds: Sequence[int]) -> list[GeneratedPair]: ...


class Refiner(Protocol):
    """Refines a soft mask, or says why not; `samantic.besadiff.refiner.MaskRefiner` is one."""

    def refine(self, image: np.ndarray, coarse: np.ndarray, *, seed: int = 0) -> Refinement: ...

    def settings(self) -> Mapping[str, Any]: ...


class Nearest(Protocol):
    """The training image that is nearest to another image."""

    @property
    def image_id(self) -> str: ...
    @property
    def pixel_distance(self) -> float: ...
    @property
    def embedding_distance(self) -> float: ...
    @property
    def is_copy(self) -> bool: ...


class CopyCheck(Protocol):
    """Looks for the training image that an image copies; `samantic.besadiff.memorisation.Memorisation` is one.

    `fingerprint` changes with the training images and the thresholds.
    """

    @property
    def fingerprint(self) -> str: ...

    def nearest(self, image: np.ndarray) -> Nearest: ...

    def write_report(self, pairs: Sequence[tuple[str, np.ndarray]], folder: Path) -> object: ...
