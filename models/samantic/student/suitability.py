"""Which images a student is for."""

from __future__ import annotations

import numpy as np

from samantic.imaging import Volume
from samantic.student.config import StudentConfig
from samantic.student.squares import LEFT_RIGHT, ORIENTATIONS, UPRIGHT

COLOUR = ("dermoscopy", "skin_photo")
GREY_PICTURES = ("breast_ultrasound",)


def orientations_of(config: StudentConfig) -> tuple[int, ...]:
    """The orientations of `squares.turned` in which pictures of a student's domain look as they do in life.

    Skin has no upright; an ultrasound has the skin above and no left or right; the sides of a body are different.
    """
    if config.domain in COLOUR:
        return tuple(range(ORIENTATIONS))
    return (UPRIGHT, LEFT_RIGHT) if config.domain in GREY_PICTURES else (UPRIGHT,)


def is_for_volumes(config: StudentConfig) -> bool:
    """Whether a student is for volumes rather than for single pictures."""
    return config.domain not in (*COLOUR, *GREY_PICTURES)


def unsuitable(config: StudentConfig, volume: Volume) -> str | None:
    """Why an image is nothing for a student, as the end of a sentence that begins with "it"; None if it is."""
    one_slice = volume.shape_ijk[2] == 1
    if config.domain in COLOUR:
        if not (volume.is_rgb and volume.array.dtype == np.uint8 and one_slice):
            return "is no photograph in colour"
    elif config.domain in GREY_PICTURES:
        if volume.is_rgb or not one_slice:
            return "is no single picture without colour"
    elif volume.kind == "photograph" or volume.is_rgb:
        return "is no volume without colour"
    return None
