from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from samantic.segsam import CheckpointError, SegSam, load_network, save_network
from samantic.segsam.checkpoint import FORMAT, file_hash


@pytest.fixture
def checkpoint(network: SegSam, tmp_path: Path) -> Path:
    save_network(network, tmp_path / "network.safetensors")
    return tmp_path / "network.safetensors"


def test_a_network_comes_back_within_half_precision(network: SegSam, checkpoint: Path):
    network.train()
    loaded = load_network(checkpoint)
    assert loaded.config == network.config
    assert not loaded.training
    expected, found = network.state_dict(), loaded.state_dict()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor.half().float()), name


def test_a_network_kept_in_single_precision_comes_back_exactly(network: SegSam, tmp_path: Path):
    save_network(network, tmp_path / "network.safetensors", dtype=torch.float32)
    loaded = load_network(tmp_path / "network.safetensors")
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_the_text_of_the_classes_travels_with_the_weights(network: SegSam, checkpoint: Path):
    assert network.text_embeddings.abs().max() > 0.01
    assert torch.equal(load_network(checkpoint).text_embeddings, network.text_embeddings.half().float())


def test_the_hash_is_that_of_the_file(checkpoint: Path):
    assert file_hash(checkpoint) == hashlib.sha256(checkpoint.read_bytes()).hexdigest()


def test_saving_replaces_the_file_and_leaves_nothing_else(network: SegSam, checkpoint: Path):
    before = checkpoint.read_bytes()
    with torch.no_grad():
        network.mask_decoder.iou_token.weight.add_(1)
    save_network(network, checkpoint)
    assert checkpoint.read_bytes() != before
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"missing\.safetensors cannot be read"):
        load_network(tmp_path / "missing.safetensors")


@pytest.mark.parametrize("kept", [0, 4, 100, -1000, -1])
def test_a_truncated_file_is_an_error_that_names_it(kept: int, checkpoint: Path):
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"network\.safetensors cannot be read as a safetensors file"):
        load_network(checkpoint)


@pytest.mark.parametrize("content", [b"\xff" * 4096, b"\0" * 4096, b"PK\x03\x04" + b"\0" * 400, b"not a checkpoint"])
def test_a_damaged_file_is_an_error_that_names_it(content: bytes, checkpoint: Path):
    checkpoint.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"network\.safetensors cannot be read"):
        load_network(checkpoint)


def test_weights_of_another_program_are_refused(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match=r"other\.safetensors is no SEG-SAM checkpoint"):
        load_network(path)
    save_file({"weight": torch.zeros(3)}, path, metadata={"format": "samantic.segsam/99"})
    with pytest.raises(CheckpointError, match=r"samantic\.segsam/99"):
        load_network(path)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"config": "{"}, {"config": "[]"}, {"config": "{}"}, {"config": '{"class_names": ["liver"], "colour": 3}'}],
)
def test_a_configuration_that_cannot_be_read_is_an_error_that_names_the_file(metadata: dict[str, str], tmp_path: Path):
    path = tmp_path / "network.safetensors"
    save_file({"weight": torch.zeros(3)}, path, metadata={"format": FORMAT, **metadata})
    with pytest.raises(CheckpointError, match=r"configuration in network\.safetensors cannot be read"):
        load_network(path)


def test_an_encoder_of_another_version_is_an_error_that_lists_those_there_are(tmp_path: Path):
    path = tmp_path / "network.safetensors"
    config = '{"class_names": ["liver"], "encoder": "huge"}'
    save_file({"weight": torch.zeros(3)}, path, metadata={"format": FORMAT, "config": config})
    with pytest.raises(CheckpointError, match=r"'huge'.*tiny, vit_b"):
        load_network(path)


def test_weights_that_do_not_fit_the_configuration_are_refused(network: SegSam, tmp_path: Path):
    path = tmp_path / "network.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    tensors.pop("mask_decoder.iou_token.weight")
    tensors["mask_decoder.mask_tokens.weight"] = torch.zeros(4, 7)
    save_file(tensors, path, metadata={"format": FORMAT, "config": network.config.to_json()})
    with pytest.raises(
        CheckpointError,
        match=r"does not fit its own configuration: 2 of \d+ tensors .* 'mask_decoder\.iou_token\.weight'",
    ):
        load_network(path)


class _Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("write", [torch.save, lambda value, path: Path(path).write_bytes(pickle.dumps(value))])
def test_a_pickle_is_refused_and_never_run(write, tmp_path: Path):
    path, trace = tmp_path / "network.safetensors", tmp_path / "was_run"
    write({"weight": _Payload(trace)}, path)
    with pytest.raises(CheckpointError, match="cannot be read as a safetensors file"):
        load_network(path)
    assert not trace.exists()
