"""How the bundled `breast-ultrasound` is trained: on the ultrasound of the public sets."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from samantic.breast.checkpoint import read_breast, save_breast
from samantic.breast.network import BreastNetwork
from samantic.breast.training.calibrate import calibrate
from samantic.breast.training.examples import busi_examples
from samantic.breast.training.fit import WEIGHTS, fit_breast
from samantic.breast.training.settings import BreastSettings
from samantic.datasets.development_sets import ct, data_folder, hippocampus, isic2017, mr
from samantic.datasets.labelled_view import LabelledView

CALIBRATED = "breast-ultrasound.safetensors"
"""The weights with their temperature and with what they know of other pictures."""

SHOWN_EACH = 4
"""Validation pictures of each diagnosis on the sheets of predictions."""

FOREIGN_EACH = 60


def train_breast(run: Path, settings: BreastSettings) -> BreastNetwork:
    """Train on the training part of BUSI and calibrate on its validation part; resumes an interrupted run.

    The folder `run` holds `breast.safetensors` and, once trained, `breast-ultrasound.safetensors`.
    """
    folder = data_folder()
    training, validation = (list(busi_examples(folder, part)) for part in ("train", "val"))
    kinds = [[one for one in validation if one.image_id.startswith(kind)] for kind in ("normal", "benign", "malignant")]
    fit_breast(
        settings.network,
        training,
        settings.fit,
        run,
        loss=settings.loss,
        encoder_weights=settings.encoder_weights,
        encoder_learns=settings.encoder_learns,
        shown=[one for kind in kinds for one in kind[:SHOWN_EACH]],
    )
    # What is calibrated is what is written: the average in half precision.
    trained = read_breast(run / WEIGHTS)
    calibration = calibrate(trained.network, training, validation, foreign_pictures(folder))
    save_breast(trained.network, run / CALIBRATED, manifest=trained.manifest, calibration=calibration)
    return trained.network


def foreign_pictures(folder: Path) -> Iterator[np.ndarray]:
    """Pictures of the training parts that are no ultrasound: skin, hippocampi, CT and MR of the body."""
    sets: tuple[Iterable[LabelledView], ...] = (
        isic2017(folder, "train"),
        hippocampus(folder, "train"),
        ct(folder),
        mr(folder),
    )
    for views in sets:
        for view in itertools.islice(views, 0, 4 * FOREIGN_EACH, 4):
            yield view.image
