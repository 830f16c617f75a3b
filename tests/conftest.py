"""A model that knows what it does not know, in any way that a test wants it to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from samantic.segsam import SegSamPredictor
from samantic.segsam.calibration import Calibration, DomainCalibration
from samantic.segsam.familiarity import Familiarity, pooled_features

Calibrate = Callable[..., SegSamPredictor]


@pytest.fixture(scope="session")
def calibrated() -> Calibrate:
    """Give a predictor's weights a calibration under which every name is sure or not, every picture familiar or not."""

    def calibrate(predictor: SegSamPredictor, *, sure: bool = True, familiar: bool = True) -> SegSamPredictor:
        features = predictor.encode(np.zeros((32, 32, 3), np.uint8))
        count = len(pooled_features(features.maps, features.transform))
        familiarity = Familiarity(
            ("ct",),
            centre=np.zeros(count),
            scale=np.ones(count),
            weights=np.zeros((count, 2)),
            biases=np.zeros(2),
            basis=np.eye(count, 1),
            means=np.zeros((1, count)),
            precisions=np.ones((1, 1, 1)),
            residuals=np.ones(1),
            outlier_thresholds=np.ones(1),
            distance_thresholds=np.array([1e9 if familiar else 1e-9]),
        )
        domain = DomainCalibration(temperature=1.0, smallest_knownness=0.0 if sure else 2.0)
        calibration = Calibration({"ct": domain}, familiarity)
        return SegSamPredictor(
            predictor.network, predictor.weights_hash, predictor.device, predictor.cache, calibration
        )

    return calibrate
