"""Errors of this package: each message is one plain sentence for a person."""


class ImageReadError(ValueError):
    """An image or a mask could not be read; the message names the file, what is wrong with it and what is allowed."""


class ImageWriteError(ValueError):
    """An image or a mask cannot be written as asked; the message says what is allowed."""


class ViewError(ValueError):
    """A slice, an axis or an array does not belong to the volume it is used with."""


class WindowError(ValueError):
    """An intensity window is unknown or does not suit the volume."""
