"""Small studies folders for tests of the server's parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def write_nifti() -> Callable[..., Path]:
    """Writes a NIfTI file of (8, 9, 5) voxels that all hold one value, 16-bit."""

    def write(path: Path, value: int = 0, shape: tuple[int, int, int] = (8, 9, 5)) -> Path:
        nibabel.save(nibabel.Nifti1Image(np.full(shape, value, np.int16), np.diag([-1.0, -1.0, 2.0, 1.0])), path)
        return path

    return write


@pytest.fixture
def studies(tmp_path: Path, write_nifti: Callable[..., Path]) -> Path:
    """A studies folder with `ct.nii.gz`, `lesion.jpg` and `scan.png`."""
    folder = tmp_path / "studies"
    folder.mkdir()
    write_nifti(folder / "ct.nii.gz", 40)
    Image.new("RGB", (12, 10), (200, 150, 120)).save(folder / "lesion.jpg")
    Image.new("L", (12, 10), 90).save(folder / "scan.png")
    return folder
