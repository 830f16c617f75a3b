from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.imaging import Volume
from samantic.vocabulary import load_vocabulary

AFFINE = np.array([[-0.8, 0, 0, 100], [0, -0.8, 0, 120], [0, 0, 2.5, -300], [0, 0, 0, 1]])


@pytest.fixture
def a_volume() -> Volume:
    generator = np.random.default_rng(7)
    return Volume(generator.normal(40, 200, (48, 40, 12)).astype(np.int16), AFFINE, "CT")


@pytest.fixture
def a_photograph() -> Volume:
    generator = np.random.default_rng(8)
    return Volume(
        generator.integers(0, 255, (60, 44, 1, 3), dtype=np.uint8), np.diag([-1.0, -1, 1, 1]), "RGB", "photograph"
    )


@pytest.fixture
def a_choice() -> ClassChoice:
    return ClassChoice(load_vocabulary(), ("liver", "spleen", "kidney_left", "kidney_right", "skin_lesion"))


@pytest.fixture
def a_ct_file(tmp_path: Path, a_volume: Volume) -> Path:
    path = tmp_path / "ct.nii.gz"
    nibabel.save(nibabel.Nifti1Image(a_volume.array, a_volume.affine), path)
    return path


@pytest.fixture
def a_jpeg_file(tmp_path: Path, a_photograph: Volume) -> Path:
    path = tmp_path / "photo.jpg"
    Image.fromarray(a_photograph.array[:, :, 0].transpose(1, 0, 2)).save(path)
    return path
