"""Run-length encoding of masks, safe against counts made up by a hostile sender."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from samantic.prompts.errors import PromptError, shown

MAX_MASK_VOXELS = 512 * 1024 * 1024
MAX_RUNS = 2_000_000


def encode_runs(array: np.ndarray) -> list[int]:
    """Lengths of the runs of a mask (I, J, K) in C order, outside and inside in turn, beginning with outside."""
    flat = array.ravel(order="C")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    if len(runs) >= MAX_RUNS:
        raise PromptError(f"The mask falls into {len(runs)} runs, but at most {MAX_RUNS} can be sent as JSON.")
    return [0, *runs] if flat.size and flat[0] else runs


def decode_runs(shape_ijk: object, counts: object, expected_shape: tuple[int, int, int] | None = None) -> np.ndarray:
    """The mask (I, J, K) of such runs; shape and counts are checked in full before anything is allocated."""
    shape = _checked_shape(shape_ijk)
    if expected_shape is not None and shape != tuple(expected_shape):
        raise PromptError(f"The mask has the shape {shape}, but the image has {tuple(expected_shape)}.")
    voxels = math.prod(shape)
    if voxels > MAX_MASK_VOXELS:
        raise PromptError(f"The mask has {voxels} voxels, but at most {MAX_MASK_VOXELS} are allowed.")
    if not isinstance(counts, Sequence) or isinstance(counts, (str, bytes)):
        raise PromptError(f"The mask's counts need a list of whole numbers, but {shown(counts)} was given.")
    if len(counts) > MAX_RUNS:
        raise PromptError(f"The mask has {len(counts)} runs, but at most {MAX_RUNS} are allowed.")
    for count in counts:
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise PromptError(f"The mask's counts must be whole numbers from 0, but one is {shown(count)}.")
    if sum(counts) != voxels:
        raise PromptError(
            f"The mask's counts must add up to its {voxels} voxels, but they add up to {shown(sum(counts))}."
        )
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, np.asarray(counts, dtype=np.int64)).reshape(shape)


def _checked_shape(shape: object) -> tuple[int, int, int]:
    if isinstance(shape, Sequence) and not isinstance(shape, (str, bytes)) and len(shape) == 3:
        i, j, k = shape
        if all(isinstance(size, int) and not isinstance(size, bool) and size >= 1 for size in (i, j, k)):
            return i, j, k
    raise PromptError(f"The mask's shape needs three whole numbers from 1, but {shown(shape)} was given.")
