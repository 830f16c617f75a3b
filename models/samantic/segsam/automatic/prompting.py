"""The head's regions, prompted: what the network draws there, and what the SO head calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from samantic.segsam.automatic.passes import Run, decoded
from samantic.segsam.automatic.proposals import Proposal, without_repeats
from samantic.segsam.automatic.regions import Region
from samantic.segsam.predictor import ImageFeatures, SegSamPredictor

SAME_OBJECT = 0.7
"""Masks of two regions that overlap so much are one object: the surer one's."""


def prompted(
    predictor: SegSamPredictor,
    features: ImageFeatures,
    regions: Sequence[Region],
    run: Run,
    check: Callable[[], None] = lambda: None,
) -> list[Proposal]:
    """Every region as the network draws it when it is prompted with box, mask and core; repeats are left out."""
    shape = features.transform.shape
    answers = decoded(predictor, features, (region.prompts(shape) for region in regions), run, check)
    found = []
    for region, answer in zip(regions, answers, strict=True):
        proposal = Proposal.of(answer, region.value, region.surety * answer.predicted_iou)
        if proposal is not None:
            found.append(proposal)
    return without_repeats(found, SAME_OBJECT)
