"""The model asked on one slice at a time; nothing of a slice is kept but what was found on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from samantic.imaging import SliceView, Volume, Window, to_uint8
from samantic.segsam.predictor import ImageFeatures, ObjectPrediction
from samantic.segsam.propagation.appearance import Appearance
from samantic.segsam.propagation.next_prompt import next_prompts, spread
from samantic.segsam.propagation.predictor_protocol import Predictor
from samantic.segsam.propagation.prompted import PromptedSlice
from samantic.segsam.propagation.unprompted import Unprompted
from samantic.segsam.second_look import bounds_of
from samantic.segsam.view_prompts import ViewPrompts

CERTAIN = 20.0
"""Logit of a pixel that a person decided on, or that cannot belong to the object."""

SMALLEST_RING = 4
"""Pixels around an object that are its neighbours at least."""


@dataclass(frozen=True, eq=False)
class Found:
    """The object on slice `index`.

    `probability` (rows, cols) float32 and `mask`, where it is above a half; `quality` the overlap (IoU) with the truth
    that the model expects; `class_probabilities` over all classes that it knows; `greys` mean and standard deviation
    inside, (2, 3) of three channels in 0 to 255, None of an empty mask; `appearance` what is known by now of how the
    object looks, None if nothing; `unprompted` who else draws it, None if nobody, and `class_share`, how much of the
    mask it calls that.
    """

    index: int
    probability: np.ndarray
    mask: np.ndarray
    quality: float
    class_probabilities: dict[str, float]
    greys: np.ndarray | None
    appearance: Appearance | None
    unprompted: Unprompted | None
    class_share: float = 1.0

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
        self._distance_mm = volume.spacing_mm[axis]
        down, across = spread(self.view.spacing_yx_mm, self._distance_mm)
        self._ring = max(SMALLEST_RING, round(2 * max(down, across)))
        self._reach = 1 + round(2 * max(down, across))

    def prompted(self, start: PromptedSlice, classes: Sequence[str]) -> tuple[Found, ObjectPrediction]:
        """The object where a person pointed it out, and the model's answer there among candidate classes."""
        features, picture = self._features(start.index)
        prompts = start.prompts or _drawn(start)
        everything = self._predictor.decode(features, [prompts])[0]
        answer = self._predictor.decode(features, [prompts], classes)[0] if classes else everything
        mask, quality = everything.mask, None
        if start.mask is not None:
            mask, quality = start.mask, 1.0
            everything = replace(everything, mask_logits=np.where(mask, CERTAIN, -CERTAIN).astype(np.float32))
        appearance = Appearance.of(picture, mask, self._ring)
        self._go_on()
        seen = Unprompted.of(self._predictor, features, mask)
        return _found(
            start.index, everything.mask_logits, mask, [everything], picture, appearance, seen, quality
        ), answer

    def beside(self, index: int, mask: np.ndarray, known: Appearance | None, unprompted: Unprompted | None) -> Found:
        """The object on a slice, from the mask (rows, cols) that it has, or may have, on the slice beside it.

        The mean of the answers to several ways of pointing at it, with what is known of how it looks and what is found
        without a prompt; only parts that touch the mask, and no farther from it than it may have spread.
        """
        features, picture = self._features(index)
        evidence = None
        self._go_on()
        prompts = next_prompts(mask, self.view.spacing_yx_mm, self._distance_mm)
        answers = self._predictor.decode(features, prompts)
        logits = np.mean([answer.mask_logits for answer in answers], axis=0)
        quality = _expected_iou(_probability(logits), logits > 0)
        if known is not None:
            logits = logits + known.evidence(picture)
        if unprompted is not None:
            self._go_on()
            evidence = unprompted.evidence(features)
            logits = logits + evidence
        logits = np.where(ndimage.binary_dilation(mask, iterations=self._reach), logits, -CERTAIN)
        found = _touching(logits > 0, mask)
        appearance = known if known is None else known.after(picture, found, self._ring)
        one = _found(index, logits, found, answers, picture, appearance, unprompted, quality)
        share = 1.0 if evidence is None or not found.any() else float((evidence[found] > 0).mean())
        return replace(one, class_share=share)

    def _features(self, index: int) -> tuple[ImageFeatures, np.ndarray]:
        self._go_on()
        view = self.view.at(index)
        picture = to_uint8(view.extract(self._volume.array), self._window)
        return self._predictor.encode(picture, view.spacing_yx_mm), picture


def _drawn(start: PromptedSlice) -> ViewPrompts:
    assert start.mask is not None
    return ViewPrompts(np.zeros((0, 2)), np.zeros(0, np.int64), bounds_of(start.mask), start.mask)


def _found(
    index: int,
    logits: np.ndarray,
    mask: np.ndarray,
    answers: Sequence[ObjectPrediction],
    picture: np.ndarray,
    appearance: Appearance | None,
    unprompted: Unprompted | None,
    quality: float | None = None,
) -> Found:
    probability = _probability(logits)
    names = answers[0].class_probabilities
    return Found(
        index,
        # The mask may hold less than the logits say: only what was clicked on, or what touches the slice before.
        np.where(mask | (probability <= 0.5), probability, 0).astype(np.float32),
        mask,
        _expected_iou(probability, mask) if quality is None else quality,
        {name: float(np.mean([answer.class_probabilities[name] for answer in answers])) for name in names},
        _greys(mask, picture),
        appearance,
        unprompted,
    )


def _touching(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The connected parts of a mask that touch another; all of them if none does."""
    parts, count = ndimage.label(mask)
    wanted = np.setdiff1d(parts[other], 0)
    return np.isin(parts, wanted) if count > 1 and len(wanted) else mask


def _probability(logits: np.ndarray) -> np.ndarray:
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)


def _expected_iou(probability: np.ndarray, mask: np.ndarray) -> float:
    """As `samantic.segsam.look_network.expected_iou`, in the pixels of the picture."""
    union = float(np.where(mask, 1.0, probability).sum())
    return float(probability[mask].sum()) / union if union > 0 else 0.0


def _greys(mask: np.ndarray, picture: np.ndarray) -> np.ndarray | None:
    inside = picture[mask].astype(np.float64)
    return np.stack([inside.mean(axis=0), inside.std(axis=0)]) if len(inside) else None
