"""The parts of BESA-Diff behind one another, each of which may be another one."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from samantic.besadiff.answer import LesionAnswer, lesion_mask
from samantic.besadiff.refiner import MaskRefiner, Refinement
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.squares import stretched
from samantic.bundled import bundled_weights
from samantic.segsam import SegSamPredictor

SIDE = 256
"""Of the square that refinement works on."""


class Segmenter(Protocol):
    """What answers about a photograph by itself; `LesionSegmenter` is one."""

    def segment(self, image: np.ndarray, *, members: int = ..., steps: int = ..., seed: int = ...) -> LesionAnswer: ...


class Refiner(Protocol):
    """What redraws a coarse mask and says whether the result may be trusted; `MaskRefiner` is one."""

    def refine(self, image: np.ndarray, coarse: np.ndarray, *, seed: int = ...) -> Refinement: ...


class BesaDiffPipeline:
    """Segment, then refine: the ensemble's soft mask is the refiner's coarse one (BESA-Diff).

    Where the refiner's rules accept its mask the answer is the mean of both probabilities, whose border is better than
    either's (validation part); elsewhere it is the ensemble's alone.
    """

    def __init__(self, segmenter: Segmenter, refiner: Refiner) -> None:
        self.segmenter, self.refiner = segmenter, refiner

    @classmethod
    def bundled(cls, segmenter: LesionSegmenter | None = None) -> BesaDiffPipeline:
        """The bundled parts; another segmenter takes the bundled one's place in both steps."""
        segmenter = segmenter or LesionSegmenter.load(bundled_weights("besadiff-segmenter"))
        sam = SegSamPredictor.from_bundled("segsam-tiny")
        return cls(segmenter, MaskRefiner(sam, segmenter))

    def segment(self, image: np.ndarray, *, members: int = 5, steps: int = 4, seed: int = 0) -> LesionAnswer:
        """Segment a photograph (rows, cols, 3) uint8 of any size; see `LesionAnswer`.

        Both parts see it stretched to the square that they have learned from, so a large one costs hardly more.
        """
        square = stretched(image, SIDE).permute(1, 2, 0).contiguous().numpy()
        answer = self.segmenter.segment(square, members=members, steps=steps, seed=seed)
        refined = self.refiner.refine(square, answer.probability, seed=seed)
        if refined.accepted:
            probability = (answer.probability + refined.probability) / 2
            answer = dataclasses.replace(answer, mask=lesion_mask(probability), probability=probability, refined=True)
        rows, columns = image.shape[:2]
        return answer if (rows, columns) == (SIDE, SIDE) else answer.resized(rows, columns)
