"""How good the automatic mode is without any prompt, on images that the model was not trained on.

    SAMANTIC_DATA=... python benchmarks/automatic.py [--part val] [--limit N] [--runs runs/automatic] [--weights FILE]

Hippocampus: mean Dice of the two structures in three dimensions, volume by volume. Dermoscopy and ultrasound: Dice of
the lesion, image by image; ultrasound of breasts without a lesion apart, as the share that stays empty. DICOM CT: mean
over the structures that the reference shows and the model knows, in three dimensions, one patient. Each set is asked
for its own classes and, in a row of its own, for all that the model knows. The image-blind rows place the mean training
label, resized to the image; how much of it is drawn is chosen on the validation part (for the CT, the labels of the
training CT, stretched). An image that is in the folder of runs already is not segmented again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from results import machine, write_section
from scipy import ndimage

from samantic.datasets.development_sets import data_folder, dicom_ct, image_ids, learnable_ids
from samantic.evaluation import dice, mean_with_interval
from samantic.imaging import SliceView, Volume, read_volume, window_for
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor
from samantic.segsam.automatic import AutomaticOptions, segment_volume

HIPPOCAMPUS = ("hippocampus_anterior", "hippocampus_posterior")
MEAN_GRID = 48
TIMED = 3
"""Images a set whose time is taken."""
DRAWN_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6)
"""Of the training labels that a voxel must be in to be drawn without looking: the best is chosen on validation."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image with its truth: `labels` (I, J, K), value n the class `classes[n - 1]`."""

    image_id: str
    volume: Volume
    labels: np.ndarray
    classes: tuple[str, ...]


Opener = Callable[[Path, str], Iterator[Labelled]]


def hippocampus(folder: Path, part: str) -> Iterator[Labelled]:
    root = folder / "msd_hippocampus"
    for name in _ids(folder, "msd_hippocampus", part):
        volume = read_volume(root / "imagesTr" / f"{name}.nii.gz", modality="MR")
        labels = read_volume(root / "labelsTr" / f"{name}.nii.gz").array.astype(np.uint8)
        yield Labelled(name, volume, labels, HIPPOCAMPUS)


def isic2017(folder: Path, part: str) -> Iterator[Labelled]:
    root = folder / "isic2017"
    for name in _ids(folder, "isic2017", part):
        yield _photograph(name, root / "images" / f"{name}.jpg", root / "masks" / f"{name}.png", "skin_lesion")


def busi(folder: Path, part: str) -> Iterator[Labelled]:
    root = folder / "busi"
    for name in _ids(folder, "busi", part):
        kind = name.split("_")[0]
        image, mask = root / "images" / kind / f"{name}.png", root / "masks" / kind / f"{name}.png"
        yield _photograph(name, image, mask, "breast_lesion")


def ct_of_another_patient(folder: Path, part: str) -> Iterator[Labelled]:
    if part != "test":
        return
    volume = read_volume(folder / "totalsegmentator" / "example_ct_dicom")
    labels = np.zeros(volume.shape_ijk, np.uint8)
    classes: tuple[str, ...] = ()
    for view in dicom_ct(folder):
        classes = view.class_names
        index = int(view.image_id.rsplit("slice", 1)[1])
        SliceView.of(volume, 2, index).insert(labels, view.labels.astype(np.uint8))
    yield Labelled("example_ct_dicom", volume, labels, classes)


