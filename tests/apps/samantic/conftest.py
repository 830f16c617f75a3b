"""Small studies folders for tests of the server's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image

from samantic.sam.registry import ENCODERS
from samantic.sam.tiny_encoder import TinyEncoder
from samantic.segsam import SegSam, SegSamConfig
from samantic.segsam.checkpoint import save_network
from samantic.training.model_store import ModelStore

CLASS_NAMES = ("liver", "spleen", "skin_lesion")


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


@pytest.fixture(scope="session")
def small_encoder() -> Iterator[str]:
    """An encoder like `tiny`, sixteen times smaller, under the name "small"."""
    build = partial(TinyEncoder, image_size=64, embedding_dim=64, widths=(8, 16, 32, 64), depths=(1, 1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, "small", build)
        yield "small"


@pytest.fixture(scope="session")
def write_weights(small_encoder: str) -> Callable[..., Path]:
    """Writes weights of a network of the given classes, other weights for every seed."""

    def write(path: Path, class_names: tuple[str, ...] = CLASS_NAMES, seed: int = 0) -> Path:
        torch.manual_seed(seed)
        save_network(SegSam(SegSamConfig(class_names, encoder=small_encoder, transformer_mlp_dim=64)).eval(), path)
        return path

    return write


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, write_weights: Callable[..., Path]) -> Path:
    """The weights before anything was published."""
    return write_weights(tmp_path_factory.mktemp("weights") / "start.safetensors")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store of published weights in which nothing is yet."""
    return ModelStore(tmp_path / "published")
