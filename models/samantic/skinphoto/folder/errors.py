"""What can be wrong with a folder of crops."""

from __future__ import annotations


class CropFolderError(ValueError):
    """A folder cannot be cropped, or crops cannot go there; the message is one plain sentence."""
