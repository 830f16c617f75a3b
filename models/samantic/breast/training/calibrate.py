"""After training: the temperature of the diagnoses, and what breast ultrasound looks like to the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from samantic.breast.calibration import DOMAIN, BreastCalibration, familiarity_input
from samantic.breast.diagnosis import known_index
from samantic.breast.network import BreastNetwork
from samantic.breast.reader import BreastReader
from samantic.breast.squares import grey_square
from samantic.breast.training.examples import BreastExample
from samantic.segsam.calibrate import fit_temperature
from samantic.segsam.familiarity import Familiarity, fit_familiarity, pooled_features
from samantic.segsam.outlier_pictures import outlier_picture, spoilt_picture
from samantic.training import TrainingError

OUTLIERS, SPOILT = 300, 100
"""Pictures of nothing, and of breasts as they never look."""

FAMILIAR_QUANTILE = 0.98
"""Of the validation pictures that pass for familiar; sixty of them leave no finer choice."""


def calibrate(
    network: BreastNetwork,
    training: Sequence[BreastExample],
    validation: Sequence[BreastExample],
    foreign: Iterable[np.ndarray] = (),
    seed: int = 17,
) -> BreastCalibration:
    """Calibrate on validation pictures, which the weights have not learned from.

    `foreign` are pictures (rows, cols, 3) uint8 of other kinds. TrainingError without a known diagnosis to calibrate
    on.
    """
    reader = BreastReader(network, device=next(network.parameters()).device)
    known = [(example, known_index(example.possible)) for example in validation]
    pairs = [(reader.look(example.image).class_logits, index) for example, index in known if index is not None]
    if not pairs:
        raise TrainingError("No validation picture has a known diagnosis, so there is no temperature to choose.")
    logits, truth = np.stack([one for one, _ in pairs]), np.array([index for _, index in pairs])
    return BreastCalibration(fit_temperature(logits, truth), _familiarity(network, training, validation, foreign, seed))


def _familiarity(
    network: BreastNetwork,
    training: Sequence[BreastExample],
    validation: Sequence[BreastExample],
    foreign: Iterable[np.ndarray],
    seed: int,
) -> Familiarity:
    random = np.random.default_rng(seed)

    def of(pictures: Iterable[np.ndarray]) -> np.ndarray:
        return np.stack([pooled(network, picture) for picture in pictures])

    spoilt = (spoilt_picture(training[index % len(training)].image, random) for index in range(2 * SPOILT))
    # The network sees no colours: to it, a breast in colours is a breast like any other.
    different = [picture for picture in spoilt if (picture.max(axis=2) == picture.min(axis=2)).all()][:SPOILT]
    outliers = [*(outlier_picture(random) for _ in range(OUTLIERS)), *different, *foreign]
    return fit_familiarity(
        {DOMAIN: of(example.image for example in training)},
        {DOMAIN: of(example.image for example in validation)},
        of(outliers),
        FAMILIAR_QUANTILE,
    )


@torch.no_grad()
def pooled(network: BreastNetwork, picture: np.ndarray) -> np.ndarray:
    """What a picture (rows, cols, 3) uint8 is judged by: statistics of the encoder's maps, (D,)."""
    device = next(network.parameters()).device
    maps = network.encode(grey_square(picture, network.image_size)[None].to(device))
    return pooled_features(*familiarity_input(network, maps))
