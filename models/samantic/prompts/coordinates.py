"""Turning what a caller gives into finite coordinates."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence

import numpy as np

from samantic.prompts.errors import AXIS_NAMES, PromptError, shown


def as_coordinates(values: object, what: str) -> tuple[float, float, float]:
    """Three finite numbers [i, j, k] in voxels; `what` begins the sentence of the PromptError."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)) or len(values) != 3:
        raise PromptError(f"{what} needs three voxel indices [i, j, k], but {shown(values)} was given.")
    i, j, k = (_as_finite(value, f"{what} has {name}") for value, name in zip(values, AXIS_NAMES, strict=True))
    return i, j, k


def as_flag(value: object, what: str) -> bool:
    """True or false, nothing that merely looks like it."""
    if not isinstance(value, (bool, np.bool_)):
        raise PromptError(f"{what} is {shown(value)}, but it must be true or false.")
    return bool(value)


def as_whole(value: object, what: str) -> int:
    """A whole number (a float such as 3.0 counts)."""
    number = _as_finite(value, what)
    if not number.is_integer():
        raise PromptError(f"{what} = {shown(value)}, but it must be a whole number.")
    return int(number)


def nearest(value: float) -> int:
    """The nearest voxel index; halves go up, so that neighbouring voxels have intervals of one size."""
    return math.floor(value + 0.5)


def _as_finite(value: object, what: str) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, np.number)):
        raise PromptError(f"{what} = {shown(value)}, but it must be a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise PromptError(f"{what} = {number}, but it must be a finite number.")
    return number
