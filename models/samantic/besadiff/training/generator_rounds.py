"""Training of the bundled generator on its public set."""

from __future__ import annotations

import csv
from pathlib import Path

from samantic.besadiff.generator.condition import Diagnosis
from samantic.besadiff.generator.network import GeneratorNetwork
from samantic.besadiff.training.generator_fit import fit_generator
from samantic.besadiff.training.generator_settings import GeneratorSettings
from samantic.datasets.development_sets import data_folder, isic2017, learnable_ids
from samantic.datasets.labelled_view import LabelledView


def train(run: Path, settings: GeneratorSettings) -> GeneratorNetwork:
    """Train a generator on the train part of ISIC 2017; FileNotFoundError where SAMANTIC_DATA names no data."""
    folder = data_folder()
    return fit_generator(training_views(folder), settings, run, diagnoses=isic2017_diagnoses(folder))


def training_views(folder: Path) -> list[LabelledView]:
    """The images of ISIC 2017 whose labels may be learned from."""
    learnable = set(learnable_ids(folder, "isic2017"))
    return [view for view in isic2017(folder, "train") if view.image_id in learnable]


def isic2017_diagnoses(folder: Path) -> dict[str, Diagnosis]:
    """The diagnosis by image id, where the data set tells it: an image with neither flag shows a nevus."""
    with (folder / "isic2017" / "split.csv").open(encoding="utf-8", newline="") as lines:
        return {row["image_id"]: _diagnosis(row) for row in csv.DictReader(lines) if row["melanoma"]}


def _diagnosis(row: dict[str, str]) -> Diagnosis:
    if float(row["melanoma"]):
        return "melanoma"
    return "seborrheic_keratosis" if float(row["seborrheic_keratosis"]) else "nevus"
