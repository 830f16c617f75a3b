"""When the segmenter should not be believed without a look."""

from __future__ import annotations

from samantic.besadiff.answer import LesionAnswer

SURE_FROM = 0.5
"""Boundary confidence from which an answer counts as sure.

Chosen on validation images: the sixth part below it holds two thirds of the masks with a Dice under .7.
"""


def is_unsure(answer: LesionAnswer) -> bool:
    """Whether the members do not agree where the border runs, or find nothing: a person should look (ours)."""
    return not answer.mask.any() or not answer.boundary_confidence >= SURE_FROM
