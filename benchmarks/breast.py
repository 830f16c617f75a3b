"""How well lesions are drawn and judged on the ultrasound of the test part.

    SAMANTIC_DATA=... python benchmarks/breast.py [--weights breast-ultrasound.safetensors] [--part val]
        [--pictures FOLDER]

Lesion Dice and IoU by image, of images with a lesion alone; how many of the others stay empty, apart; accuracy, macro
AUC, sensitivity and specificity for malignancy (the likeliest diagnosis), calibration error, and how often an answer
counts as sure and is right then. Beside it what can be said without looking: the mean training mask and how common each
diagnosis is. Temperatures come from the validation part. And how many pictures of other kinds are flagged.
`breast_ablations.py` compares heads, attention and tasks.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from breast_scores import Readings, groups, image_blind, readings, table, temperature_of
from results import machine, write_section

from samantic.breast import BreastReader
from samantic.breast.training.examples import BreastExample, busi_examples
from samantic.breast.training.sheet import write_tiles
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import data_folder, dicom_ct, hippocampus, isic2017

OTHERS = 60
SHOWN = 6


def other_pictures(folder: Path, part: str) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Pictures that are no ultrasound, none of which was trained on, by what they show."""
    sets = {
        "skin, in greys": isic2017(folder, part),
        "hippocampus MR": itertools.islice(hippocampus(folder, part), 0, None, 7),
        "CT of another patient": dicom_ct(folder),
    }
    for name, views in sets.items():
        pictures = [view.image for view in itertools.islice(views, OTHERS)]
        yield name, [np.repeat(one.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2) for one in pictures]


def flagged(reader: BreastReader, folder: Path, part: str, examples: Sequence[BreastExample]) -> str:
    """A table of how many pictures of each kind look unlike breast ultrasound to the network."""
    if reader.calibration is None or reader.calibration.familiarity is None:
        return "These weights do not know what they were trained on."
    kinds = [("breast ultrasound", [example.image for example in examples]), *other_pictures(folder, part)]
    lines = ["| pictures | flagged |", "|---|---|"]
    for name, pictures in kinds:
        out = [reader.read(picture).out_of_domain for picture in pictures]
        lines.append(f"| {name} | {sum(out)} of {len(out)} |")
    return "\n".join(lines)


def write_pictures(folder: Path, reader: BreastReader, examples: Sequence[BreastExample], read: Readings) -> None:
    """The best, the median and the worst by Dice, and the normal breasts."""
    folder.mkdir(parents=True, exist_ok=True)
    order = [place for place in np.argsort(-read.dice) if read.lesion[place]]
    middle = len(order) // 2 - SHOWN // 2
    chosen = [*order[:SHOWN], *order[middle : middle + SHOWN], *order[-2 * SHOWN :]]
    chosen += np.flatnonzero(~read.lesion)[:SHOWN].tolist()
    write_tiles(reader, [examples[place] for place in chosen], folder / "breast_test.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="default: the bundled ones")
    parser.add_argument("--part", choices=("val", "test"), default="test")
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    folder = data_folder()
    reader = BreastReader.load(arguments.weights or bundled_weights("breast-ultrasound"))
    train, validation, examples = (list(busi_examples(folder, part)) for part in ("train", "val", arguments.part))
    read = readings(reader, examples)
    temperature = reader.calibration.temperature if reader.calibration else temperature_of(readings(reader, validation))
    rows = {"breast": (read, temperature), "image-blind": (image_blind(train, validation, examples), 1.0)}
    known = int((read.truth >= 0).sum())
    text = (
        f"BUSI, part {arguments.part} of splits.json: n {len(examples)} images of {len(np.unique(groups(examples)))} "
        f"groups of near-duplicates, {int(read.lesion.sum())} with a lesion; {known} with an uncontradicted diagnosis; "
        f"temperature {temperature:.2f}. 95 % bootstrap intervals by group. `python benchmarks/breast.py`\n\n"
        f"{table(rows)}\n\n{flagged(reader, folder, arguments.part, examples)}\n\n{machine()}"
    )
    print(text)
    if arguments.part == "test":
        write_section("breast ultrasound: masks and diagnoses on the test part", text)
    if arguments.pictures is not None:
        write_pictures(arguments.pictures, reader, examples, read)


if __name__ == "__main__":
    main()
