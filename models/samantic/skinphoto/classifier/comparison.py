"""Does diagnosis gain from crops? A classifier each for originals, automatic crops and manual crops, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from samantic.evaluation import MeanWithInterval, mean_with_interval
from samantic.skinphoto.classifier.crop_classifier import CropClassifierOptions, fit_classifier
from samantic.skinphoto.classifier.pictures import LabelledPicture


@dataclass(frozen=True)
class SourceResult:
    """Of the photographs with the disease the share that is found, of the others the share that is not accused.

    `answered` is the share of the test photographs that gave any picture: one without a crop is counted as wrong.
    """

    source: str
    sensitivity: MeanWithInterval
    specificity: MeanWithInterval
    answered: float


@dataclass(frozen=True)
class ClassifierComparison:
    """One result a source, on the same test photographs."""

    results: tuple[SourceResult, ...]

    def table(self) -> str:
        """As Markdown."""
        lines = [
            "| learned from and asked on | sensitivity | specificity | photographs answered |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {one.source} | {one.sensitivity} | {one.specificity} | {one.answered:.0%} |" for one in self.results
        ]
        return "\n".join(lines)


def compared(
    train: Mapping[str, Sequence[LabelledPicture]],
    test: Mapping[str, Sequence[LabelledPicture]],
    diseased: Mapping[str, bool],
    options: CropClassifierOptions,
) -> ClassifierComparison:
    """Train a classifier on each source of pictures and ask it about the test pictures of the same source.

    `diseased` maps every test photograph to its class; the pictures of a photograph answer together, by their mean.
    ValueError: a photograph is learned from and tested on.
    """
    results = []
    for source, pictures in train.items():
        both = {one.photograph for one in pictures} & diseased.keys()
        if both:
            raise ValueError(f"'{sorted(both)[0]}' is learned from and tested on.")
        classifier = fit_classifier(pictures, options)
        by_photograph: dict[str, list[float]] = {}
        for one, probability in zip(test[source], classifier.probabilities(test[source]), strict=True):
            by_photograph.setdefault(one.photograph, []).append(float(probability))
        right: dict[bool, list[float]] = {False: [], True: []}
        for photograph, is_disease in diseased.items():
            answers = by_photograph.get(photograph)
            right[is_disease].append(float(answers is not None and (np.mean(answers) > 0.5) == is_disease))
        results.append(
            SourceResult(
                source,
                mean_with_interval(right[True]),
                mean_with_interval(right[False]),
                sum(photograph in by_photograph for photograph in diseased) / max(1, len(diseased)),
            )
        )
    return ClassifierComparison(tuple(results))
