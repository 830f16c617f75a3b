"""Of which classes a labelled picture tells whether they are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.vocabulary import UnknownClassError, Vocabulary


class KnownClasses:
    """Tells for the classes of a network which are known to be in a picture or not.

    A class that a data set does not label is unknown on its images if it could be there (same domain), and absent if
    it cannot (another domain): a dermoscopic image holds no liver. A class outside the vocabulary could be anywhere.
    """

    def __init__(self, class_names: Sequence[str], vocabulary: Vocabulary) -> None:
        self._index_of = {name: index for index, name in enumerate(class_names)}
        self._domains = [_domains(name, vocabulary) for name in class_names]

    def of(self, view: LabelledView) -> np.ndarray:
        """(K,) bool."""
        known = np.array([domains is not None and view.domain not in domains for domains in self._domains])
        known[[self._index_of[name] for name in view.class_names if name in self._index_of]] = True
        return known


def _domains(name: str, vocabulary: Vocabulary) -> tuple[str, ...] | None:
    try:
        return tuple(vocabulary[name].domains)
    except UnknownClassError:
        return None
