"""The strategies `uncertainty`, `diversity` and `hybrid`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from monailabel.interfaces.tasks.infer_v2 import InferTask

from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.looking import LookingStrategy, Seen
from samantic.app.lib.strategies.strategy import Suggestion, number_in_line
from samantic.app.lib.strategies.summaries import Summaries
from samantic.segsam.choosing import hybrid_order, k_center_order, preselected, uncertainty_order


class Uncertainty(LookingStrategy):
    """The image in which the model is least sure."""

    def __init__(self, leases: Leases, tasks: Mapping[str, InferTask], summaries: Summaries) -> None:
        super().__init__("The image in which the model is least sure", leases, tasks, summaries)

    def order(self, seen: Seen, count: int) -> Sequence[Suggestion]:
        """The most uncertain first."""
        images = [seen.free[place] for place in uncertainty_order(seen.uncertainties)[:count]]
        return [
            Suggestion(image, seen.uncertainty(image), _how_uncertain(seen, image), _uncertainty_of(seen, image))
            for image in images
        ]


class Diversity(LookingStrategy):
    """The image that is least like those that are labelled or with other people."""

    needs_uncertainty = False

    def __init__(self, leases: Leases, tasks: Mapping[str, InferTask], summaries: Summaries) -> None:
        super().__init__("The image least like those that are labelled", leases, tasks, summaries)

    def order(self, seen: Seen, count: int) -> Sequence[Suggestion]:
        """Greedy k-center."""
        ranked = k_center_order(seen.embeddings, seen.covered, count)
        return [
            Suggestion(seen.free[place], distance, _of_all(seen, number, distance), {"distance": round(distance, 6)})
            for number, (place, distance) in enumerate(ranked)
        ]


class Hybrid(LookingStrategy):
    """Among the images in which the model is least sure, the one least like what is labelled."""

    def __init__(self, leases: Leases, tasks: Mapping[str, InferTask], summaries: Summaries) -> None:
        super().__init__("Of the most uncertain images the one least like those labelled", leases, tasks, summaries)

    def order(self, seen: Seen, count: int) -> Sequence[Suggestion]:
        """The most uncertain third by k-center, then the others, the most uncertain first."""
        ranked = hybrid_order(seen.uncertainties, seen.embeddings, seen.covered, count)
        suggestions = []
        for number, (place, distance) in enumerate(ranked):
            image = seen.free[place]
            numbers, weight, reason = _uncertainty_of(seen, image), seen.uncertainty(image), _how_uncertain(seen, image)
            if not math.isnan(distance):
                numbers |= {"distance": round(distance, 6)}
                reason += (
                    f"; of the {preselected(len(seen.free))} most uncertain the one {_how_far(seen, number, distance)}"
                )
            suggestions.append(Suggestion(image, weight, reason, numbers))
        return suggestions


def _how_uncertain(seen: Seen, image: str) -> str:
    place = number_in_line(seen.place(image))
    return f"uncertainty {seen.uncertainty(image):.3g}, the {place}highest of {seen.among}{seen.elsewhere}"


def _uncertainty_of(seen: Seen, image: str) -> dict[str, float]:
    return {"uncertainty": round(seen.uncertainty(image), 6)}


def _how_far(seen: Seen, number: int, distance: float) -> str:
    if number == 0 and not len(seen.covered):
        return f"nearest to the middle (distance {distance:.3g}), as nothing is labelled yet"
    further = " or suggested before it" if number else ""
    return f"farthest (distance {distance:.3g}) from what is labelled, or with other people{further}"


def _of_all(seen: Seen, number: int, distance: float) -> str:
    return f"{_how_far(seen, number, distance)}, of {seen.among}{seen.elsewhere}"
