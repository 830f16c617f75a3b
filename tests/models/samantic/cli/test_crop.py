"""`samantic crop` with the smallest network of the kind: what it finds is chance, what becomes of files is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samantic.segsam import TrainingManifest
from samantic.skinphoto.checkpoint import save_skin_photo
from samantic.skinphoto.classes import LESION
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that takes everything for a lesion."""
    torch.manual_seed(0)
    network = SkinPhotoNetwork(SkinPhotoConfig("mobilenet_v2", side=64, decoder_channels=8, atrous_rates=(1, 2, 3)))
    with torch.no_grad():
        network.deeplab.segmentation_head[0].bias[LESION] = 100
    path = tmp_path_factory.mktemp("weights") / "all.safetensors"
    save_skin_photo(network, path, TrainingManifest())
    return path


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (80, 100, 3), np.uint8)
    for name in ("one.png", "two.jpg"):
        Image.fromarray(pixels).save(folder / name)
    return folder


def test_crops_lie_beside_the_photographs(run, photographs: Path, weights: Path):
    code, output = run("crop", photographs, "--model", weights, "--most", 1)
    assert code == 0 and "2 crops of 2 photographs; 0 photographs have none, 0 could not be read." in output
    out = photographs.with_name("photographs-crops")
    assert sorted(path.name for path in (out / "crops").iterdir()) == ["one_png_1.png", "two_jpg_1.jpg"]
    assert (out / "crops.csv").is_file() and (out / "sheet.html").is_file()


def test_a_photograph_that_cannot_be_read_is_named_and_the_others_are_cropped(
    run, photographs: Path, weights: Path, tmp_path: Path
):
    (photographs / "broken.png").write_bytes(b"nothing")
    code, output = run("crop", photographs, "--model", weights, "--out", tmp_path / "out", "--most", 1)
    assert code == 1 and "broken.png: 'broken.png' is not a whole PNG, JPEG or BMP picture" in output
    assert "2 crops of 3 photographs; 0 photographs have none, 1 could not be read." in output


def test_what_cannot_be_is_refused_in_a_sentence(run, photographs: Path, weights: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        ((tmp_path / "nowhere", "--model", weights), "There is no folder"),
        ((tmp_path / "empty", "--model", weights), "There are no photographs"),
        ((photographs, "--model", "segsam"), "'segsam' does not come with this package"),
        ((photographs, "--model", photographs / "none.safetensors"), "cannot be read as a safetensors file"),
        ((photographs, "--skin", 100), "--skin"),
    ):
        code, output = run("crop", *arguments)
        assert code == 2 and said in output.replace("\n", " ")
