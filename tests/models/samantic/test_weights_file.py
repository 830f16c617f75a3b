"""What every network's file has in common: what is written is read, and what is damaged is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from samantic.besadiff import LesionSegmenter, PartError
from samantic.besadiff.generator import LesionGenerator
from samantic.breast import BreastFileError, read_breast
from samantic.bundled import bundled_weights
from samantic.segsam import CheckpointError, load_network
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError, read_skin_photo
from samantic.student import StudentError, load_student
from samantic.weights_file import fill, read_weights, unfit_tensors, write_weights


class OddFileError(ValueError):
    """Of these tests."""


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


HEADER = {"format": "odd/1", "config": "{}"}


def test_numbers_are_written_in_half_and_counters_as_they_are(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    write_weights(network, path, HEADER, beside={"known": torch.ones(3)})
    header, tensors = read_weights(path, "odd/1", "odd network", OddFileError)
    assert header == HEADER
    assert tensors["0.weight"].dtype == torch.float16
    assert tensors["1.num_batches_tracked"].dtype == torch.int64
    assert tensors.pop("known").dtype == torch.float32
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    fill(other, tensors, path.name, OddFileError)
    assert not other.training
    torch.testing.assert_close(other[0].weight, network[0].weight, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("number", [float("nan"), 7e4])
def test_what_nobody_could_read_again_is_not_written(network: nn.Module, number: float, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    write_weights(network, path, HEADER)
    before = path.read_bytes()
    with torch.no_grad():
        network[0].bias[0] = number
    with pytest.raises(ValueError, match=r"'0\.bias' holds numbers that are not finite in torch\.float16"):
        write_weights(network, path, HEADER)
    assert path.read_bytes() == before


def test_a_file_of_another_kind_is_refused_by_the_readers_own_error(network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    write_weights(network, path, HEADER)
    with pytest.raises(OddFileError, match=r"odd\.safetensors is no even network: its format is 'odd/1', not even/1"):
        read_weights(path, "even/1", "even network", OddFileError)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OddFileError, match="cannot be read as a safetensors file"):
        read_weights(path, "odd/1", "odd network", OddFileError)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda tensors: tensors.pop("0.bias"), r"1 of 7 tensors are missing, unknown .* '0\.bias'"),
        (lambda tensors: tensors.update(stranger=torch.zeros(1)), "'stranger'"),
        (
            lambda tensors: tensors["0.weight"].view(-1)[3:4].fill_(float("nan")),
            "'0.weight' holds numbers",
        ),
        (lambda tensors: tensors["0.bias"].fill_(float("inf")), "'0.bias' holds numbers that are not finite"),
    ],
)
def test_weights_that_cannot_be_a_networks_are_refused(
    network: nn.Module, spoil: Callable[[dict[str, torch.Tensor]], object], said: str
) -> None:
    tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    spoil(tensors)
    before = network[0].weight.clone()
    with pytest.raises(OddFileError, match=said):
        fill(network, tensors, "odd.safetensors", OddFileError)
    assert torch.equal(network[0].weight, before)


def test_tensors_do_not_fit_by_name_or_by_shape() -> None:
    found = {"a": torch.zeros(2), "b": torch.zeros(2), "c": torch.zeros(2)}
    assert unfit_tensors(found, {"a": torch.zeros(2), "b": torch.zeros(3), "d": torch.zeros(1)}) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("name", "load", "error"),
    [
        ("segsam-tiny", load_network, CheckpointError),
        ("besadiff-segmenter", LesionSegmenter.load, PartError),
        ("besadiff-generator", LesionGenerator.load, PartError),
        ("breast-ultrasound", read_breast, BreastFileError),
        ("skin-photo", read_skin_photo, SkinPhotoWeightsError),
        ("student-dermoscopy", load_student, StudentError),
    ],
)
def test_no_model_is_loaded_with_a_weight_that_is_no_number(
    name: str, load: Callable[[Path], object], error: type[ValueError], tmp_path: Path
) -> None:
    path = tmp_path / "spoilt.safetensors"
    with safe_open(bundled_weights(name), framework="pt") as stored:
        header = stored.metadata()
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118  not a dict
    spoilt = max((key for key in tensors if key.endswith("weight")), key=lambda key: tensors[key].numel())
    tensors[spoilt].view(-1)[0] = float("nan")
    save_file(tensors, path, metadata=header)
    with pytest.raises(error, match="holds numbers that are not finite"):
        load(path)
