"""What SEG-SAM makes of an image as a whole, for whoever chooses the next one to label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from samantic.app.lib.infers.features import SliceFeatures
from samantic.app.lib.infers.stopwatch import Stopwatch
from samantic.imaging import SliceView, Volume, Window
from samantic.segsam import ImageFeatures, SegSamPredictor
from samantic.segsam.choosing import ImageSummary, SummaryOptions, summarise


@dataclass(frozen=True, eq=False)
class SegSamEyes:
    """The entropy of the prompt-free head's map, and the image embedding (`samantic.app.lib.strategies.eyes.Eyes`)."""

    predictor: SegSamPredictor
    features: SliceFeatures
    for_every_image: bool = True

    @property
    def identity(self) -> str:
        return self.predictor.weights_hash

    @property
    def class_names(self) -> Sequence[str]:
        return self.predictor.class_names

    @property
    def knows_uncertainty(self) -> bool:
        return self.predictor.has_prompt_free_head

    def look(self, volume: Volume, options: SummaryOptions, give_way: Callable[[], bool]) -> ImageSummary:
        """See `summarise`."""

        def features_of(view: SliceView, window: Window) -> ImageFeatures:
            return self.features.of(volume, view, window, Stopwatch()).features

        return summarise(self.predictor, volume, options, features_of, give_way)
