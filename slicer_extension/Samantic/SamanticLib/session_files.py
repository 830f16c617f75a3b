"""The files that go with a session's questions: drawn in a folder of its own, gone once they are sent."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from SamanticLib.label_files import write_label
from SamanticLib.prompts import LabelCrop
from SamanticLib.session_ports import SceneImage


@contextmanager
def write_crop(folder: Path, crop: LabelCrop | None, image: SceneImage) -> Iterator[Path | None]:
    """Yield a file of a drawing in voxels of the image, None for no drawing; removed when the block ends.

    Raises DiskFull, and SamanticError for another error of the disk.
    """
    if crop is None:
        yield None
        return
    path = folder / f"question-{secrets.token_hex(6)}.nrrd"
    crop_to_ras = image.ijk_to_ras.copy()
    crop_to_ras[:3, 3] = (image.ijk_to_ras @ np.array([*crop.extent_ijk[::2], 1.0]))[:3]
    write_label(path, crop.values, crop_to_ras)
    try:
        yield path
    finally:
        path.unlink()
