"""Which ids, tags and file names the datastore accepts: nothing that could lead out of the studies folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from pathlib import PurePath

IMAGE_EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".png", ".jpg", ".jpeg", ".bmp")
LABEL_EXTENSIONS = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha", ".png")
MAX_LENGTH = 128

_SAFE = re.compile(r"[\w.-]+")
_UNSAFE = re.compile(r"[^\w.-]+")


class NameRefusedError(ValueError):
    """An id, a tag or a file name is not allowed; the message says which and what is."""


def checked_name(value: str, what: str) -> str:
    r"""Return `value` if it matches [\w.-]+, holds no "..", does not begin with a dot and has at most 128 characters.

    Raises NameRefusedError naming `what` otherwise. Source: ours.
    """
    if not value:
        raise NameRefusedError(f"The {what} is empty; give letters, digits, '_', '-' and '.'.")
    if not _SAFE.fullmatch(value) or ".." in value or value.startswith(".") or len(value) > MAX_LENGTH:
        raise NameRefusedError(
            f"The {what} '{printable(value)}' is not allowed; use up to {MAX_LENGTH} letters, digits, '_', '-' and "
            "'.', without '..' and not beginning with '.'."
        )
    return value


def printable(value: str, limit: int = 60) -> str:
    """Return `value` fit for a one-line message: shortened, control characters and lone surrogates as '?'."""
    shown = "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "?" for c in value[: limit + 1])
    return shown if len(value) <= limit else shown[:limit] + "…"


def image_extension(file_name: str) -> str:
    """Return the image extension that ends `file_name`, as written there, or "" if it is not an image's.

    A ".seg.nrrd" is a segmentation, not an image. Source: ours.
    """
    lower = file_name.lower()
    return "" if lower.endswith(".seg.nrrd") else _known_ending(file_name, IMAGE_EXTENSIONS)


def label_extension(file_name: str) -> str:
    """Return the label extension that ends `file_name`, as written there, or "" if labels are not kept so.

    JPEG is not among them: its compression changes label values. Source: ours.
    """
    return _known_ending(file_name, LABEL_EXTENSIONS)


def derived_id(name: str, taken: Container[str]) -> str:
    """Return a safe id for an image file or series folder that is not in `taken`.

    The stem if it is free, then the whole name (`a.png` beside `a.jpg`), then the name with a number. Source: ours.
    """
    name = PurePath(name).as_posix()
    stem = name.removesuffix(image_extension(name))
    candidates = [_made_safe(stem.rsplit("/", 1)[-1]), _made_safe(name)]
    for candidate in candidates:
        if candidate not in taken:
            return candidate
    number = 2
    while f"{candidates[-1]}-{number}" in taken:
        number += 1
    return f"{candidates[-1]}-{number}"


def _known_ending(file_name: str, extensions: tuple[str, ...]) -> str:
    lower = file_name.lower()
    for extension in extensions:
        if lower.endswith(extension) and len(file_name) > len(extension):
            return file_name[-len(extension) :]
    return ""


def _made_safe(name: str) -> str:
    safe = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip("_.")
    while ".." in safe:
        safe = safe.replace("..", ".")
    return safe[: MAX_LENGTH - 8] or "image"
