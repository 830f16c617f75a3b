"""Calibrate trained weights: `python -m samantic.segsam.calibrate WEIGHTS -o OUT`.

Temperatures, the threshold of "unsure" and the statistics of familiar pictures come from pictures that were held out
of training and that no benchmark measures; they are stored in the checkpoint.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from samantic.datasets.development_sets import data_folder
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.calibration import Calibration, DomainCalibration
from samantic.segsam.calibration_examples import (
    DomainPictures,
    Example,
    domain_pictures,
    known_examples,
    unknown_examples,
)
from samantic.segsam.checkpoint import load_network, write_calibrated
from samantic.segsam.familiarity import Familiarity, ImageFamiliarity, fit_familiarity, pooled_features
from samantic.segsam.naming import ClassEvidence, NamedObject, ObjectNamer, knownness
from samantic.segsam.outlier_pictures import outlier_picture, spoilt_picture
from samantic.segsam.predictor import SegSamPredictor

SEED = 23
PICTURES = 140
"""Of each domain, for training and held out."""

OUTLIERS = 400
SPOILT = 50
"""Pictures of nothing in all, and training pictures of each domain that are spoilt."""

KNOWN_OBJECTS = 160
UNKNOWN_OBJECTS = 80
"""Of each domain, at most."""

FAMILIAR_QUANTILE = 0.995
KNOWN_UNSURE = 0.10
UNKNOWN_UNSURE = 0.95
"""A tenth of the known objects may be unsure, fewer where 95 % of the unknown ones are unsure already."""

TEMPERATURES = (0.25, 10.0)
"""Where every name is right, the likelihood alone would choose 0."""


@dataclass(frozen=True, eq=False)
class NamedExamples:
    """What a network said about N objects of one domain.

    `class_logits` (N, K), `background_shares` (N,), and `class_index` (N,) of the truth, -1 where there is none.
    """

    class_logits: np.ndarray
    background_shares: np.ndarray
    class_index: np.ndarray


class ListeningNamer(ObjectNamer):
    """An `ObjectNamer` that keeps the evidence of what it named."""

    def __init__(self, class_names: Sequence[str]) -> None:
        super().__init__(class_names)
        self.heard: list[ClassEvidence] = []

    def name(
        self,
        evidence: ClassEvidence,
        presence_logits: torch.Tensor | None,
        asked: Sequence[int],
        familiarity: ImageFamiliarity | None = None,
    ) -> NamedObject:
        self.heard.append(evidence)
        return super().name(evidence, presence_logits, asked, familiarity)


def calibrate_checkpoint(weights: Path, data: Path, output: Path) -> Calibration:
    """Calibrate `weights` on the held-out pictures of the public sets in `data` and write them with it to `output`.

    CheckpointError, ValueError and FileNotFoundError say what is wrong with weights or data.
    """
    network = load_network(weights)
    if network.semantic_decoder is None:
        raise ValueError(f"{weights.name} names no objects: there is nothing to calibrate.")
    predictor = SegSamPredictor(network, "being calibrated")
    random = np.random.default_rng(SEED)
    pictures = domain_pictures(data, PICTURES, random)
    familiarity = _familiarity(predictor, pictures, random)
    domains = {
        name: _calibrated(
            name_examples(
                predictor,
                _at_most(known_examples(views.held_out, network.config.class_names, random), KNOWN_OBJECTS, random),
            ),
            name_examples(predictor, _at_most(unknown_examples(views.held_out, random), UNKNOWN_OBJECTS, random)),
        )
        for name, views in pictures.items()
    }
    calibration = Calibration(domains, familiarity)
    write_calibrated(weights, calibration, output)
    return calibration


def name_examples(predictor: SegSamPredictor, examples: Sequence[Example]) -> NamedExamples:
    """Prompt every example and keep the evidence of its name."""
    namer = ListeningNamer(predictor.class_names)
    listening = SegSamPredictor(predictor.network, predictor.weights_hash, predictor.device)
    listening.namer = namer
    by_view: dict[int, list[Example]] = {}
    for example in examples:
        by_view.setdefault(id(example.view), []).append(example)
    ordered = [example for together in by_view.values() for example in together]
    for together in by_view.values():
        view = together[0].view
        listening.decode(listening.encode(view.image, view.spacing_yx_mm), [example.prompts for example in together])
    names = predictor.class_names
    return NamedExamples(
        np.array([evidence.class_logits.cpu().numpy() for evidence in namer.heard]).reshape(-1, len(names)),
        np.array([evidence.background_share for evidence in namer.heard]),
        np.array([-1 if item.class_name is None else names.index(item.class_name) for item in ordered], dtype=int),
    )


def fit_temperature(class_logits: np.ndarray, class_index: np.ndarray) -> float:
    """The temperature with the largest likelihood of the right classes (Guo et al. 2017): logits (N, K), truth (N,)."""
    rows = np.arange(len(class_index))

    def loss(logarithm: float) -> float:
        return -float(log_softmax(class_logits / np.exp(logarithm), axis=1)[rows, class_index].mean())

    low, high = np.log(TEMPERATURES)
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def fit_smallest_knownness(known: np.ndarray, unknown: np.ndarray) -> float:
    """The knownness below which an answer is unsure, from that of known (N,) and of unknown objects (M,)."""
    allowed = float(np.quantile(known, KNOWN_UNSURE))
    return min(allowed, float(np.quantile(unknown, UNKNOWN_UNSURE))) if len(unknown) else allowed


def _calibrated(known: NamedExamples, unknown: NamedExamples) -> DomainCalibration:
    temperature = fit_temperature(known.class_logits, known.class_index)
    return DomainCalibration(
        temperature, fit_smallest_knownness(_knownness(known, temperature), _knownness(unknown, temperature))
    )


def _knownness(examples: NamedExamples, temperature: float) -> np.ndarray:
    confidences = softmax(examples.class_logits / temperature, axis=1).max(axis=1)
    return np.array([knownness(*pair) for pair in zip(confidences, examples.background_shares, strict=True)])


def _familiarity(
    predictor: SegSamPredictor, pictures: Mapping[str, DomainPictures], random: np.random.Generator
) -> Familiarity:
    def pooled(image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
        features = predictor.encode(image, spacing_yx_mm)
        return pooled_features(features.maps, features.transform)

    def of(views: Iterable[LabelledView]) -> np.ndarray:
        return np.stack([pooled(view.image, view.spacing_yx_mm) for view in views])

    spoilt = [
        spoilt_picture(views.training[index % len(views.training)].image, random)
        for views in pictures.values()
        for index in range(SPOILT)
    ]
    return fit_familiarity(
        {name: of(views.training) for name, views in pictures.items()},
        {name: of(views.held_out) for name, views in pictures.items()},
        np.stack([pooled(picture) for picture in [*(outlier_picture(random) for _ in range(OUTLIERS)), *spoilt]]),
        FAMILIAR_QUANTILE,
    )


def _at_most(examples: list[Example], count: int, random: np.random.Generator) -> list[Example]:
    chosen = sorted(random.permutation(len(examples))[:count])
    return [examples[index] for index in chosen]


def main() -> None:
    """Calibrate from the command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("weights", type=Path, help="trained weights: segsam.safetensors")
    arguments.add_argument("-o", "--output", type=Path, required=True, help="the same weights with their calibration")
    options = arguments.parse_args()
    calibration = calibrate_checkpoint(options.weights, data_folder(), options.output)
    for name, domain in calibration.domains.items():
        print(f"{name}: temperature {domain.temperature:.2f}, unsure below {domain.smallest_knownness:.3f}")
    print(f"Written: {options.output}")


if __name__ == "__main__":
    main()
