"""The coarse mask as prompts: a box, clicks in its core, clicks well outside of it, and the mask itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from samantic.segsam import ViewPrompts

NO_POINTS = np.zeros((0, 2))

WORDS = ("mask", "box", "inside", "outside")
"""What the prompts can say; a variant is some of them, separated by " + "."""


@dataclass(frozen=True)
class PromptOptions:
    """How prompts are read off a coarse mask.

    Every one of the `variants` is asked, such as "mask + inside", and the best answer kept. The bundled segsam-tiny
    takes a box at its word and fills it, so that a wrong one costs more than it helps (validation part); models that
    were trained on boxes alone, such as MedSAM, need a variant with the box. `box_growth` is the share of its own
    sides by which the box is grown on every side; `core_share` how deep, as a share of the deepest pixel's distance to
    the border, clicks lie at least; `outside_distance` how far from the mask, in units of the radius of a disc of its
    area, clicks on the background lie at least.
    """

    variants: tuple[str, ...] = ("mask", "mask + inside", "mask + outside")
    box_growth: float = 0.07
    core_points: int = 3
    core_share: float = 0.5
    outside_points: int = 4
    outside_distance: float = 0.4

    def __post_init__(self) -> None:
        if not self.variants:
            raise ValueError("At least one variant of the prompts must be asked.")
        for variant in self.variants:
            if not variant or set(variant.split(" + ")) - set(WORDS):
                raise ValueError(
                    f"'{variant}' is no variant of the prompts; join some of {', '.join(WORDS)} with ' + '."
                )
        if not 0 <= self.box_growth <= 0.5:
            raise ValueError(f"box_growth must lie between 0 and 0.5, not {self.box_growth}.")
        if not 1 <= self.core_points <= 8:
            raise ValueError(f"core_points must lie between 1 and 8, not {self.core_points}.")
        if not 0 <= self.outside_points <= 8:
            raise ValueError(f"outside_points must lie between 0 and 8, not {self.outside_points}.")


@dataclass(frozen=True, eq=False)
class CoarsePrompts:
    """What a coarse mask says to a model that is prompted, x to the right and y down.

    `component` (rows, cols) bool is its largest connected part; `box_xyxy` half-open bounds; `inside_xy` (P, 2) and
    `outside_xy` (N, 2) pixels, the first of `inside_xy` the one deepest inside.
    """

    component: np.ndarray
    box_xyxy: tuple[float, float, float, float]
    inside_xy: np.ndarray
    outside_xy: np.ndarray

    @classmethod
    def of(cls, coarse: np.ndarray, options: PromptOptions) -> CoarsePrompts | None:
        """Read the prompts off a mask (rows, cols) bool; None where it is empty."""
        component = largest_component(coarse)
        if component is None:
            return None
        depth = ndimage.distance_transform_edt(np.pad(component, 1))[1:-1, 1:-1]
        inside = _spread(depth >= options.core_share * depth.max(), depth, options.core_points)
        away = ndimage.distance_transform_edt(~component)
        radius = float(np.sqrt(component.sum() / np.pi))
        outside = _spread(away >= max(2.0, options.outside_distance * radius), -away, options.outside_points)
        return cls(component, _grown_box(component, options.box_growth), inside, outside)

    def asked(self, variant: str) -> ViewPrompts:
        """Return the prompts of a variant."""
        words = variant.split(" + ")
        inside = self.inside_xy if "inside" in words else NO_POINTS
        outside = self.outside_xy if "outside" in words else NO_POINTS
        return ViewPrompts(
            np.concatenate([inside, outside]),
            np.array([1] * len(inside) + [0] * len(outside), dtype=np.int64),
            self.box_xyxy if "box" in words else None,
            self.component if "mask" in words else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the prompts but for the mask, as JSON values."""
        return {
            "box_xyxy": [round(value, 1) for value in self.box_xyxy],
            "inside_xy": self.inside_xy.astype(int).tolist(),
            "outside_xy": self.outside_xy.astype(int).tolist(),
        }


def largest_component(mask: np.ndarray) -> np.ndarray | None:
    """Return the largest connected part of a mask (rows, cols) bool, None of an empty one."""
    parts, count = ndimage.label(mask)
    if not count:
        return None
    return parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))


def _grown_box(mask: np.ndarray, growth: float) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y0, y1, x0, x1 = float(rows[0]), float(rows[-1] + 1), float(columns[0]), float(columns[-1] + 1)
    dx, dy = growth * (x1 - x0), growth * (y1 - y0)
    return max(0.0, x0 - dx), max(0.0, y0 - dy), min(float(mask.shape[1]), x1 + dx), min(float(mask.shape[0]), y1 + dy)


def _spread(allowed: np.ndarray, first: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` allowed pixels: where `first` is largest, then each as far as can be from those before."""
    if not count or not allowed.any():
        return NO_POINTS
    places = np.argwhere(allowed)
    chosen = [int(np.argmax(first[allowed]))]
    distance = np.linalg.norm(places - places[chosen[0]], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return places[chosen][:, ::-1].astype(np.float64)
