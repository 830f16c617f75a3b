"""What can be wrong with a question about a job, and what is said of a job that failed."""

from __future__ import annotations

import logging
import secrets

from fastapi import HTTPException
from monailabel.interfaces.exception import ImageNotFoundException

from samantic.app.lib.datastore import ImageExistsError, NameRefusedError, ReadOnlyError
from samantic.app.lib.infers.wire import RequestError, sentence
from samantic.imaging import ImageReadError, ImageWriteError, WindowError
from samantic.prompts import PromptError
from samantic.vocabulary import UnknownClassError

logger = logging.getLogger(__name__)

_FOR_THE_CLIENT = (
    RequestError,
    PromptError,
    UnknownClassError,
    ImageReadError,
    ImageWriteError,
    WindowError,
    NameRefusedError,
    ImageExistsError,
    ReadOnlyError,
)


class UnknownJobError(LookupError):
    """There is no such job, or no longer."""


class JobNotDoneError(RuntimeError):
    """A result was asked for that is not there."""


class TooManyJobsError(RuntimeError):
    """As many jobs as this server takes are waiting already."""


def failure(error: Exception, what: str) -> str:
    """Return one sentence about what ended `what`; an error of our own is a number, under which the log has it."""
    if isinstance(error, HTTPException) and error.status_code < 500:
        return sentence(ValueError(error.detail))
    if isinstance(error, ImageNotFoundException):
        return sentence(ValueError(error.msg))
    if isinstance(error, _FOR_THE_CLIENT):
        return sentence(error)
    number = secrets.token_hex(4)
    logger.error("Error %s in %s", number, what, exc_info=error)
    return f"The server could not do this because of an error of its own; its log has it as {number}."
