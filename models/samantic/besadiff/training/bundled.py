"""How the bundled `besadiff-segmenter` is trained: on the dermoscopy of the public sets."""

from __future__ import annotations

import itertools
from pathlib import Path

from samantic.besadiff.dermosegdiff import DermoSegDiff
from samantic.besadiff.training.segmenter_fit import fit_segmenter
from samantic.besadiff.training.settings import SegmenterSettings
from samantic.datasets.development_sets import data_folder, isic2017

SHOWN = 12
"""Validation pictures on the sheets of predictions."""


def train_segmenter(run: Path, settings: SegmenterSettings, start: Path | None = None) -> DermoSegDiff:
    """Train on the training part of ISIC 2017; resumes an interrupted run in the folder `run`."""
    folder = data_folder()
    return fit_segmenter(
        settings.network,
        list(isic2017(folder, "train")),
        settings.fit,
        run,
        loss=settings.loss,
        start=start,
        shown=list(itertools.islice(isic2017(folder, "val"), SHOWN)),
    )
