"""Accepted pairs on disk, as a studies folder that a MONAI Label server serves and every trainer learns from."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from samantic.besadiff.synthesis.errors import SynthesisError
from samantic.besadiff.synthesis.manifest import Attempt
from samantic.datasets.studies import FINAL, RECORD
from samantic.imaging import atomic_path, remove_leftovers

CLASS_NAME = "skin_lesion"
VALUE = 1
LABELS = Path("labels") / FINAL
COARSE = Path("coarse")
"""The generator's own masks as grey levels, for looking and for comparing; a datastore lists no images there."""


class PairFolder:
    """`NAME.png` images with their masks in `labels/final`, and what MONAI Label's datastore notes about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Make the folders, and remove what a killed process left half written in them."""
        for part in (LABELS, COARSE):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for part in (Path(), LABELS, COARSE):
            remove_leftovers(self.folder / part)

    def write(self, name: str, image: np.ndarray, mask: np.ndarray, coarse: np.ndarray) -> dict[str, str]:
        """Write image (rows, cols, 3) uint8, mask (rows, cols) bool and coarse mask (rows, cols) in 0 to 1.

        Returns the hashes of image and label. Every file appears whole or not at all.
        """
        levels = np.rint(np.clip(coarse, 0, 1) * 255).astype(np.uint8)
        files = {
            self.image(name): _png(image),
            self.label(name): _png(mask.astype(np.uint8) * VALUE),
            self.coarse(name): _png(levels),
        }
        for path, content in files.items():
            with atomic_path(path) as temporary:
                temporary.write_bytes(content)
        hashes = [hashlib.sha256(content).hexdigest() for content in files.values()]
        return {"image_sha256": hashes[0], "label_sha256": hashes[1]}

    def read(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read image (rows, cols, 3) uint8, mask (rows, cols) bool and coarse mask (rows, cols) float32 in 0 to 1."""
        return (
            np.asarray(Image.open(self.image(name)).convert("RGB")),
            np.asarray(Image.open(self.label(name))) == VALUE,
            np.asarray(Image.open(self.coarse(name)), np.float32) / 255,
        )

    def image(self, name: str) -> Path:
        return self.folder / f"{name}.png"

    def label(self, name: str) -> Path:
        return self.folder / LABELS / f"{name}.png"

    def coarse(self, name: str) -> Path:
        return self.folder / COARSE / f"{name}.png"

    def note(self, attempts: Iterable[Attempt], labelled: bool = True) -> None:
        """Note the images of accepted attempts in the datastore's record, and their labels if they are `labelled`.

        What is noted there already stays. SynthesisError: the record cannot be read.
        """
        record = self._record()
        objects = record["objects"]
        for attempt in attempts:
            if attempt.name is not None:
                objects.setdefault(attempt.name, _noted(attempt, labelled))
        with atomic_path(self.folder / RECORD) as temporary:
            temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

    def _record(self) -> dict[str, Any]:
        path = self.folder / RECORD
        if path.is_file():
            try:
                record = dict(json.loads(path.read_text(encoding="utf-8")))
                return {**record, "objects": dict(record["objects"])}
            except (ValueError, KeyError, TypeError) as error:
                raise SynthesisError(f"'{path}' cannot be read: {error!r}. Choose another folder.") from error
        return {
            "name": "synthetic dermoscopy",
            "description": "Images drawn by a model, with masks of the lesion; none shows a person.",
            "images_dir": ".",
            "labels_dir": "labels",
            "objects": {},
        }


def _noted(attempt: Attempt, labelled: bool) -> dict[str, Any]:
    file = f"{attempt.name}.png"
    shared = {"name": file, "synthetic": True}
    image = {**shared, "modality": "RGB", "diagnosis": attempt.record["condition"]["diagnosis"]}
    label = {**shared, "label_names": {CLASS_NAME: VALUE}, "checksum": f"SHA256:{attempt.record['label_sha256']}"}
    return {
        "image": {"ext": ".png", "info": image},
        "labels": {FINAL: {"ext": ".png", "info": label}} if labelled else {},
    }


def _png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", compress_level=6)
    return stream.getvalue()
