"""Proposals and maps of the head -> one label map of a picture, in which the surer one has the pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samantic.segsam.automatic.coarse_map import CoarseMap, bands, only_likely
from samantic.segsam.automatic.proposals import Proposal
from samantic.segsam.semantic_map import entropy


@dataclass(frozen=True, eq=False)
class Drawn:
    """One picture: `labels` (rows, cols) uint8, `confidence` and `uncertainty` float16 in 0 to 1.

    `confidence` is the probability of the label, `uncertainty` the entropy over that of a uniform guess.
    """

    labels: np.ndarray
    confidence: np.ndarray
    uncertainty: np.ndarray


def draw_maps(maps: Sequence[CoarseMap], prompted: Sequence[Proposal] = (), prompted_share: float = 0.0) -> Drawn:
    """The likeliest class of every pixel by the mean of the maps, and where there are prompted objects, by theirs too.

    `prompted_share` is the weight of the objects' probabilities against those of the maps, 0 to 1 (ours).
    """
    total = len(maps[0].log_probabilities)
    maps, values = only_likely(maps)
    looks = _by_value(prompted, maps[0].shape)
    drawn = _empty(maps[0].shape)
    for rows, probabilities in bands(maps):
        if looks:
            _mix(probabilities, values, {value: look[rows] for value, look in looks.items()}, prompted_share)
        winner = probabilities.argmax(axis=0)
        drawn.labels[rows] = values[winner]
        drawn.confidence[rows] = np.take_along_axis(probabilities, winner[None], axis=0)[0]
        if len(probabilities) > 1:
            drawn.uncertainty[rows] = entropy(probabilities) * (math.log(len(probabilities)) / math.log(total))
    return drawn


def draw_proposals(proposals: Sequence[Proposal], shape: tuple[int, int]) -> Drawn:
    """A picture (rows, cols) of proposals alone; outside of them there is nothing, with confidence 1."""
    drawn = _empty(shape)
    surest = np.zeros(shape, np.float16)
    for proposal in proposals:
        surety = (proposal.probability * np.float16(proposal.score)).astype(np.float16)
        wins = proposal.mask & (surety > surest[proposal.window])
        drawn.labels[proposal.window][wins] = proposal.value
        surest[proposal.window][wins] = surety[wins]
    drawn.confidence[...] = np.where(drawn.labels > 0, surest, 1.0)
    drawn.uncertainty[...] = entropy(np.stack([drawn.confidence, 1 - drawn.confidence]).astype(np.float32))
    return drawn


def _by_value(proposals: Sequence[Proposal], shape: tuple[int, int]) -> dict[int, np.ndarray]:
    looks: dict[int, np.ndarray] = {}
    for proposal in proposals:
        look = looks.setdefault(proposal.value, np.zeros(shape, np.float16))
        np.maximum(look[proposal.window], proposal.probability, out=look[proposal.window])
    return looks


def _mix(probabilities: np.ndarray, values: np.ndarray, looks: dict[int, np.ndarray], share: float) -> None:
    """Weigh the objects' probabilities in, in place."""
    nothing = 1.0 - np.max([look for look in looks.values()], axis=0).astype(np.float32)
    probabilities *= 1.0 - share
    probabilities[0] += share * nothing
    for value, look in looks.items():
        probabilities[int(np.flatnonzero(values == value)[0])] += share * look
    probabilities /= probabilities.sum(axis=0)


def _empty(shape: tuple[int, int]) -> Drawn:
    return Drawn(np.zeros(shape, np.uint8), np.zeros(shape, np.float16), np.zeros(shape, np.float16))
