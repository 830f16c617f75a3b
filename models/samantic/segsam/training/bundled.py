"""How the bundled `segsam-tiny` is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samantic.datasets.development_sets import TRAINING_SETS, data_folder
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.config import SegSamConfig
from samantic.segsam.network import SegSam
from samantic.segsam.training.fit import FitOptions, fit
from samantic.vocabulary import load_vocabulary

SHARES = {"isic2017": 0.25, "busi": 0.20, "hippocampus": 0.17, "ct": 0.26, "mr": 0.12}
"""Each set's part of the pictures drawn: by difficulty, not by size."""


def train_bundled(run: Path, options: FitOptions) -> SegSam:
    """Train `segsam-tiny` on the training parts of all sets; resumes an interrupted run in the folder `run`."""
    folder = data_folder()
    sets = {name: list(read(folder)) for name, read in TRAINING_SETS.items()}
    # Volumes cut into slices along three axes overlap; ultrasound without a lesion has nothing to prompt.
    sets = {name: [view for view in views if view.labels.any()] for name, views in sets.items()}
    return fit(SegSamConfig(class_names_in(sets)), sets, SHARES, options, run)


def class_names_in(sets: dict[str, list[LabelledView]]) -> tuple[str, ...]:
    """The classes that at least one picture shows, in the vocabulary's order."""
    seen: set[str] = set()
    for views in sets.values():
        for view in views:
            seen.update(view.class_names[value - 1] for value in np.unique(view.labels) if value > 0)
    return tuple(entry.name for entry in load_vocabulary() if entry.name in seen)
