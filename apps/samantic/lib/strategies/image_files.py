"""The file of an image: known by name, size and time without being opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monailabel.interfaces.datastore import Datastore


@dataclass(frozen=True)
class ImageFile:
    """An image of the studies; `signature` changes when its file does."""

    image: str
    signature: str

    @classmethod
    def of(cls, store: Datastore, image: str) -> ImageFile:
        """Look at the file's name, size and time; at the stamp of its folder for a DICOM series."""
        info = store.get_image_info(image)
        path = Path(str(info.get("path", "")))
        if "stamp" in info:
            return cls(image, f"{image} {path} {info['stamp']}")
        try:
            status = path.stat()
        except OSError:
            return cls(image, f"{image} {path} missing")
        return cls(image, f"{image} {path} {status.st_size} {status.st_mtime_ns}")

    def path(self, store: Datastore) -> Path:
        """Return the file to read; a DICOM series is converted on first use. ImageReadError if that is impossible."""
        return Path(store.get_image_uri(self.image))
