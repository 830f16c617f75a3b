"""`samantic models adopt`: published weights become a SEG-SAM checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from segment_anything.modeling import Sam

from samantic.sam import Checkpoint, zoo
from samantic.segsam import load_network

pytestmark = pytest.mark.usefixtures("small_vits")


@pytest.fixture
def published(small_sam: Sam, tmp_path: Path) -> Path:
    torch.save(small_sam.state_dict(), tmp_path / "sam.pth")
    return tmp_path / "sam.pth"


def test_a_file_becomes_a_checkpoint_that_segments_and_names_nothing(published, run, small_sam, tmp_path):
    output = tmp_path / "adopted.safetensors"
    code, text = run("models", "adopt", published, "-o", output, "--encoder", "small_vit")
    assert code == 0, text
    assert "tensors of sam.pth, encoder small_vit" in text
    assert "names nothing until it is trained" in text
    network = load_network(output)
    assert network.semantic_decoder is None and network.config.class_names == ()
    found = network.state_dict()
    for name, tensor in small_sam.state_dict().items():
        assert torch.equal(found[f"encoder.{name}" if name.startswith("image_encoder.") else name], tensor), name


def test_a_name_of_the_zoo_is_found_verified_and_given_its_own_encoder(published, run, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMANTIC_WEIGHTS", str(tmp_path))
    size = published.stat().st_size
    known = Checkpoint("a_medsam", "MedSAM", "small_medsam", "sam.pth", ("https://x/",), size, "0" * 64, "MIT", "here")
    monkeypatch.setattr(zoo, "load_zoo", lambda: (known,))
    code, text = run("models", "adopt", "a_medsam", "-o", tmp_path / "adopted.safetensors")
    assert code == 1 and "SHA-256 " + "0" * 64 in text
    right = Checkpoint(**{**vars(known), "sha256": None})
    monkeypatch.setattr(zoo, "load_zoo", lambda: (right,))
    code, text = run("models", "adopt", "a_medsam", "-o", tmp_path / "adopted.safetensors")
    assert code == 0, text
    assert load_network(tmp_path / "adopted.safetensors").config.encoder == "small_medsam"


@pytest.mark.parametrize(
    ("source", "output", "sentence"),
    [
        ("sam_vit_b", "a.safetensors", "`samantic models download sam_vit_b` fetches it"),
        ("sam_vit_x", "a.safetensors", "did you mean sam_vit_"),
        ("nowhere.pth", "a.safetensors", "nowhere.pth cannot be read: No such file"),
        ("sam.pth", "a.pth", "A SEG-SAM checkpoint ends in .safetensors, unlike a.pth"),
        ("sam.pth", "a.safetensors", "not SAM's vit_b, vit_l or vit_h"),
    ],
)
def test_what_cannot_be_adopted_is_one_sentence(source, output, sentence, published, run, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SAMANTIC_WEIGHTS", raising=False)
    monkeypatch.chdir(published.parent)
    code, text = run("models", "adopt", source, "-o", output)
    assert code == 1
    assert sentence in text and "Traceback" not in text
    assert not (tmp_path / output).exists()
