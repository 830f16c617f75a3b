"""Whether the next slice still shows the object."""

from __future__ import annotations

import numpy as np

from samantic.segsam.propagation.options import StopLimits, StopReason
from samantic.segsam.propagation.slice_answers import Found

LEAST_SPREAD = 8.0
"""Greys: noise of an image that has next to none inside the object must not count as another tissue."""


def reason_to_stop(found: Found, before: Found, start: Found, limits: StopLimits) -> StopReason | None:
    """Why `found` is not the object that was found on the slice `before` it and prompted on `start`; None if it is."""
    if not found.area:
        return "nothing found"
    if found.quality < limits.confidence:
        return "confidence"
    if found.area > limits.growth * before.area + limits.slack_pixels:
        return "area grew"
    if found.area < limits.shrinkage * before.area - limits.slack_pixels:
        return "area shrank"
    # Where the class's own map draws the object, it says better where the class ends than a name does.
    if found.class_share < limits.map_share or (start.unprompted is None and _is_another_class(found, start, limits)):
        return "class changed"
    if _grey_shift(found, start) > limits.grey_shift:
        return "appearance changed"
    return None


def _is_another_class(found: Found, start: Found, limits: StopLimits) -> bool:
    """Names are uncertain: a sure one must lose much of what it had on the prompted slice, and another must lead."""
    if not start.class_probabilities:
        return False
    name = max(start.class_probabilities, key=start.class_probabilities.__getitem__)
    leads = max(found.class_probabilities, key=found.class_probabilities.__getitem__)
    before, now = start.class_probabilities[name], found.class_probabilities[name]
    return before >= limits.sure_name and leads != name and now < limits.class_share * before


def _grey_shift(found: Found, start: Found) -> float:
    if found.greys is None or start.greys is None:
        return 0.0
    (now, _), (then, spread) = found.greys, start.greys
    return float((np.abs(now - then) / np.maximum(spread, LEAST_SPREAD)).max())
