"""Rounds of an active-learning experiment on disk, their learning curves, and what these say together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from samantic.evaluation import MeanWithInterval, mean_with_interval, paired_difference

START = "start"
"""The round that all arms of a seed have in common."""

REFERENCE = "random"


@dataclass(frozen=True)
class Round:
    """One finished round: the labels in the order in which they were asked for, and Dice by test volume and structure.

    version: of the weights that were served then, None for those before the first.
    """

    seed: int
    arm: str
    labels: int
    chosen: tuple[str, ...]
    version: str | None
    dice: tuple[tuple[float, ...], ...]
    seconds: dict[str, float]

    @property
    def mean_dice(self) -> float:
        """Over the test volumes and the structures."""
        return float(np.mean(self.dice))


@dataclass(frozen=True)
class Curves:
    """Mean Dice by arm, seed and number of labels: `dice[arm][seed]` in the order of `labels`."""

    labels: tuple[int, ...]
    seeds: tuple[int, ...]
    dice: dict[str, dict[int, tuple[float, ...]]]

    def area(self, arm: str, seed: int) -> float:
        """The mean height of a curve between its first and its last number of labels (trapezoids)."""
        heights = self.dice[arm][seed]
        if len(self.labels) == 1:
            return heights[0]
        middles = (np.array(heights[1:]) + heights[:-1]) / 2
        return float(np.average(middles, weights=np.diff(self.labels)))

    def areas(self, arm: str) -> list[float]:
        """Of one arm, by seed."""
        return [self.area(arm, seed) for seed in self.seeds]


def append_round(path: Path, finished: Round) -> None:
    """Add a line to the file of rounds."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(finished)) + "\n")


def read_rounds(path: Path) -> list[Round]:
    """Return the finished rounds in their order; a last line that a kill cut short is no round."""
    rounds = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        dice = tuple(tuple(volume) for volume in fields["dice"])
        rounds.append(Round(**{**fields, "chosen": tuple(fields["chosen"]), "dice": dice}))
    return rounds


def finished_of(rounds: Sequence[Round], seed: int, arm: str) -> dict[int, Round]:
    """Return number of labels -> round of one arm and seed, the last one where there are several."""
    return {one.labels: one for one in rounds if (one.seed, one.arm) == (seed, arm)}


def curves_of(rounds: Sequence[Round], labels: Sequence[int], seeds: Sequence[int], arms: Sequence[str]) -> Curves:
    """Return the curves of the arms; ValueError names the first round that is missing."""
    dice: dict[str, dict[int, tuple[float, ...]]] = {arm: {} for arm in arms}
    for arm in arms:
        for seed in seeds:
            found = {**finished_of(rounds, seed, START), **finished_of(rounds, seed, arm)}
            for count in labels:
                if count not in found:
                    raise ValueError(f"The round of arm {arm}, seed {seed} with {count} labels is missing.")
            dice[arm][seed] = tuple(found[count].mean_dice for count in labels)
    return Curves(tuple(labels), tuple(seeds), dice)


def table(curves: Curves) -> str:
    """Return the curves as a Markdown table: Dice at each number of labels, area, difference of areas to random."""
    head = ["arm", *(f"{count} labels" for count in curves.labels), "area under the curve", f"minus {REFERENCE}"]
    lines = [" | ".join(head), " | ".join(["---"] * len(head))]
    groups = [str(seed) for seed in curves.seeds]
    for arm, by_seed in curves.dice.items():
        heights = np.mean([by_seed[seed] for seed in curves.seeds], axis=0)
        area = mean_with_interval(curves.areas(arm), groups)
        difference = ""
        if arm != REFERENCE and REFERENCE in curves.dice:
            difference = _shown(paired_difference(curves.areas(arm), curves.areas(REFERENCE), groups), "+")
        lines.append(" | ".join([arm, *(f"{height:.3f}" for height in heights), _shown(area), difference]))
    return "\n".join(f"| {line} |" for line in lines)


def draw(curves: Curves, path: Path) -> None:
    """Draw the curves as a picture: the mean over seeds, and every seed thinly."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    for number, (arm, by_seed) in enumerate(curves.dice.items()):
        colour = f"C{number}" if arm != f"{REFERENCE} again" else "0.6"
        for heights in by_seed.values():
            axes.plot(curves.labels, heights, color=colour, linewidth=0.6, alpha=0.45)
        mean = np.mean(list(by_seed.values()), axis=0)
        axes.plot(curves.labels, mean, color=colour, linewidth=2, marker="o", label=arm)
    axes.set_xticks(curves.labels)
    axes.set_xlabel("labelled volumes")
    axes.set_ylabel("Dice on test volumes")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _shown(value: MeanWithInterval, sign: str = "") -> str:
    if value.groups == 1:
        return f"{value.mean:{sign}.3f}"
    return f"{value.mean:{sign}.3f} ({value.low:{sign}.3f} to {value.high:{sign}.3f})"
