"""The embeddings of a round's slices, each at hand when it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from samantic.sam.half_precision import Tensors, bytes_of, packed
from samantic.sam.image_encoder import FeatureMaps
from samantic.segsam.predictor import SegSamPredictor
from samantic.segsam.training.retraining.slices import StudySlice


class FeatureShelf:
    """Feature maps of slices in half precision in memory, as many as `budget_bytes` hold.

    The first time, and always for those that found no room, they come from the predictor: through its cache if it has
    one, from the encoder otherwise.
    """

    def __init__(self, predictor: SegSamPredictor, budget_bytes: int) -> None:
        self._predictor, self._room = predictor, budget_bytes
        self._kept: dict[str, Tensors] = {}
        self.has_room = budget_bytes > 0
        """Whether what comes next is likely to be kept."""

    def of(self, slices: Sequence[StudySlice]) -> FeatureMaps:
        """Feature maps (B, C, h, w) float32 of some slices on the predictor's device."""
        found = [self._one(item) for item in slices]
        device = self._predictor.device
        return {name: torch.cat([maps[name] for maps in found]).to(device).float() for name in found[0]}

    def _one(self, item: StudySlice) -> Tensors:
        kept = self._kept.get(item.key.digest)
        if kept is not None:
            return kept
        maps = packed(self._computed(item))
        size = bytes_of(maps)
        if size <= self._room:
            self._kept[item.key.digest] = maps
            self._room -= size
        self.has_room = self._room >= size
        return maps

    def _computed(self, item: StudySlice) -> FeatureMaps:
        predictor = self._predictor

        def encode() -> FeatureMaps:
            return predictor.encode(item.picture(), item.transform.spacing_yx_mm).maps

        # The picture is read only where the encoder has to run.
        return encode() if predictor.cache is None else predictor.cache.get_or_compute(item.key, encode)
