"""A model that knows what it does not know, in any way that a test wants it to, and a small segmenter of lesions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.datasets.labelled_view import LabelledView
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


@pytest.fixture(scope="session")
def lesion_views() -> Callable[..., list[LabelledView]]:
    """Photographs of (rows, cols) pixels, each with one dark spot of its own on light skin, and the truth."""

    def make(count: int, shape: tuple[int, int] = (48, 64), seed: int = 0) -> list[LabelledView]:
        random = np.random.default_rng(seed)
        rows, columns = shape
        y, x = np.ogrid[:rows, :columns]
        views = []
        for number in range(count):
            centre = random.uniform(0.35, 0.65, 2) * shape
            radius = random.uniform(0.18, 0.3) * rows
            spot = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
            picture = np.where(spot[..., None], (96, 60, 48), (222, 178, 150)) + random.normal(0, 5, (*shape, 3))
            image = picture.clip(0, 255).astype(np.uint8)
            views.append(
                LabelledView(f"spot{number:02d}", "dermoscopy", image, spot.astype(np.int16), ("skin_lesion",))
            )
        return views

    return make


@pytest.fixture(scope="session")
def write_segmenter() -> Callable[..., Path]:
    """Writes a tiny segmenter of 32 x 32 pixels with random weights, others for every seed, and its manifest."""
    from samantic.besadiff.checkpoint import save_part
    from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
    from samantic.segsam import TrainingManifest

    config = DermoSegDiffConfig(
        mask_side=32,
        image_side=32,
        mask_patch=2,
        image_patch=2,
        mask_width=8,
        mask_multipliers=(1, 2),
        image_width=8,
        image_multipliers=(1, 2),
        attention_heads=1,
        attention_head_width=8,
        image_branch="time_free",
        prediction="sample",
    )

    def write(path: Path, seed: int = 0, learned: tuple[str, ...] = ()) -> Path:
        torch.manual_seed(seed)
        manifest = TrainingManifest.of({"isic2017": learned})
        save_part("segmenter", DermoSegDiff(config), config.to_json(), path, manifest=manifest)
        return path

    return write


@pytest.fixture(scope="session")
def a_trained_segmenter(
    tmp_path_factory: pytest.TempPathFactory, write_segmenter: Callable[..., Path], lesion_views: Callable[..., list]
) -> Path:
    """The same after twenty steps on dark spots: it finds them."""
    from samantic.besadiff.training.retraining import LesionRetrainOptions, retrain_on_views

    folder = tmp_path_factory.mktemp("segmenter")
    options = LesionRetrainOptions(epochs=1, steps_per_epoch=24, learning_rate=5e-3, data_set="spots")
    learned = retrain_on_views(write_segmenter(folder / "random.safetensors"), lesion_views(16, seed=9), options)
    learned.save(folder / "trained.safetensors")
    return folder / "trained.safetensors"
