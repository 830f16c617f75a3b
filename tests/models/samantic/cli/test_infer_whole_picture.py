"""`samantic infer --model FILE` with a tiny network for breast ultrasound and one for photographs of skin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samantic.breast import BreastConfig, BreastNetwork, save_breast
from samantic.segsam import TrainingManifest
from samantic.skinphoto.checkpoint import save_skin_photo
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork

Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A random network of each kind."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    save_breast(BreastNetwork(BreastConfig(image_size=64, hidden=32)), folder / "b.safetensors", manifest=None)
    skin = SkinPhotoConfig("mobilenet_v2", side=64, decoder_channels=16, atrous_rates=(1, 2, 3), norm="instance")
    save_skin_photo(SkinPhotoNetwork(skin), folder / "s.safetensors", TrainingManifest())
    return {"breast": folder / "b.safetensors", "skin": folder / "s.safetensors"}


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "arm.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "scan.png")
    return {"skin": tmp_path / "arm.png", "breast": tmp_path / "scan.png"}


@pytest.mark.parametrize(("kind", "told"), [("breast", "benign"), ("skin", "of the photograph")])
def test_a_file_of_weights_is_known_by_its_header(
    run: Run, files: dict[str, Path], pictures: dict[str, Path], tmp_path: Path, kind: str, told: str
):
    mask, overlay = tmp_path / "mask.png", tmp_path / "overlay.png"
    code, output = run("infer", pictures[kind], "--model", files[kind], "-o", mask, "--overlay", overlay)
    assert code == 0, output
    assert told in output and overlay.exists() and np.asarray(Image.open(mask)).shape == (40, 60)


@pytest.mark.parametrize(
    ("kind", "name", "module"),
    [("breast", "breast", "breast-ultrasound"), ("skin", "skin_photo", "skin-photo")],
)
def test_the_servers_name_and_the_bundled_one_mean_the_same(
    run: Run,
    files: dict[str, Path],
    pictures: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    module: str,
):
    asked: list[str] = []
    monkeypatch.setattr("samantic.cli.weights_kind.bundled_weights", lambda name: asked.append(name) or files[kind])
    for model in (name, module):
        assert run("infer", pictures[kind], "--model", model)[0] == 0
    assert asked == [module, module]


@pytest.mark.parametrize(
    ("kind", "image", "arguments", "told"),
    [
        ("breast", "skin", (), "is a picture in colours"),
        ("breast", "breast", ("--point", "3,4"), "takes no points"),
        ("skin", "skin", ("--box", "1,9,1,9"), "takes no points"),
        ("skin", "skin", ("--classes", "liver"), "does not know the class 'liver'"),
    ],
)
def test_what_they_cannot_do_is_refused(
    run: Run, files: dict[str, Path], pictures: dict[str, Path], kind: str, image: str, arguments: tuple, told: str
):
    code, output = run("infer", pictures[image], "--model", files[kind], *arguments)
    assert code == 2 and told in output


def test_a_volume_is_refused(run: Run, files: dict[str, Path], ct: Path):
    for path in files.values():
        code, output = run("infer", ct, "--model", path)
        assert code == 2 and "is no single picture" in output


def test_weights_for_a_server_are_given_by_the_name_of_the_model(run: Run, tmp_path: Path, monkeypatch):
    given = {}
    monkeypatch.setattr("samantic.app.launch.serve", lambda _s, _h, _p, conf, _home: given.update(conf))
    code, output = run("serve", tmp_path, "--weights", "breast=/b.safetensors", "--weights", "segsam=/s.safetensors")
    assert code == 0, output
    assert given == {
        "models": "all",
        "breast_weights": "/b.safetensors",
        "initial_weights": "/s.safetensors",
    }
    code, output = run("serve", tmp_path, "--weights", "breast")
    assert code == 2 and "MODEL=FILE" in output
