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
    what = f"the image '{checked_id(image_id)}'"
    return _fetched(transport, "/datastore/image", query, Path(folder), image_id, IMAGE_ENDINGS, what, open_file)


def download_label(transport: Transport, image_id: str, query: Mapping[str, str], folder: Path) -> Path:
    """Bring a label of an image into `folder` as `label-<id><ending>`, otherwise as `download`."""
    what = f"the label of '{checked_id(image_id)}'"
    name = f"label-{image_id}"
    return _fetched(transport, "/datastore/label", query, Path(folder), name, LABEL_ENDINGS, what, new_file)


@contextmanager
def never_lost(label_file: Path) -> Iterator[None]:
    """Say of every error in the block that the label is still where it was."""
    try:
        yield
    except SamanticError as error:
        if not label_file.is_file():
            raise
        raise error.and_also(f"The label is safe in '{label_file}'; submit it again when this is mended.") from error


def _fetched(
    transport: Transport,
    path: str,
    query: Mapping[str, str],
    folder: Path,
    name: str,
    endings: tuple[str, ...],
    what: str,
    open_file: OpenFile,
) -> Path:
    with transport.streamed("GET", path, query, most_bytes=MOST_DOWNLOADED, repeatable=True) as (head, blocks):
        length = announced_length(head)
        if length is None and "chunked" not in head.headers.get("Transfer-Encoding", ""):
            raise BadAnswer(f"The server does not say how long {what} is, so nobody knows its end.")
        ending = _sent_ending(head.headers.get("Content-Disposition", ""), endings, what)
        target = folder / f"{name}{ending}"
        _make_room(folder, length or 0, what)
        with whole_file(target, what, open_file) as file:
            for block in blocks:
                file.write(block)
    return target


def _sent_ending(disposition: str, endings: tuple[str, ...], what: str) -> str:
    name = re.search(r"filename\*?=\"?(?:utf-8'')?([^\";]+)", disposition, re.IGNORECASE)
    try:
        return ending_of(name[1].strip() if name else "", endings, what)
    except SamanticError as error:
        raise BadAnswer(f"The server does not say what kind of file {what} is.") from error


def _make_room(folder: Path, length: int, what: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise SamanticError(f"The folder '{folder}' cannot be used: {error.strerror}. Choose another one.") from error
    if length > free:
        raise DiskFull(
            f"{what[:1].upper()}{what[1:]} has {length >> 20} MB, but '{folder}' has room for {free >> 20} MB. Make "
            "room there, or choose another folder."
        )
