"""What can go wrong between a person and the server; every error is a sentence that can be shown as it is."""

from __future__ import annotations

import copy
import errno


class SamanticError(Exception):
    """Something that was asked for could not be done; `str(error)` says what, which value, and what to do."""

    def and_also(self, sentence: str) -> SamanticError:
        """Return the same kind of error that says one sentence more."""
        longer = copy.copy(self)
        longer.args = (f"{self} {sentence}", *self.args[1:])
        return longer


class ServerAway(SamanticError):  # noqa: N818
    """Nobody answers at the address, or the connection broke."""


class ServerSlow(SamanticError):  # noqa: N818
    """The server took longer than the time limit."""


class ServerFailed(SamanticError):  # noqa: N818
    """The server had an error of its own; `status` is 500 or above."""

    def __init__(self, sentence: str, status: int = 500) -> None:
        super().__init__(sentence)
        self.status = status


class RequestRefused(SamanticError):  # noqa: N818
    """The server refused what was asked; `status` is 4xx, `detail` the server's own sentence."""

    def __init__(self, sentence: str, status: int = 422, detail: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.detail = detail or sentence


class BadAnswer(SamanticError):  # noqa: N818
    """The server answered something that is not what was asked for; nothing of it was used."""


class CertificateWrong(SamanticError):  # noqa: N818
    """The server's certificate is not one that is trusted here."""


class LoginNeeded(SamanticError):  # noqa: N818
    """The server wants a login, or the one it was given has expired or does not allow this."""


class DiskFull(SamanticError):  # noqa: N818
    """A file could not be written for lack of space."""


class Cancelled(SamanticError):  # noqa: N818
    """Somebody here did not want it any more."""


FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def file_error(error: OSError, what: str, place: object) -> SamanticError:
    """Return the error that says why the file of `what` at `place` could not be read or written."""
    if error.errno in FULL:
        return DiskFull(f"There is no space left for {what} in '{place}'. Make room there, or choose another folder.")
    reason = error.strerror or type(error).__name__
    return SamanticError(f"The file of {what} in '{place}' cannot be used: {reason}. Choose another file or folder.")
