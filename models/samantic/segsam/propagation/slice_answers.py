"""The model asked on one slice at a time; nothing of a slice is kept but what was found on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samantic.imaging import SliceView, Volume, Window, to_uint8
from samantic.segsam.predictor import ImageFeatures, ObjectPrediction
from samantic.segsam.propagation.prompted import PromptedSlice
from samantic.segsam.second_look import bounds_of
from samantic.segsam.view_prompts import ViewPrompts

CERTAIN = 20.0
"""Logit of a pixel that a person decided on."""


class Predictor(Protocol):
    """What propagation asks of a model: `SegSamPredictor`, or whatever passes its calls on."""

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = ...) -> ImageFeatures: ...

    def decode(
        self, features: ImageFeatures, prompts: Sequence[ViewPrompts], classes: Sequence[str] | None = None
    ) -> list[ObjectPrediction]: ...


@dataclass(frozen=True, eq=False)
class Found:
    """The object on slice `index`.

    `probability` (rows, cols) float32 and `mask`, where it is above a half; `quality` the overlap (IoU) with the truth
    to expect; `class_probabilities` over all classes that the model knows; `greys` mean and standard deviation inside,
    (2, 3) of three channels in 0 to 255, None of an empty mask.
    """

    index: int
    probability: np.ndarray
    mask: np.ndarray
    quality: float
    class_probabilities: dict[str, float]
    greys: np.ndarray | None

    @property
    def area(self) -> int:
        """Pixels inside."""
        return int(self.mask.sum())


class SliceAnswers:
    """Asks a model about slices of one volume along one axis, without state.

    `go_on` is called before every pass through the model and raises where there is to be none.
    """

    def __init__(
        self, predictor: Predictor, volume: Volume, window: Window, axis: int, go_on: Callable[[], None]
    ) -> None:
        self._predictor = predictor
        self._volume = volume
        self._window = window
        self._go_on = go_on
        self.view = SliceView.of(volume, axis, 0)
        self.slice_distance_mm = volume.spacing_mm[axis]

    def prompted(self, start: PromptedSlice, classes: Sequence[str]) -> tuple[Found, ObjectPrediction]:
        """The object where a person pointed it out, and the model's answer there among candidate classes."""
        features, picture = self._features(start.index)
        prompts = start.prompts or _drawn(start)
        everything = self._predictor.decode(features, [prompts])[0]
        answer = self._predictor.decode(features, [prompts], classes)[0] if classes else everything
        if start.mask is None:
            return _found(start.index, [everything], picture), answer
        certain = np.where(start.mask, CERTAIN, -CERTAIN).astype(np.float32)
        return Found(
            start.index,
            _probability(certain),
            start.mask,
            1.0,
            everything.class_probabilities,
            _greys(start.mask, picture),
        ), answer

    def beside(self, index: int, prompts: Sequence[ViewPrompts]) -> Found:
        """The object on a slice, from the mean of the answers to several ways of pointing at it."""
        features, picture = self._features(index)
        self._go_on()
        return _found(index, self._predictor.decode(features, prompts), picture)

    def _features(self, index: int) -> tuple[ImageFeatures, np.ndarray]:
        self._go_on()
        view = self.view.at(index)
        picture = to_uint8(view.extract(self._volume.array), self._window)
        return self._predictor.encode(picture, view.spacing_yx_mm), picture


def _drawn(start: PromptedSlice) -> ViewPrompts:
    assert start.mask is not None
    return ViewPrompts(np.zeros((0, 2)), np.zeros(0, np.int64), bounds_of(start.mask), start.mask)


def _found(index: int, answers: Sequence[ObjectPrediction], picture: np.ndarray) -> Found:
    logits = np.mean([answer.mask_logits for answer in answers], axis=0)
    # After clicks alone the mask holds less than the logits: only what was clicked on.
    mask = answers[0].mask if len(answers) == 1 else logits > 0
    probability = _probability(logits)
    names = answers[0].class_probabilities
    return Found(
        index,
        np.where(mask | (probability <= 0.5), probability, 0).astype(np.float32),
        mask,
        _expected_iou(probability, mask),
        {name: float(np.mean([answer.class_probabilities[name] for answer in answers])) for name in names},
        _greys(mask, picture),
    )


def _probability(logits: np.ndarray) -> np.ndarray:
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)


def _expected_iou(probability: np.ndarray, mask: np.ndarray) -> float:
    """As `samantic.segsam.look_network.expected_iou`, in the pixels of the picture."""
    union = float(np.where(mask, 1.0, probability).sum())
    return float(probability[mask].sum()) / union if union > 0 else 0.0


def _greys(mask: np.ndarray, picture: np.ndarray) -> np.ndarray | None:
    inside = picture[mask].astype(np.float64)
    return np.stack([inside.mean(axis=0), inside.std(axis=0)]) if len(inside) else None
