"""How long work says that somebody stopped it."""

from __future__ import annotations


class Cancelled(Exception):  # noqa: N818  nothing went wrong: somebody changed their mind
    """The work was cancelled before it was done; there is no result. Source: ours."""
