"""The crops of a photograph, in its own pixels."""

from __future__ import annotations

from dataclasses import replace

from samantic.skinphoto.crop_search import Crop, CropSearch
from samantic.skinphoto.segmenter import SkinAnswer

SEARCHED = 320
"""Longer side of the label map on which crops are looked for: the network has seen no more of the photograph."""

SMALLEST = 32
"""Pixels along a side of a crop of the photograph; less shows nothing."""


def photograph_crops(answer: SkinAnswer, shape: tuple[int, int], search: CropSearch) -> tuple[Crop, ...]:
    """Return the crops of a photograph of (rows, cols) pixels, the best first; none where nothing qualifies.

    Only pixels of which the network is sure count as skin or lesion, see `SkinAnswer.sure_labels`; to them the rule
    applies exactly, and theirs are the shares of the crops. Source: ours.
    """
    sides = tuple(side for side in search.sides if side * min(shape) >= SMALLEST)
    if not sides:
        return ()
    searched = searched_shape(shape)
    found = replace(search, sides=sides).crops(answer.sure_labels(searched))
    return tuple(in_photograph(crop, searched, shape) for crop in found)


def searched_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """The size of the label map on which crops of a photograph of `shape` are looked for."""
    scale = min(1.0, SEARCHED / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def in_photograph(crop: Crop, searched: tuple[int, int], shape: tuple[int, int]) -> Crop:
    """The same crop in the pixels of the photograph that the label map was made of; always within it."""
    down, along = shape[0] / searched[0], shape[1] / searched[1]
    side = min(round(crop.side * min(down, along)), *shape)
    top, left = min(round(crop.top * down), shape[0] - side), min(round(crop.left * along), shape[1] - side)
    return replace(crop, left=left, top=top, side=side)
