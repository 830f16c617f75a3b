"""Errors of this package."""


class ExportError(ValueError):
    """A studies folder cannot be exported as asked; the message is one plain sentence."""
