"""The pictures that a student learns from, as squares in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from samantic.datasets.labelled_view import LabelledView
from samantic.student.config import StudentConfig
from samantic.student.squares import stretched, stretched_labels


@dataclass(frozen=True, eq=False)
class Pictures:
    """`squares` (N, 3, S, S) uint8, of which the first ones have `labels` (n, S, S) uint8; `ids` of those that have.

    `originals` (rows, cols, 3) uint8 are what the squares were made of.
    """

    squares: torch.Tensor
    labels: torch.Tensor
    ids: tuple[str, ...]
    originals: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls, config: StudentConfig, labelled: Sequence[LabelledView], unlabelled: Sequence[np.ndarray] = ()
    ) -> Pictures:
        """Stretch labelled views and pictures without a label (rows, cols, 3) uint8 to the student's square.

        ValueError without a labelled view, or for one whose labels do not tell the student's classes apart.
        """
        if not labelled:
            raise ValueError("There is no labelled picture to learn from.")
        originals = (*(view.image for view in labelled), *unlabelled)
        return cls(
            torch.stack([stretched(picture, config.side) for picture in originals]),
            torch.stack([_labels(view, config) for view in labelled]),
            tuple(view.image_id for view in labelled),
            originals,
        )

    @property
    def digest(self) -> str:
        """Equal for equal pictures and labels."""
        digest = hashlib.sha256()
        for part in (self.squares, self.labels):
            digest.update(part.numpy().tobytes())
        return digest.hexdigest()


def _labels(view: LabelledView, config: StudentConfig) -> torch.Tensor:
    if set(view.class_names) != set(config.class_names):
        raise ValueError(
            f"The labels of '{view.image_id}' show {', '.join(view.class_names)}, and the student tells apart "
            f"{', '.join(config.class_names)}: they must be the same."
        )
    places = np.array([0, *(config.class_names.index(name) + 1 for name in view.class_names)], dtype=np.uint8)
    return stretched_labels(places[view.labels], config.side, 1 + len(config.class_names))
