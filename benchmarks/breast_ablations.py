"""What head, attention and the second task do for breast ultrasound, each changed alone in short paired runs.

    SAMANTIC_DATA=... python benchmarks/breast_ablations.py RUN [--seeds 3] [--steps 900] [--part val] [--arms A B]

Every arm learns from the same pictures in the same order for the same steps, under three seeds; a temperature is chosen
for each network on the validation part. Runs and their readings stay in the folder RUN, so that the command goes on
where it was cut off. `--arms` names some of the arms: the encoder of segsam-tiny takes far longer a step. Images of
lesions that segsam-tiny has seen in training are left out of measuring for all arms.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from breast_scores import COLUMNS, Readings, drawn_places, readings, temperature_of
from results import machine, write_section

from samantic.breast import BreastReader
from samantic.breast.training.examples import BreastExample, busi_examples
from samantic.breast.training.fit import WEIGHTS, fit_breast
from samantic.breast.training.settings import BreastSettings
from samantic.datasets.development_sets import PARTS, data_folder, image_ids
from samantic.datasets.overlaps import seen_in_training
from samantic.imaging import atomic_path

BASE = "as bundled"
SHOWN = ("lesion Dice", "empty stay empty", "accuracy", "macro AUC", "malignant: sensitivity", "ECE")
MEASURED = ("val", "test")


def arms() -> dict[str, BreastSettings]:
    """Name -> settings; each differs from the first in what its name says."""
    base = BreastSettings.from_yaml()
    network, loss = base.network, base.loss
    plain = dataclasses.replace(network, classifier="plain")
    tiny = dataclasses.replace(network, encoder="tiny", image_size=None)
    return {
        BASE: base,
        "conv head": dataclasses.replace(base, network=dataclasses.replace(network, head="conv")),
        "without mask-guided attention": dataclasses.replace(base, network=plain),
        "without segmentation": dataclasses.replace(
            base, network=plain, loss=dataclasses.replace(loss, mask_weight=0.0)
        ),
        "without classification": dataclasses.replace(base, loss=dataclasses.replace(loss, class_weight=0.0)),
        "encoder of segsam-tiny, frozen": dataclasses.replace(
            base, network=tiny, encoder_weights="segsam-tiny", encoder_learns=False
        ),
    }


@dataclass(frozen=True, eq=False)
class Arm:
    """One arm under one seed, as it reads the measured part, and its temperature."""

    read: Readings
    temperature: float


def measured(run: Path, name: str, settings: BreastSettings, examples: dict[str, list[BreastExample]]) -> None:
    """Train an arm, or go on with it, and note its readings of both held-out parts."""
    noted = run / "readings.json"
    if noted.exists():
        return
    fit_breast(
        settings.network,
        examples["train"],
        settings.fit,
        run,
        loss=settings.loss,
        encoder_weights=settings.encoder_weights,
        encoder_learns=settings.encoder_learns,
    )
    reader = BreastReader.load(run / WEIGHTS)
    found = {part: readings(reader, examples[part]).to_json() for part in MEASURED}
    with atomic_path(noted) as temporary:
        temporary.write_text(json.dumps({"arm": name, **found}), encoding="utf-8")


def read_arm(run: Path, part: str) -> Arm:
    noted = json.loads((run / "readings.json").read_text(encoding="utf-8"))
    return Arm(Readings.from_json(noted[part]), temperature_of(Readings.from_json(noted["val"])))


def cell(name: str, own: list[Arm], base: list[Arm] | None) -> str:
    """Mean over the seeds; the interval is that of the figure or, beside a base, of the paired difference."""
    figure = COLUMNS[name]

    def mean(found: list[Arm], places: np.ndarray) -> float:
        return float(np.mean([figure(arm.read.at(places), arm.temperature) for arm in found]))

    group = own[0].read.group
    everything = np.arange(len(group))
    value = mean(own, everything)
    # The same images are drawn for all seeds and arms: they are what chance chose.
    samples = drawn_places(group, 1000)
    if base is None:
        low, high = np.nanpercentile([mean(own, places) for places in samples], (2.5, 97.5))
        return f"{value:.3f} ({low:.3f}-{high:.3f})"
    low, high = np.nanpercentile([mean(own, places) - mean(base, places) for places in samples], (2.5, 97.5))
    return f"{value:.3f}, {value - mean(base, everything):+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--part", choices=MEASURED, default="test")
    parser.add_argument("--arms", nargs="+", choices=list(arms()), default=list(arms()))
    arguments = parser.parse_args()
    folder = data_folder()
    ids = {part: image_ids(folder, "busi", part) for part in PARTS}
    seen = {one for part in MEASURED for one in seen_in_training("busi", ids, part)}
    examples = {part: [one for one in busi_examples(folder, part) if one.image_id not in seen] for part in PARTS}
    chosen = [name for name in arms() if name in arguments.arms or name == BASE]
    found: dict[str, list[Arm]] = {name: [] for name in chosen}
    for seed in range(1, arguments.seeds + 1):
        for number, (name, settings) in enumerate(arms().items()):
            if name in chosen:
                short = settings.replacing(steps=arguments.steps, seed=seed, average_decay=0.99, sheet_every=0)
                run = arguments.run / f"{number}-{seed}-{arguments.steps}"
                measured(run, name, short, examples)
                found[name].append(read_arm(run, arguments.part))
                print(seed, name, {one: round(COLUMNS[one](found[name][-1].read, 1.0), 3) for one in SHOWN}, flush=True)
    lines = ["| | " + " | ".join(SHOWN) + " |", "|---" * (len(SHOWN) + 1) + "|"]
    for name, own in found.items():
        base = None if name == BASE else found[BASE]
        lines.append(f"| {name} | " + " | ".join(cell(one, own, base) for one in SHOWN) + " |")
    text = (
        f"BUSI, part {arguments.part}, n {len(examples[arguments.part])} images, mean of {arguments.seeds} paired "
        f"seeds, {arguments.steps} steps. In the rows below the first: the difference from it, 95 % interval by "
        f"bootstrap of groups of near-duplicates. Masks of the arm without segmentation, and diagnoses of the one "
        f"without classification, were never taught. `python benchmarks/breast_ablations.py`\n\n" + "\n".join(lines)
    )
    text += f"\n\n{machine()}"
    print(text)
    if arguments.part == "test":
        write_section("breast ultrasound: head, attention and tasks, each changed alone", text)


if __name__ == "__main__":
    main()
