"""How the bundled `segsam-tiny` is trained."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path

import numpy as np

from samantic.datasets.development_sets import (
    TRAINING_SETS,
    VALIDATION_SETS,
    WHOLE_TRAINING_SETS,
    data_folder,
)
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.network import SegSam
from samantic.segsam.training.fit import fit
from samantic.segsam.training.look_fit import fit_look
from samantic.segsam.training.prompt_free_fit import fit_prompt_free
from samantic.segsam.training.settings import LookSettings, PromptFreeSettings, SegSamSettings
from samantic.training import SettingsError
from samantic.vocabulary import load_vocabulary

SHOWN = 4
"""Validation pictures of each set on the sheets of predictions."""


def train(run: Path, settings: SegSamSettings) -> SegSam:
    """Train on the training parts of all sets; resumes an interrupted run in the folder `run`."""
    sets = training_sets(settings.shares)
    return fit(
        settings.config(class_names_in(sets)),
        sets,
        settings.shares,
        settings.fit,
        run,
        objects_per_image=settings.objects_per_image,
        initial_weights=settings.initial_weights,
        freeze_encoder=settings.freeze_encoder,
        semantic_weight=settings.semantic_weight,
        shown=shown_views(),
    )


def train_look(run: Path, segsam: Path, settings: LookSettings) -> SegSam:
    """Train the look network of the weights `segsam`; resumes an interrupted run in the folder `run`.

    SettingsError: there are no such weights.
    """
    if not segsam.is_file():
        raise SettingsError(f"There is no file {segsam} with SEG-SAM weights.")
    return fit_look(
        segsam,
        training_sets(settings.shares),
        settings.shares,
        settings.fit,
        run,
        look_size=settings.look_size,
        look_width=settings.look_width,
        shown=shown_views(),
    )


def train_prompt_free(run: Path, segsam: Path, settings: PromptFreeSettings) -> SegSam:
    """Train the prompt-free head of the weights `segsam`; resumes an interrupted run in the folder `run`.

    SettingsError: there are no such weights.
    """
    if not segsam.is_file():
        raise SettingsError(f"There is no file {segsam} with SEG-SAM weights.")
    folder = data_folder()
    # A head must learn from pictures that show nothing, too.
    sets = {name: list(read(folder)) for name, read in WHOLE_TRAINING_SETS.items() if name in settings.shares}
    return fit_prompt_free(segsam, sets, settings.shares, settings.fit, run, width=settings.width, shown=shown_views())


def training_sets(names: Collection[str]) -> dict[str, list[LabelledView]]:
    """The training parts of the sets in `names`."""
    folder = data_folder()
    sets = {name: list(read(folder)) for name, read in TRAINING_SETS.items() if name in names}
    # Ultrasound without a lesion has nothing to prompt.
    return {name: [view for view in views if view.labels.any()] for name, views in sets.items()}


def shown_views() -> list[LabelledView]:
    """A few validation pictures of each set."""
    folder = data_folder()
    return [
        view
        for read in VALIDATION_SETS.values()
        for view in itertools.islice((view for view in read(folder) if view.labels.any()), SHOWN)
    ]


def class_names_in(sets: dict[str, list[LabelledView]]) -> tuple[str, ...]:
    """The classes that at least one picture shows, in the vocabulary's order."""
    seen: set[str] = set()
    for views in sets.values():
        for view in views:
            seen.update(view.class_names[value - 1] for value in np.unique(view.labels) if value > 0)
    return tuple(entry.name for entry in load_vocabulary() if entry.name in seen)