SETS: dict[str, tuple[str, Opener]] = {
    "hippocampus": ("hippocampus MR, 3-D", hippocampus),
    "isic2017": ("dermoscopy", isic2017),
    "busi": ("breast ultrasound", busi),
    "dicom-ct": ("DICOM CT, 3-D", ct_of_another_patient),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--weights", type=Path, help="a checkpoint other than the bundled segsam-tiny")
    arguments.add_argument("--part", default="test", choices=("test", "val"), help="val to make choices on")
    arguments.add_argument("--sets", default=",".join(SETS), help="comma-separated")
    arguments.add_argument("--limit", type=int, help="at most so many images a set, from the beginning")
    arguments.add_argument("--runs", type=Path, default=Path("runs/automatic"))
    arguments.add_argument("--refine", choices=("usual", "yes", "no"), default="usual")
    arguments.add_argument("--embeddings", type=Path, help="keep embeddings in this folder, for another run")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    predictor = SegSamPredictor.from_checkpoint(asked.weights) if asked.weights else SegSamPredictor.from_bundled()
    cache = EmbeddingCache(asked.embeddings, disk_bytes=64 * 1024**3)
    folder = data_folder()
    rows: list[str] = []
    for name in asked.sets.split(","):
        found = _rows(name, folder, predictor, cache, asked)
        print("\n".join(found), flush=True)
        rows += found
    text = "\n".join(
        [
            "No prompt at all. Dice, mean (95 % bootstrap interval over images); `asked` are the classes that the "
            "request names. Image-blind: the mean training label placed in the image. Seconds: the mean of "
            f"{TIMED} images on one thread, encoder and all.",
            "",
            "| set | asked | segsam_auto | image-blind | images | seconds an image |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"Weights {predictor.weights_hash[:12]}. Machine: {machine()}.",
        ]
    )
    if not asked.no_results:
        write_section("automatic mode", text)


def _rows(
    name: str, folder: Path, predictor: SegSamPredictor, cache: EmbeddingCache, asked: argparse.Namespace
) -> list[str]:
    title, opened = SETS[name]
    blind = _image_blind(name, folder, asked.part)
    run = asked.runs / f"{name}-{asked.part}-{asked.refine}-{predictor.weights_hash[:12]}.json"
    run.parent.mkdir(parents=True, exist_ok=True)
    answers: dict[str, dict] = json.loads(run.read_text(encoding="utf-8")) if run.exists() else {}
    chosen: list[dict] = []
    for number, one in enumerate(opened(folder, asked.part)):
        if asked.limit is not None and number >= asked.limit:
            break
        if one.image_id not in answers:
            # The first ones are timed without kept embeddings.
            predictor.cache = None if len(answers) < TIMED else cache
            answers[one.image_id] = _measured(one, predictor, blind, asked.refine)
            run.write_text(json.dumps(answers), encoding="utf-8")
            print(f"{name} {number + 1}: {answers[one.image_id]}", flush=True)
        chosen.append(answers[one.image_id])
    shown = [one for one in chosen if one["shown"]]
    if not shown:
        return []
    blind_text = mean_with_interval([one["blind"] for one in shown])
    rows = [
        f"| {title} | {what} | {mean_with_interval([one[key] for one in shown])} | {blind_text} | {len(shown)} | "
        f"{np.mean([one['seconds'] for one in chosen[:TIMED]]):.1f} |"
        for key, what in (("own", "its classes"), ("all", f"all {len(predictor.class_names)} classes"))
    ]
    empty = [one for one in chosen if not one["shown"]]
    if empty:
        share = [float(np.mean([one[key] for one in empty])) for key in ("own", "all")]
        rows.append(
            f"| {title} without a lesion | its classes; all | {share[0]:.2f}; {share[1]:.2f} stay empty | - | "
            f"{len(empty)} | - |"
        )
    return rows


def _measured(one: Labelled, predictor: SegSamPredictor, blind: Callable[[Labelled], np.ndarray], refine: str) -> dict:
    known = [name for name in one.classes if name in predictor.class_names]
    window = window_for(one.volume)
    wish = {"usual": None, "yes": True, "no": False}[refine]
    began = time.perf_counter()
    own = segment_volume(predictor, one.volume, window, AutomaticOptions(tuple(known), refine=wish))
    seconds = time.perf_counter() - began
    every = segment_volume(predictor, one.volume, window, AutomaticOptions(refine=wish))
    return {
        "own": _score(one, own.labels, own.class_names, known),
        "all": _score(one, every.labels, every.class_names, known),
        "blind": _score(one, blind(one), one.classes, known),
        "shown": bool(one.labels.any()),
        "seconds": round(seconds, 2),
    }


def _score(one: Labelled, labels: np.ndarray, names: Sequence[str], known: Sequence[str]) -> float:
    """The mean over the structures that are there; where none is, whether nothing was drawn."""
    scores = []
    for name in known:
        truth = one.labels == one.classes.index(name) + 1
        if truth.any():
            scores.append(dice(labels == names.index(name) + 1, truth))
    drawn = np.isin(labels, [names.index(name) + 1 for name in known]).any()
    return float(np.mean(scores)) if scores else float(not drawn)


def _image_blind(name: str, folder: Path, part: str) -> Callable[[Labelled], np.ndarray]:
    if name == "dicom-ct":
        return _training_ct(folder)
    _, opened = SETS[name]
    count, total = 0, np.zeros(0)
    for one in opened(folder, "train"):
        if one.labels.any():
            maps = np.stack([_resized(one.labels == n + 1, _grid(one)) for n in range(len(one.classes))])
            count, total = count + 1, total + maps if count else maps
    mean = total / count

    def place(one: Labelled, share: float) -> np.ndarray:
        maps = np.stack([_resized(each, one.labels.shape) for each in mean])
        return np.where(maps.sum(axis=0) >= share, maps.argmax(axis=0) + 1, 0).astype(np.uint8)

    tuning = [one for one in opened(folder, "val" if part == "test" else "train") if one.labels.any()][:60]
    scores = [np.mean([_score(one, place(one, s), one.classes, one.classes) for one in tuning]) for s in DRAWN_SHARES]
    best = DRAWN_SHARES[int(np.argmax(scores))]
    return lambda one: place(one, best)


def _training_ct(folder: Path) -> Callable[[Labelled], np.ndarray]:
    """The labels of the training CT, stretched over the other volume in its orientation."""
    root = folder / "totalsegmentator"
    labels = nibabel.as_closest_canonical(nibabel.load(root / "example_seg_v1_104cls.nii.gz"))
    rows = (root / "labels_v1.csv").read_text(encoding="utf-8").splitlines()
    columns = rows[0].split(",")
    value, label = columns.index("value"), columns.index("name")
    names = {cells[label]: int(cells[value]) for cells in (row.split(",") for row in rows[1:])}
    array = np.asarray(labels.dataobj).astype(np.int16)

    def place(one: Labelled) -> np.ndarray:
        turn = nibabel.orientations.ornt_transform(
            nibabel.orientations.io_orientation(labels.affine), nibabel.orientations.io_orientation(one.volume.affine)
        )
        turned = nibabel.orientations.apply_orientation(array, turn)
        shape = one.labels.shape
        index = np.ix_(*(np.arange(n) * turned.shape[axis] // n for axis, n in enumerate(shape)))
        stretched, placed = turned[index], np.zeros(shape, np.uint8)
        for number, name in enumerate(one.classes, start=1):
            if name in names:
                placed[stretched == names[name]] = number
        return placed

    return place


def _ids(folder: Path, dataset: str, part: str) -> list[str]:
    return learnable_ids(folder, dataset) if part == "train" else image_ids(folder, dataset, part)


def _photograph(name: str, image: Path, mask: Path, class_name: str) -> Labelled:
    labels = (read_volume(mask).array > 0).astype(np.uint8)
    return Labelled(name, read_volume(image), labels.reshape(*labels.shape[:3]), (class_name,))


def _grid(one: Labelled) -> tuple[int, ...]:
    return tuple(min(n, MEAN_GRID) if n == 1 else MEAN_GRID for n in one.labels.shape)


def _resized(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    factors = [new / old for new, old in zip(shape, array.shape, strict=True)]
    return ndimage.zoom(array.astype(np.float32), factors, order=1, grid_mode=True, mode="nearest")


if __name__ == "__main__":
    main()
