"""Conditions as a network reads them: one vector for the whole picture, and planes that show where things are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from samantic.besadiff.generator.condition import DIAGNOSES, LesionCondition

VECTOR_LENGTH = len(DIAGNOSES) + 1 + 3 + 3
PLANES = 3


def condition_vectors(conditions: Sequence[LesionCondition]) -> torch.Tensor:
    """Return (B, VECTOR_LENGTH): each part with a 1 where it is known, all 0 where it is open."""
    return torch.tensor([_vector(condition) for condition in conditions], dtype=torch.float32)


def condition_planes(conditions: Sequence[LesionCondition], side: int) -> torch.Tensor:
    """Return (B, PLANES, side, side): a soft disc of the lesion's size and place, the row and the column, -1 to 1.

    The disc is 0 everywhere where size or place is open. The network is told where in the picture it is, since
    vignettes are at the border; a convolution alone does not know.
    """
    line = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    discs = []
    for condition in conditions:
        if condition.area is None or condition.centre_yx is None:
            discs.append(torch.zeros(side, side))
            continue
        y, x = condition.centre_yx
        radius = math.sqrt(condition.area / math.pi)
        distance = torch.sqrt((rows - y) ** 2 + (columns - x) ** 2)
        discs.append(torch.tanh((radius - distance) * 8))
    place = torch.stack([rows, columns]) * 2 - 1
    return torch.stack([torch.cat([disc[None], place]) for disc in discs])


def _vector(condition: LesionCondition) -> list[float]:
    vector = [float(condition.diagnosis == name) for name in DIAGNOSES] + [float(condition.diagnosis is not None)]
    if condition.area is None:
        vector += [0.0, 0.0, 0.0]
    else:
        # The root is the lesion's size, the logarithm tells small lesions apart.
        vector += [2 * math.sqrt(condition.area) - 1, math.log(condition.area + 0.003) / 3 + 1, 1.0]
    if condition.centre_yx is None:
        vector += [0.0, 0.0, 0.0]
    else:
        vector += [4 * (condition.centre_yx[0] - 0.5), 4 * (condition.centre_yx[1] - 0.5), 1.0]
    return vector
