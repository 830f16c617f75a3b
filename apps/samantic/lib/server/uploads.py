"""Files that come with a request: taken in under a name of ours, and gone again unless somebody keeps them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from fastapi import HTTPException, UploadFile
from starlette.background import BackgroundTasks

from samantic.app.lib.datastore import IMAGE_EXTENSIONS, LABEL_EXTENSIONS, image_extension, label_extension, printable
from samantic.imaging import ImageReadError, read_volume


def base_name(upload: UploadFile) -> str:
    """Return the last part of the name that the client gave the file, whatever system it comes from."""
    return PureWindowsPath(PurePosixPath(upload.filename or "").name).name


def image_ending(upload: UploadFile) -> str:
    """Return the image extension of an upload's name. Raises HTTPException 422 if it has none."""
    return _ending(upload, image_extension(base_name(upload)), "image", IMAGE_EXTENSIONS)


def label_ending(upload: UploadFile) -> str:
    """Return the label extension of an upload's name. Raises HTTPException 422 if it has none."""
    return _ending(upload, label_extension(base_name(upload)), "label", LABEL_EXTENSIONS)


@contextmanager
def received(upload: UploadFile, name: str) -> Iterator[Path]:
    """Yield a file called `name` with the upload's content, in a folder that is removed after the block."""
    with tempfile.TemporaryDirectory(prefix="samantic-upload-") as folder:
        path = Path(folder) / name
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)
        yield path


@contextmanager
def taken_in(upload: UploadFile, ending: str) -> Iterator[str]:
    """Yield the path of a temporary file with the upload's content, removed after the block.

    It is named as the stock server names it, so that a task tells the two kinds of server apart by nothing.
    """
    descriptor, path = tempfile.mkstemp(suffix=ending)
    try:
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)
        yield path
    finally:
        Path(path).unlink(missing_ok=True)


def check_is_image(path: Path, sent_as: str) -> None:
    """Read an uploaded file or folder as an image. Raises ImageReadError with the name that it was sent under."""
    try:
        read_volume(path)
    except ImageReadError as error:
        raise ImageReadError(str(error).replace(path.name, printable(sent_as))) from error


@contextmanager
def removed_on_error() -> Iterator[BackgroundTasks]:
    """Yield background tasks for a stock function that removes its temporary files by them.

    The stock server runs them only after a good answer; an error in the block runs them here. Source: ours.
    """
    tasks = BackgroundTasks()
    try:
        yield tasks
    except BaseException:
        for task in tasks.tasks:
            task.func(*task.args, **task.kwargs)
        raise


def _ending(upload: UploadFile, extension: str, what: str, allowed: Sequence[str]) -> str:
    if not extension:
        shown = printable(base_name(upload)) or "without a name"
        raise HTTPException(
            422, f"The {what} file '{shown}' cannot be taken; its name must end in {', '.join(allowed)}."
        )
    return extension
