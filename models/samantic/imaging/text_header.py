"""Parts shared by the two formats with a text header, NRRD and MetaImage."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samantic.imaging.errors import ImageReadError


def numbers(path: Path, text: str, what: str, count: int | None = None) -> np.ndarray:
    """The finite numbers, separated by blanks, of a header field.

    what: the name of the field, for the message. Raises ImageReadError if `text` holds something else or not `count`
    numbers. Source: ours.
    """
    try:
        values = np.array([float(word) for word in text.split()])
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all() or (count is not None and len(values) != count):
        wanted = "numbers" if count is None else f"{count} numbers"
        raise ImageReadError(f"the header of '{path.name}' says '{text[:80]}' for {what}, where {wanted} belong")
    return values


def whole_numbers(path: Path, text: str, what: str, count: int | None = None) -> tuple[int, ...]:
    """As `numbers`, for integers. Source: ours."""
    values = numbers(path, text, what, count)
    if not np.array_equal(values, np.rint(values)):
        raise ImageReadError(f"the header of '{path.name}' says '{text[:80]}' for {what}, where whole numbers belong")
    return tuple(int(value) for value in values)


def detached_data(header: Path, name: str, suffixes: tuple[str, ...]) -> Path:
    """The data file beside a header file: only one of the same stem, never a path.

    A header comes from anybody and could otherwise name any file of this machine. Raises ImageReadError. Source: ours.
    """
    allowed = {(header.stem + suffix).lower() for suffix in suffixes}
    if name.lower() not in allowed:
        raise ImageReadError(
            f"'{header.name}' points at the data file '{name[:80]}'; only {' or '.join(sorted(allowed))} in the same "
            "folder is read"
        )
    data = header.with_name(name)
    if not data.is_file():
        raise ImageReadError(f"the data file '{name}' of '{header.name}' is missing; give both files together")
    return data
