"""What BESA-Diff makes of a photograph as a whole, for whoever chooses the next one to label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from samantic.app.lib.infers.besadiff_json import LARGEST_VARIANCE
from samantic.app.lib.infers.besadiff_request import MEMBERS, STEPS, check_photograph
from samantic.app.lib.infers.model_threads import ModelThreads
from samantic.besadiff.answer import LesionAnswer
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.imaging import SliceView, Volume, to_uint8, window_for
from samantic.segsam.choosing import ImageSummary, SummaryOptions
from samantic.segsam.choosing.image_summary import LEAST_SHARE, normalised


@dataclass(frozen=True, eq=False)
class LesionEyes:
    """How much the members of the ensemble differ, and the descriptor of the image branch; for colour photographs.

    See `samantic.app.lib.strategies.eyes.Eyes`. Source: ours.
    """

    segmenter: LesionSegmenter
    threads: ModelThreads
    class_names: Sequence[str] = ()
    knows_uncertainty: bool = True
    for_every_image: bool = False

    @property
    def identity(self) -> str:
        return f"{self.segmenter.weights_hash} {MEMBERS} members {STEPS} steps"

    def look(self, volume: Volume, options: SummaryOptions, give_way: Callable[[], bool]) -> ImageSummary:  # noqa: ARG002
        """Uncertainty: the variance over its largest possible value. Raises RequestError for other images."""
        check_photograph(volume)
        give_way()
        return self.threads.encode(lambda: self._looked(volume))

    def _looked(self, volume: Volume) -> ImageSummary:
        picture = to_uint8(SliceView.of(volume, 2, 0).extract(volume.array), window_for(volume))
        answer = self.segmenter.segment(picture, members=MEMBERS, steps=STEPS)
        descriptor = self.segmenter.features(picture).double().numpy()
        return ImageSummary(disagreement(answer), normalised(descriptor))


def disagreement(answer: LesionAnswer) -> float:
    """How much the members differ, 0 to 1: around the border or, where they find nothing, where they differ most.

    Without the latter a lesion that is missed would count as the surest of all.
    """
    variance = answer.mean_variance
    if not answer.mask.any():
        least = np.quantile(answer.variance, 1 - LEAST_SHARE, method="higher")
        variance = float(answer.variance[answer.variance >= least].mean())
    return min(1.0, variance / LARGEST_VARIANCE)
