"""How many clicks a wanted Dice costs, where not every structure gets there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samantic.evaluation.intervals import MeanWithInterval, mean_with_interval


@dataclass(frozen=True)
class ClicksToTarget:
    """What a Dice of `target` costs.

    `reached` is the share of structures that get there within `limit` clicks. `median_clicks` counts those that do not
    as more than the limit, and is None where that is the median. `least_mean_clicks` counts them as limit + 1 clicks,
    so the true mean is at least this.
    """

    target: float
    limit: int
    reached: MeanWithInterval
    median_clicks: float | None
    least_mean_clicks: float

    @property
    def median_text(self) -> str:
        return f"more than {self.limit}" if self.median_clicks is None else f"{self.median_clicks:g}"


def clicks_to_reach(dice_by_click: Sequence[float], target: float) -> int | None:
    """Return the number of the first click whose answer has a Dice of at least `target`, or None."""
    return next((number for number, value in enumerate(dice_by_click, start=1) if value >= target), None)


def clicks_to_target(
    curves: Sequence[Sequence[float]], target: float, limit: int, groups: Sequence[str] | None = None
) -> ClicksToTarget:
    """Summarise the Dice after each click of many structures; ValueError without any.

    A curve may end early where the target was reached. Source: number of clicks (Xu et al. 2016), which counts failures
    as `limit` clicks; here they stay failures (ours).
    """
    needed = [clicks_to_reach(curve[:limit], target) for curve in curves]
    reached = mean_with_interval([float(clicks is not None) for clicks in needed], groups)
    counted = [limit + 1 if clicks is None else clicks for clicks in needed]
    # Of an even number the upper middle one, where the mean of the middle two would invent a count beyond the limit.
    median = sorted(counted)[len(counted) // 2]
    return ClicksToTarget(target, limit, reached, None if median > limit else float(median), float(np.mean(counted)))
