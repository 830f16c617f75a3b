from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samantic.segsam.propagation.unprompted import LARGEST, WEIGHT, Unprompted
from samantic.segsam.semantic_map import SemanticMap

SPLEEN = np.zeros((8, 8), dtype=bool)
SPLEEN[2:6, 2:6] = True


class Head:
    """Draws a spleen where there is one, and a liver beside it."""

    has_prompt_free_head = True

    def semantic_map(self, features: object, classes: Sequence[str] | None = None) -> SemanticMap:  # noqa: ARG002
        names = tuple(classes) if classes else ("liver", "spleen")
        drawn = {"spleen": SPLEEN, "liver": np.roll(SPLEEN, 4, axis=1)}
        maps = np.stack([np.where(drawn[name], 0.9, 0.05) for name in names])
        return SemanticMap(np.concatenate([1 - maps.sum(axis=0, keepdims=True), maps]).astype(np.float32), names)


def test_the_class_whose_map_agrees_with_the_prompted_mask_is_believed():
    believed = Unprompted.of(Head(), None, SPLEEN)  # type: ignore[arg-type]
    assert believed is not None and believed.class_name == "spleen"
    evidence = believed.evidence(None)  # type: ignore[arg-type]
    assert (evidence[SPLEEN] > 1).all() and (evidence[~SPLEEN] < -1).all()
    assert np.abs(evidence).max() <= WEIGHT * LARGEST


def test_nobody_is_believed_where_no_map_agrees_or_nothing_was_found():
    corner = np.zeros_like(SPLEEN)
    corner[:2, :2] = True
    assert Unprompted.of(Head(), None, corner) is None  # type: ignore[arg-type]
    assert Unprompted.of(Head(), None, np.zeros_like(SPLEEN)) is None  # type: ignore[arg-type]


def test_a_model_without_a_head_has_nothing_to_say():
    headless = Head()
    headless.has_prompt_free_head = False
    assert Unprompted.of(headless, None, SPLEEN) is None  # type: ignore[arg-type]
    assert Unprompted.of(object(), None, SPLEEN) is None  # type: ignore[arg-type]
