"""A run that is cut off in the middle of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from samantic.datasets.labelled_view import LabelledView


class PowerCutError(Exception):
    """The power went."""


class Until(Sequence[LabelledView]):
    """Views that end the run when they are drawn once too often; to look what there is is not to draw."""

    def __init__(self, views: Sequence[LabelledView], left: list[int]) -> None:
        self.views, self.left = views, left

    def __len__(self) -> int:
        return len(self.views)

    def __iter__(self) -> Iterator[LabelledView]:
        return iter(self.views)

    def __getitem__(self, index: Any) -> Any:
        if not self.left[0]:
            raise PowerCutError
        self.left[0] -= 1
        return self.views[index]
