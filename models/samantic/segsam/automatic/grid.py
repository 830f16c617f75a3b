"""Proposals from a dense grid of clicks: for networks without a prompt-free head, or on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from samantic.segsam.automatic.options import AutomaticError, GridOptions
from samantic.segsam.automatic.passes import Run, at_once, decoded, run_here
from samantic.segsam.automatic.proposals import Proposal, stability, without_repeats
from samantic.segsam.predictor import ImageFeatures, ObjectPrediction, SegSamPredictor
from samantic.segsam.view_prompts import ViewPrompts

COARSE = 3
"""Every third point of every third row is asked first: together they say which classes are there at all."""


def grid_proposals(
    predictor: SegSamPredictor,
    features: ImageFeatures,
    classes: Sequence[str],
    options: GridOptions,
    run: Run = run_here,
    check: Callable[[], None] = lambda: None,
) -> list[Proposal]:
    """The objects of `classes` (value 1 is the first) that a grid of clicks finds, the surest first.

    Every answer is named freely among all classes that the model knows. Classes that the CO-tokens do not see from the
    coarse points are not looked for; points inside an object that is found already are not asked. `check` is called
    before every pass and may raise. AutomaticError: the network cannot name anything.
    """
    if predictor.network.semantic_decoder is None:
        raise AutomaticError("This model has no semantic path: a grid of clicks finds objects, but nothing names them.")
    shape = features.transform.shape
    coarse, fine = _grid(shape, options.points)
    presence = dict.fromkeys(classes, 0.0)
    found: list[Proposal] = []
    for answer in decoded(predictor, features, _clicks(coarse), run, check):
        for name in classes:
            presence[name] = max(presence[name], _presence(answer, name))
        found += _proposals(answer, classes, options)
    there = {name for name in classes if presence[name] >= options.lowest_presence}
    found = [proposal for proposal in found if classes[proposal.value - 1] in there]
    while there and len(fine := _uncovered(fine, found, shape)):
        some, fine = fine[: at_once(shape)], fine[at_once(shape) :]
        for answer in decoded(predictor, features, _clicks(some), run, check):
            if answer.predicted_class in there:
                found += _proposals(answer, classes, options)
    return without_repeats(found, options.same_object)


def _clicks(points: np.ndarray) -> list[ViewPrompts]:
    return [ViewPrompts(point[None], np.array([1])) for point in points]


def _presence(answer: ObjectPrediction, name: str) -> float:
    """What an answer says for a class: as what it found, or as what else is in the picture."""
    if answer.predicted_class == name:
        return answer.class_confidence
    # Without CO-tokens nobody knows, and every class is looked for.
    return answer.presence.get(name, 1.0)


def _proposals(answer: ObjectPrediction, classes: Sequence[str], options: GridOptions) -> list[Proposal]:
    """The answer as a proposal, if it is good enough for one."""
    if (
        answer.predicted_class not in classes
        or answer.predicted_iou < options.lowest_quality
        or answer.class_confidence < options.lowest_share
        or stability(answer.mask_logits) < options.lowest_stability
    ):
        return []
    score = answer.predicted_iou * answer.class_confidence
    proposal = Proposal.of(answer, classes.index(answer.predicted_class) + 1, score)
    return [] if proposal is None else [proposal]


def _grid(shape: tuple[int, int], points: int) -> tuple[np.ndarray, np.ndarray]:
    """Clicks (N, 2) as x, y in the middle of the cells of a grid: those asked first, and the others."""
    rows, columns = (np.unique(np.floor((np.arange(points) + 0.5) * length / points)) for length in shape)
    x, y = np.meshgrid(columns, rows)
    first = np.zeros(x.shape, bool)
    first[COARSE // 2 :: COARSE, COARSE // 2 :: COARSE] = True
    first[0, 0] |= not first.any()
    clicks = np.stack([x, y], axis=-1)
    return clicks[first], clicks[~first]


def _uncovered(points: np.ndarray, found: Sequence[Proposal], shape: tuple[int, int]) -> np.ndarray:
    covered = np.zeros(shape, bool)
    for proposal in found:
        covered[proposal.window] |= proposal.mask
    x, y = points.astype(int).T
    return points[~covered[y, x]]
