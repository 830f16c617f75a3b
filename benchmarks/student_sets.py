"""The three sets that the students are measured on: what is learned from, and how an answer is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from samantic.datasets.development_sets import (
    WHOLE_TRAINING_SETS,
    busi,
    data_folder,
    image_ids,
    isic2017,
)
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import BorderDistances, dice
from samantic.imaging import read_volume
from samantic.student import StudentPredictor

SUBSET_SEED = 20
COLUMNS = ("Dice", "HD95")


@dataclass(frozen=True)
class MeasuredSet:
    """`goal` is the Dice of all labels that a student must reach; `unit` that of the Hausdorff distance."""

    data_set: str
    model: str
    goal: float
    unit: str
    shown: str


SETS = {
    "dermoscopy": MeasuredSet("isic2017", "student-dermoscopy", 0.835, "px", "ISIC 2017, lesions"),
    "breast": MeasuredSet("busi", "student-breast-ultrasound", 0.73, "px", "BUSI, images with a lesion"),
    "hippocampus": MeasuredSet("hippocampus", "student-hippocampus", 0.86, "mm", "MSD hippocampus, volumes"),
}


def training_views(name: str) -> list[LabelledView]:
    """The training part, without images that the other parts show as well."""
    return list(WHOLE_TRAINING_SETS[SETS[name].data_set](data_folder()))


def divided(name: str, fraction: float) -> tuple[list[LabelledView], list[np.ndarray]]:
    """The labelled views of a fixed fraction of the images, and the pictures of all others without their labels.

    A smaller fraction is a part of every larger one.
    """
    views = training_views(name)
    ids = sorted({view.image_id.partition("/axis")[0] for view in views})
    shuffled = np.random.default_rng(SUBSET_SEED).permutation(len(ids))
    labelled = {ids[place] for place in shuffled[: round(fraction * len(ids))]}
    mine = [view for view in views if view.image_id.partition("/axis")[0] in labelled]
    return mine, [view.image for view in views if view.image_id.partition("/axis")[0] not in labelled]


def measured(name: str, predictor: StudentPredictor, part: str) -> list[tuple[float, float]]:
    """Dice and HD95 of every image or volume of a part, in its order; classes of a volume count alike."""
    if name == "hippocampus":
        return list(_volumes(predictor, part))
    reader: Callable[[Path, str], Iterator[LabelledView]] = isic2017 if name == "dermoscopy" else busi
    found = []
    for view in reader(data_folder(), part):
        truth = view.labels > 0
        if truth.any():
            mask = predictor.segment(view.image).labels > 0
            found.append((dice(mask, truth), BorderDistances.between(mask, truth).hausdorff95()))
    return found


def falsely_found(predictor: StudentPredictor, part: str) -> tuple[int, int]:
    """In how many breast ultrasounds without a lesion one is drawn, and how many there are."""
    drawn = [
        bool(predictor.segment(view.image).labels.any()) for view in busi(data_folder(), part) if not view.labels.any()
    ]
    return sum(drawn), len(drawn)


def _volumes(predictor: StudentPredictor, part: str) -> Iterator[tuple[float, float]]:
    root = data_folder() / "msd_hippocampus"
    for image_id in image_ids(data_folder(), "msd_hippocampus", part):
        volume = read_volume(root / "imagesTr" / f"{image_id}.nii.gz", modality="MR")
        truth = read_volume(root / "labelsTr" / f"{image_id}.nii.gz").array
        labels = predictor.segment_volume(volume).labels
        scores = [
            (dice(labels == value, truth == value), _hausdorff95(labels == value, truth == value, volume.spacing_mm))
            for value in (1, 2)
        ]
        first, second = np.mean(scores, axis=0)
        yield float(first), float(second)


def _hausdorff95(predicted: np.ndarray, truth: np.ndarray, spacing: tuple[float, float, float]) -> float:
    """As `BorderDistances`, in three dimensions and millimetres."""
    if not (predicted.any() and truth.any()):
        return 0.0 if not (predicted.any() or truth.any()) else float(np.linalg.norm(np.multiply(truth.shape, spacing)))
    mine, true = (mask & ~ndimage.binary_erosion(mask) for mask in (predicted, truth))
    to_true = ndimage.distance_transform_edt(~true, sampling=spacing)[mine]
    to_mine = ndimage.distance_transform_edt(~mine, sampling=spacing)[true]
    return float(max(np.percentile(to_true, 95), np.percentile(to_mine, 95)))
