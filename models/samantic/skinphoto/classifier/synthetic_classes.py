"""Two made-up diseases, to run the comparison of classifiers on: they say nothing about real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samantic.skinphoto.classes import LESION
from samantic.skinphoto.composites import Composite, LesionPatch, draw_composite
from samantic.skinphoto.composites.textures import Shape, edge, smooth_noise, stripes

SMALLEST_SHARE = 0.01
"""Of the photograph that is lesion; in less nothing can be told apart."""


@dataclass(frozen=True, eq=False)
class SyntheticCase:
    """A composite whose lesions are scaly (`is_disease`) or not."""

    name: str
    composite: Composite
    is_disease: bool


def synthetic_cases(
    lesions: Sequence[LesionPatch], count: int, seed: int, shape: Shape, name: str
) -> list[SyntheticCase]:
    """Draw `count` cases, the two classes in turn; the same seed gives the same. Source: ours."""
    cases: list[SyntheticCase] = []
    number = 0
    while len(cases) < count:
        random = np.random.default_rng((seed, number))
        number += 1
        composite = draw_composite(random, lesions, shape)
        if (composite.labels == LESION).mean() < SMALLEST_SHARE:
            continue
        is_disease = len(cases) % 2 == 1
        image = _marked(random, composite, is_disease)
        marked = Composite(image, composite.labels, composite.lesion_ids)
        cases.append(SyntheticCase(f"{name} {len(cases)}", marked, is_disease))
    return cases


def _marked(random: np.random.Generator, composite: Composite, is_disease: bool) -> np.ndarray:
    """White scales all over the lesions, or fine dark lines."""
    shape = (composite.labels.shape[0], composite.labels.shape[1])
    if is_disease:
        pattern, tone = edge(smooth_noise(random, shape, 30) - 0.4, 0.5), 235.0
    else:
        pattern, tone = edge(stripes(random, shape, 0.035, 0.02) - 0.3, 0.5), 25.0
    share = (0.5 * pattern * (composite.labels == LESION))[..., None]
    return (composite.image * (1 - share) + tone * share).astype(np.uint8)
