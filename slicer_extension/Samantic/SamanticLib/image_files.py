"""Images and labels as files: names that are safe on both sides, and downloads that are whole or not there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from SamanticLib.errors import BadAnswer, DiskFull, SamanticError
from SamanticLib.exchange import announced_length
from SamanticLib.saving import OpenFile, new_file, whole_file
from SamanticLib.transport import Transport

IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".png", ".jpg", ".jpeg", ".bmp")
LABEL_ENDINGS = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha", ".png")
MOST_DOWNLOADED = 64 << 30

_SAFE = re.compile(r"[\w-][\w.-]{0,127}")


def checked_id(image_id: str) -> str:
    """Return an image's id that the server takes and that is a file name everywhere. Raises SamanticError."""
    if not _SAFE.fullmatch(image_id) or ".." in image_id:
        raise SamanticError(
            f"'{image_id[:80]}' cannot be the id of an image; use up to 128 letters, digits, '_', '-' and '.'."
        )
    return image_id


def ending_of(name: str, endings: tuple[str, ...], what: str) -> str:
    """Return the one of `endings` that a file's name has, in lower case. Raises SamanticError for another."""
    for ending in endings:
        if name.lower().endswith(ending):
            return ending
    raise SamanticError(f"'{name[-80:]}' cannot be {what}; its name must end in {', '.join(endings)}.")


def download(
    transport: Transport, image_id: str, query: Mapping[str, str], folder: Path, open_file: OpenFile = new_file
) -> Path:
    """Bring an image into `folder`, which is made if need be, and return where it is: `<id><ending>`.

    An image of that name is replaced when the new one is whole, and stays otherwise. Raises every kind of
    SamanticError; DiskFull before anything is written where the disk cannot hold it.
    """
    checked_id(image_id)
    asked = transport.streamed("GET", "/datastore/image", query, most_bytes=MOST_DOWNLOADED, repeatable=True)
    with asked as (head, blocks):
        length = announced_length(head)
        if length is None and "chunked" not in head.headers.get("Transfer-Encoding", ""):
            raise BadAnswer(f"The server does not say how long the image '{image_id}' is, so nobody knows its end.")
        ending = _sent_ending(head.headers.get("Content-Disposition", ""), image_id)
        target = Path(folder) / f"{image_id}{ending}"
        _make_room(target.parent, length or 0, image_id)
        with whole_file(target, f"the image '{image_id}'", open_file) as file:
            for block in blocks:
                file.write(block)
    return target


@contextmanager
def never_lost(label_file: Path) -> Iterator[None]:
    """Say of every error in the block that the label is still where it was."""
    try:
        yield
    except SamanticError as error:
        if not label_file.is_file():
            raise
        raise error.and_also(f"The label is safe in '{label_file}'; submit it again when this is mended.") from error


def _sent_ending(disposition: str, image_id: str) -> str:
    name = re.search(r"filename\*?=\"?(?:utf-8'')?([^\";]+)", disposition, re.IGNORECASE)
    try:
        return ending_of(name[1].strip() if name else "", IMAGE_ENDINGS, "an image")
    except SamanticError as error:
        raise BadAnswer(f"The server does not say what kind of file the image '{image_id}' is.") from error


def _make_room(folder: Path, length: int, image_id: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise SamanticError(f"The folder '{folder}' cannot be used: {error.strerror}. Choose another one.") from error
    if length > free:
        raise DiskFull(
            f"The image '{image_id}' has {length >> 20} MB, but '{folder}' has room for {free >> 20} MB. Make room "
            "there, or choose another folder."
        )
