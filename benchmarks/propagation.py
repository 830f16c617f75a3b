"""How good a structure is in three dimensions after one box on its middle slice, propagated both ways.

    SAMANTIC_DATA=... python benchmarks/propagation.py [--sets hippocampus phantom dicom-ct] [--limit N] [--part val]

The middle slice is the middle one of those that show the structure; the box is the tight one of its largest connected
part there, and nothing else is told. Hippocampus: coronal slices, across which it is drawn in practice (`--axis` for
others). Phantom: the organs of the demo study's abdomen. DICOM CT: one patient that the model was not trained on.
The rows beside the model do not look at the image but know in which slices the structure is: the ellipse in the box,
and the true mask of the middle slice, both copied through them. Both structures of a volume are one group in the
intervals. `--memory` measures how much memory a process takes for 50 and for 500 slices.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from results import machine, write_section
from scipy import ndimage

from samantic.datasets.development_sets import data_folder, image_ids
from samantic.evaluation import dice, ellipse_in_box, mean_with_interval
from samantic.evaluation.cases import evenly
from samantic.imaging import SliceView, Volume, read_mask, read_volume, window_for
from samantic.segsam import SegSamPredictor, ViewPrompts
from samantic.segsam.propagation import PromptedSlice, PropagationOptions, propagate
from samantic.segsam.second_look import bounds_of

PHANTOM_ORGANS = (
    "liver",
    "spleen",
    "kidney_left",
    "kidney_right",
    "gallbladder",
    "stomach",
    "pancreas",
    "urinary_bladder",
    "aorta",
)
CT_ORGANS = ("kidney_left", "kidney_right", "liver", "aorta")
HIPPOCAMPUS = ("hippocampus_anterior", "hippocampus_posterior")
BARS = {"hippocampus": 0.80, "phantom": 0.90, "dicom-ct": 0.75}
SET_NAMES = tuple(BARS)
CORONAL = {"hippocampus": 1}
FEWEST_SLICES = 3


@dataclass(frozen=True, eq=False)
class Structure:
    """One class of one volume; `truth` (I, J, K) bool."""

    group: str
    name: str
    volume: Volume
    truth: np.ndarray


@dataclass(frozen=True)
class Measured:
    """Dice in three dimensions, and of the slice that was prompted; `stopped` up and down."""

    group: str
    name: str
    propagated: float
    prompted_slice: float
    ellipse: float
    copied: float
    stopped: tuple[str, str]
    missed: tuple[int, int]
    seconds: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sets", nargs="+", default=list(SET_NAMES), choices=SET_NAMES)
    arguments.add_argument("--limit", type=int, help="at most so many hippocampus volumes, spread evenly")
    arguments.add_argument("--part", default="test", choices=("test", "val"), help="val to make choices on")
    arguments.add_argument("--axis", type=int, choices=(0, 1, 2), help="another axis than the usual one of each set")
    arguments.add_argument("--weights", type=Path, help="a checkpoint other than the bundled segsam-tiny")
    arguments.add_argument("--memory", action="store_true", help="measure memory as well")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    asked = arguments.parse_args()
    predictor = SegSamPredictor.from_checkpoint(asked.weights) if asked.weights else SegSamPredictor.from_bundled()
    lines = [
        "`benchmarks/propagation.py`: one box on the middle slice of a structure, followed both ways; Dice in three",
        "dimensions, mean (95 % bootstrap interval by volume). What is copied knows in which slices the structure is.",
        "",
        "| set | structure | propagated | bar | prompted slice alone | ellipse copied | true middle slice copied | n |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in asked.sets:
        results = []
        for structure in _structures(name, asked.part, asked.limit):
            axis = CORONAL.get(name, 2) if asked.axis is None else asked.axis
            results.append(_measure(predictor, structure, axis))
            print(results[-1], flush=True)
        lines += _rows(name, results)
    if asked.memory:
        lines += ["", *_memory_rows()]
    lines += ["", f"Machine: {machine()}."]
    print("\n".join(lines))
    if not asked.no_results:
        write_section("propagation", "\n".join(lines))


def _structures(name: str, part: str, limit: int | None) -> Iterator[Structure]:
    if name == "phantom":
        # Made when asked for: it takes some seconds.
        from samantic.datasets.phantoms import make_abdomen

        phantom = make_abdomen()
        volume = Volume(phantom.image, phantom.affine, phantom.modality)
        values = {organ: value for value, organ in phantom.names.items()}
        for organ in PHANTOM_ORGANS:
            yield Structure("ct_abdomen", organ, volume, phantom.truth == values[organ])
        return
    folder = data_folder()
    if name == "dicom-ct":
        yield from _dicom_ct(folder / "totalsegmentator")
        return
    root = folder / "msd_hippocampus"
    ids = image_ids(folder, "msd_hippocampus", part)
    for image_id in evenly(lambda: ids, len(ids), limit):
        volume = read_volume(root / "imagesTr" / f"{image_id}.nii.gz", modality="MR")
        labels = read_mask(root / "labelsTr" / f"{image_id}.nii.gz", volume)
        for value, structure in enumerate(HIPPOCAMPUS, start=1):
            yield Structure(image_id, structure, volume, labels == value)


def _dicom_ct(root: Path) -> Iterator[Structure]:
    volume = read_volume(root / "example_ct_dicom")
    labels = read_mask(root / "example_seg_dicom.nii.gz", volume)
    rows = [line.split(",") for line in (root / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]]
    values = {organ: int(value) for value, organ in rows}
    for organ in CT_ORGANS:
        truth = labels == values[organ]
        if len(_shown_in(truth, 2)) >= FEWEST_SLICES:
            yield Structure("example_ct_dicom", organ, volume, truth)


def _measure(predictor: SegSamPredictor, structure: Structure, axis: int) -> Measured:
    slices = _shown_in(structure.truth, axis)
    middle = int(slices[len(slices) // 2])
    view = SliceView.of(structure.volume, axis, middle)
    truth = view.extract(structure.truth)
    box = bounds_of(_largest_part(truth))
    assert box is not None
    start = PromptedSlice(middle, ViewPrompts(np.zeros((0, 2)), np.zeros(0, np.int64), box))
    began = time.perf_counter()
    found = propagate(predictor, structure.volume, window_for(structure.volume), [start], PropagationOptions(axis=axis))
    seconds = time.perf_counter() - began
    first, last = found.slices or (middle, middle)
    labels = found.labels > 0
    return Measured(
        structure.group,
        structure.name,
        dice(labels, structure.truth),
        dice(view.extract(labels), truth),
        dice(_copied(ellipse_in_box(view.shape, box), view, slices), structure.truth),
        dice(_copied(truth, view, slices), structure.truth),
        (str(found.stopped["up"]), str(found.stopped["down"])),
        (last - int(slices[-1]), int(slices[0]) - first),
        round(seconds, 1),
    )


def _shown_in(truth: np.ndarray, axis: int) -> np.ndarray:
    return np.flatnonzero(truth.any(axis=tuple(other for other in range(3) if other != axis)))


def _largest_part(mask: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(mask)
    return mask if count < 2 else parts == 1 + int(np.bincount(parts.ravel())[1:].argmax())


def _copied(mask: np.ndarray, view: SliceView, slices: np.ndarray) -> np.ndarray:
    copies = np.zeros(view.volume_shape_ijk, bool)
    for index in slices:
        view.at(int(index)).insert(copies, mask)
    return copies


def _rows(name: str, results: list[Measured]) -> list[str]:
    names = list(dict.fromkeys(one.name for one in results))
    rows = [_row(name, structure, [one for one in results if one.name == structure]) for structure in names]
    return [*rows, _row(name, "all", results)] if len(names) > 1 else rows


def _row(name: str, structure: str, results: list[Measured]) -> str:
    groups = [one.group for one in results]
    figure = mean_with_interval([one.propagated for one in results], groups)
    met = "met" if figure.mean >= BARS[name] else "not met"
    others = [
        mean_with_interval([getattr(one, key) for one in results], groups)
        for key in ("prompted_slice", "ellipse", "copied")
    ]
    return (
        f"| {name} | {structure} | {figure} | at least {BARS[name]:.2f}: {met} | "
        f"{' | '.join(str(other) for other in others)} | {figure.count} |"
    )


def _memory_rows() -> list[str]:
    rows = ["| slices | propagated over | highest memory of the process, MiB |", "|---|---|---|"]
    context = multiprocessing.get_context("spawn")
    for count in (50, 500):
        with context.Pool(1) as pool:
            slices, mebibytes = pool.apply(_highest_memory, (count,))
        rows.append(f"| {count} | {slices} | {mebibytes:.0f} |")
    return [*rows, "", "Volume: a tube in 256 x 256 pixels a slice, one slice in memory that stands for all."]


def _highest_memory(count: int) -> tuple[int, float]:
    """Follow a tube through a volume that takes the memory of one slice; labels not counted, as they are the answer."""
    i, j = np.mgrid[:256, :256]
    one = np.where((i - 128) ** 2 + (j - 120) ** 2 < 20**2, 200, -100).astype(np.int16)
    one += np.random.default_rng(3).normal(0, 12, one.shape).astype(np.int16)
    volume = Volume(np.broadcast_to(one[:, :, None], (256, 256, count)), np.diag([-1.0, -1.0, 1.0, 1.0]), "CT")
    start = PromptedSlice(0, ViewPrompts(np.zeros((0, 2)), np.zeros(0, np.int64), (108.0, 100.0, 149.0, 141.0)))
    found = propagate(SegSamPredictor.from_bundled(), volume, window_for(volume), [start], PropagationOptions())
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - found.labels.nbytes
    return len(found.confidence), highest / 2**20


if __name__ == "__main__":
    main()
