"""Pictures of breasts to learn from or to be measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantic.breast.diagnosis import DIAGNOSES, Possible
from samantic.datasets.development_sets import busi

# Found by `samantic.datasets.near_duplicates` among pictures of different diagnoses: one frame, or two of one lesion.
BUSI_CONTRADICTIONS: tuple[frozenset[str], ...] = (
    frozenset({"benign_85", "benign_164", "malignant_52"}),
    frozenset({"benign_269", "normal_1"}),
    frozenset({"benign_333", "malignant_77", "malignant_78"}),
    frozenset({"benign_42", "benign_131", "malignant_51"}),
)
"""Pictures of BUSI that show one lesion under two diagnoses: nobody knows which is right."""

ANYTHING: Possible = (True, True, True)


@dataclass(frozen=True, eq=False)
class BreastExample:
    """`image` (rows, cols, 3) uint8, `mask` of all lesions (rows, cols) bool, and the diagnoses it may have."""

    image_id: str
    image: np.ndarray
    mask: np.ndarray
    possible: Possible


def busi_examples(folder: Path, part: str) -> Iterator[BreastExample]:
    """One part of BUSI by splits.json (Al-Dhabyani et al. 2020, CC BY 4.0), without what train shares with the others.

    Pictures whose diagnosis is contradicted by another are yielded for their lesion alone.
    """
    contradicted = frozenset[str]().union(*BUSI_CONTRADICTIONS)
    for view in busi(folder, part):
        possible = ANYTHING if view.image_id in contradicted else named_possible(view.image_id)
        yield BreastExample(view.image_id, view.image, view.labels > 0, possible)


def named_possible(image_id: str) -> Possible:
    """The diagnosis that an id such as "benign_1" names; ValueError for another id."""
    kind = image_id.split("_")[0]
    if kind not in DIAGNOSES:
        raise ValueError(f"'{image_id}' names none of {', '.join(DIAGNOSES)}.")
    return kind == "normal", kind == "benign", kind == "malignant"
