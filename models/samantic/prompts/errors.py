"""The one error of prompts, and how a wrong value is shown in it."""

from __future__ import annotations

import reprlib

AXIS_NAMES = ("i", "j", "k")

_short = reprlib.Repr()
_short.maxstring = 60
_short.maxother = 60


class PromptError(ValueError):
    """A prompt that cannot be used; the message is one plain sentence for the person who made it."""


def shown(value: object) -> str:
    """The value as text for an error message, shortened so that a hostile value cannot flood it."""
    return _short.repr(value)
