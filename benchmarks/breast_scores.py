"""How readings of breast ultrasound are counted: by image for masks, over all images for diagnoses.

Other frames of one lesion are not independent: intervals draw whole groups of near-duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import softmax
from scipy.stats import rankdata

from samantic.breast import BreastReader
from samantic.breast.answer import SURE_FROM, lesion_mask
from samantic.breast.diagnosis import known_index
from samantic.breast.training.examples import BreastExample
from samantic.datasets.near_duplicates import ULTRASOUND, likeness, signature
from samantic.datasets.overlaps import BUSI_LESIONS
from samantic.evaluation import dice, intersection_over_union, reliability
from samantic.segsam.calibrate import fit_temperature

DRAWS = 2000
MALIGNANT = 2


@dataclass(frozen=True, eq=False)
class Readings:
    """Of N images: `dice`, `iou`, `drawn` (something was), `lesion` (there is one), class `logits` (N, 3), and `truth`,
    the index of the diagnosis or -1 where nobody knows it; `group` (N,) is equal for pictures of one lesion."""

    dice: np.ndarray
    iou: np.ndarray
    drawn: np.ndarray
    lesion: np.ndarray
    logits: np.ndarray
    truth: np.ndarray
    group: np.ndarray

    def at(self, places: np.ndarray) -> Readings:
        """The readings at these places, with repetitions."""
        return Readings(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def to_json(self) -> dict[str, list]:
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, values: dict[str, list]) -> Readings:
        return cls(**{name: np.asarray(values[name]) for name in cls.__dataclass_fields__})


def readings(reader: BreastReader, examples: Sequence[BreastExample]) -> Readings:
    """Read every example once."""
    answers = [reader.read(example.image) for example in examples]
    return counted([one.mask for one in answers], np.stack([one.class_logits for one in answers]), examples)


def image_blind(
    train: Sequence[BreastExample], chosen_on: Sequence[BreastExample], examples: Sequence[BreastExample]
) -> Readings:
    """Said without looking: the mean training mask, cut where it suits `chosen_on`, and how common is what."""
    mean = np.mean([example.mask for example in train if example.mask.any()], axis=0)
    ill = [example for example in chosen_on if example.mask.any()]
    shares = np.linspace(0.1, 0.6, 11)
    best = max(shares, key=lambda share: np.mean([dice(mean > share, example.mask) for example in ill]))
    known = [index for index in (known_index(example.possible) for example in train) if index is not None]
    prior = np.log(np.bincount(known, minlength=3) / len(known))
    return counted([lesion_mask(0.5 + mean - best)] * len(examples), np.tile(prior, (len(examples), 1)), examples)


def counted(masks: Sequence[np.ndarray], logits: np.ndarray, examples: Sequence[BreastExample]) -> Readings:
    """Masks (rows, cols) and logits (N, 3) beside the truth."""
    pairs = list(zip(masks, examples, strict=True))
    indices = [known_index(example.possible) for example in examples]
    return Readings(
        dice=np.array([dice(mask, example.mask) for mask, example in pairs]),
        iou=np.array([intersection_over_union(mask, example.mask) for mask, example in pairs]),
        drawn=np.array([bool(mask.any()) for mask in masks]),
        lesion=np.array([bool(example.mask.any()) for example in examples]),
        logits=logits,
        truth=np.array([-1 if index is None else index for index in indices]),
        group=groups(examples),
    )


def groups(examples: Sequence[BreastExample]) -> np.ndarray:
    """A number for each example (N,), equal for near-duplicates and for what is known to be one lesion."""
    signatures = np.stack([signature(example.image[..., 0]) for example in examples])
    alike = likeness(signatures, signatures) >= ULTRASOUND
    ids = [example.image_id for example in examples]
    for lesion in BUSI_LESIONS:
        places = [place for place, image_id in enumerate(ids) if image_id in lesion]
        alike[np.ix_(places, places)] = True
    return connected_components(alike, directed=False)[1]


def temperature_of(validation: Readings) -> float:
    """The temperature that a network gets, from its readings of the validation part."""
    known = validation.truth >= 0
    return fit_temperature(validation.logits[known], validation.truth[known])


def _probabilities(read: Readings, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    known = read.truth >= 0
    return softmax(read.logits[known] / temperature, axis=1), read.truth[known]


def _of_diagnoses(figure: Callable[[Readings, float], float]) -> Callable[[Readings, float], float]:
    """The figure, no number where no diagnosis is known: chance may draw such a sample of few images."""
    return lambda read, temperature: figure(read, temperature) if (read.truth >= 0).any() else float("nan")


def _accuracy(read: Readings, temperature: float) -> float:
    shares, truth = _probabilities(read, temperature)
    return float((shares.argmax(axis=1) == truth).mean())


def _auc(read: Readings, temperature: float) -> float:
    shares, truth = _probabilities(read, temperature)
    found = []
    for index in range(shares.shape[1]):
        own = truth == index
        if not own.any() or own.all():
            return float("nan")
        ranks = rankdata(shares[:, index])
        found.append((ranks[own].sum() - own.sum() * (own.sum() + 1) / 2) / (own.sum() * (~own).sum()))
    return float(np.mean(found))


def _sensitivity(read: Readings, temperature: float) -> float:
    shares, truth = _probabilities(read, temperature)
    ill = truth == MALIGNANT
    return float((shares[ill].argmax(axis=1) == MALIGNANT).mean()) if ill.any() else float("nan")


def _specificity(read: Readings, temperature: float) -> float:
    shares, truth = _probabilities(read, temperature)
    well = truth != MALIGNANT
    return float((shares[well].argmax(axis=1) != MALIGNANT).mean()) if well.any() else float("nan")


def _calibration_error(read: Readings, temperature: float) -> float:
    shares, truth = _probabilities(read, temperature)
    return reliability(shares.max(axis=1), shares.argmax(axis=1) == truth).expected_calibration_error


def _sure(read: Readings, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    shares, truth = _probabilities(read, temperature)
    known = read.truth >= 0
    agrees = (shares.argmax(axis=1) == 0) != read.drawn[known]
    return (shares.max(axis=1) >= SURE_FROM) & agrees, shares.argmax(axis=1) == truth


def _accuracy_where_sure(read: Readings, temperature: float) -> float:
    sure, right = _sure(read, temperature)
    return float(right[sure].mean()) if sure.any() else float("nan")


COLUMNS: dict[str, Callable[[Readings, float], float]] = {
    "lesion Dice": lambda read, _: float(read.dice[read.lesion].mean()) if read.lesion.any() else float("nan"),
    "lesion IoU": lambda read, _: float(read.iou[read.lesion].mean()) if read.lesion.any() else float("nan"),
    "empty stay empty": lambda read, _: float((~read.drawn[~read.lesion]).mean()) if (~read.lesion).any() else np.nan,
    "accuracy": _of_diagnoses(_accuracy),
    "macro AUC": _of_diagnoses(_auc),
    "malignant: sensitivity": _of_diagnoses(_sensitivity),
    "malignant: specificity": _of_diagnoses(_specificity),
    "ECE": _of_diagnoses(_calibration_error),
    "sure": _of_diagnoses(lambda read, temperature: float(_sure(read, temperature)[0].mean())),
    "accuracy where sure": _of_diagnoses(_accuracy_where_sure),
}
"""Names of figures -> how they are computed of readings under a temperature."""


def drawn_places(group: np.ndarray, draws: int = DRAWS, seed: int = 0) -> list[np.ndarray]:
    """Bootstrap samples of places, whole groups at a time."""
    members = [np.flatnonzero(group == one) for one in np.unique(group)]
    random = np.random.default_rng(seed)
    return [
        np.concatenate([members[one] for one in random.integers(len(members), size=len(members))]) for _ in range(draws)
    ]


def with_interval(name: str, read: Readings, temperature: float, draws: int = DRAWS) -> str:
    """A figure with its 95 % bootstrap interval."""
    figure = COLUMNS[name]
    if np.isnan(figure(read, temperature)):
        return "-"
    values = [figure(read.at(places), temperature) for places in drawn_places(read.group, draws)]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return f"{figure(read, temperature):.3f} ({low:.3f}-{high:.3f})"


def table(rows: dict[str, tuple[Readings, float]]) -> str:
    """One column a model, one row a figure."""
    lines = ["| | " + " | ".join(rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for name in COLUMNS:
        cells = [with_interval(name, read, temperature) for read, temperature in rows.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
