"""Squares are turned and turned back."""

from __future__ import annotations

import torch

from samantic.besadiff.orientations import ORIENTATIONS, turned, turned_back


def test_there_are_eight_different_orientations_and_each_is_undone() -> None:
    square = torch.arange(9.0).reshape(1, 3, 3)
    seen = [turned(square, each) for each in range(ORIENTATIONS)]
    assert len({tuple(one.flatten().tolist()) for one in seen}) == ORIENTATIONS
    for each, one in enumerate(seen):
        assert torch.equal(turned_back(one, each), square)
