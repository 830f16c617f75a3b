"""What a propagation comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from samantic.segsam.predictor import ObjectPrediction
from samantic.segsam.propagation.options import StopReason


@dataclass(frozen=True, eq=False)
class PropagatedVolume:
    """`labels` (I, J, K) uint8, 1 inside the object, in the order of image files (i fastest).

    `confidence` by slice index: the overlap (IoU) with the truth to expect, 1 where a mask was drawn by hand.
    `stopped`: why it ended, by direction ("up", "down"), None in a direction that was not asked for. `prediction`: the
    model's answer on the prompted slice that was named first.
    """

    labels: np.ndarray
    confidence: Mapping[int, float]
    stopped: Mapping[str, StopReason | None]
    prediction: ObjectPrediction

    @property
    def slices(self) -> tuple[int, int] | None:
        """The first and the last slice that show the object; None if nothing was found at all."""
        return (min(self.confidence), max(self.confidence)) if self.confidence else None
