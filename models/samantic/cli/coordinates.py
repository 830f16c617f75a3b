"""Numbers written on the command line, such as 70,60,40."""

from __future__ import annotations

import typer

from samantic.prompts import Box, Point


def as_point(text: str, positive: bool, photograph: bool) -> Point:
    """Return the point of "i,j,k", or of "x,y" in a photograph; raises typer.BadParameter."""
    numbers = _numbers(text)
    if len(numbers) == 2 and photograph:
        numbers.append(0.0)
    if len(numbers) != 3:
        option = "--point" if positive else "--negative"
        wanted = "x,y" if photograph else "i,j,k"
        raise typer.BadParameter(f"{option} '{text}' has {len(numbers)} numbers, but it must be {wanted}.")
    return Point((numbers[0], numbers[1], numbers[2]), positive)


def as_box(text: str, axis: int, slice_index: int | None, photograph: bool) -> Box:
    """Return the box of "x0,x1,y0,y1,z0,z1", or of "x0,x1,y0,y1" where the slice is known; raises typer.BadParameter.

    With four numbers the two pairs belong to the two voxel axes of the slice, in the order i, j, k.
    """
    numbers = _numbers(text)
    index = 0 if photograph else slice_index
    if len(numbers) == 4 and index is not None:
        numbers[2 * axis : 2 * axis] = [float(index), float(index + 1)]
    if len(numbers) != 6:
        wanted = "x0,x1,y0,y1" if photograph else "x0,x1,y0,y1,z0,z1 (or four numbers and --slice)"
        raise typer.BadParameter(f"--box '{text}' has {len(numbers)} numbers, but it must be {wanted}.")
    return Box.from_roi(numbers)


def _numbers(text: str) -> list[float]:
    numbers = []
    for word in text.replace(",", " ").split():
        try:
            numbers.append(float(word))
        except ValueError:
            raise typer.BadParameter(f"'{word}' in '{text}' is not a number; write it as in 70,60,40.") from None
    return numbers
