"""How the bundled `skin-photo` is trained: on composites of the lesions of a public set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samantic.datasets.development_sets import data_folder, isic2017, learnable_ids
from samantic.skinphoto.composites import Composite, LesionPatch, draw_composite, lesion_patches
from samantic.skinphoto.network import SkinPhotoNetwork
from samantic.skinphoto.training.settings import SkinPhotoSettings
from samantic.skinphoto.training.skin_photo_fit import fit_skin_photo

SHOWN, SHAPE, SEED = 12, (240, 320), 23
"""Validation composites on the sheets of predictions."""


def train_skin_photo(run: Path, settings: SkinPhotoSettings) -> SkinPhotoNetwork:
    """Train on composites of the training part of ISIC 2017; resumes an interrupted run in the folder `run`.

    FileNotFoundError where SAMANTIC_DATA names no data.
    """
    folder = data_folder()
    shown = composites_of(lesions_of(folder, "val"), SHOWN, SEED)
    return fit_skin_photo(lesions_of(folder, "train"), settings, run, shown=shown)


def lesions_of(folder: Path, part: str) -> list[LesionPatch]:
    """The lesions of a part of ISIC 2017; of the part train those that the other parts do not show as well."""
    learnable = set(learnable_ids(folder, "isic2017"))
    views = (view for view in isic2017(folder, part) if part != "train" or view.image_id in learnable)
    return lesion_patches(views)


def composites_of(lesions: list[LesionPatch], count: int, seed: int, shape: tuple[int, int] = SHAPE) -> list[Composite]:
    """The first `count` composites of a seed: the same in every run."""
    return [draw_composite(np.random.default_rng((seed, number)), lesions, shape) for number in range(count)]
