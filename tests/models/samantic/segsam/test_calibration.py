from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from samantic.segsam import CheckpointError, SegSam, SegSamPredictor, load_network, save_network
from samantic.segsam.calibration import Calibration, DomainCalibration
from samantic.segsam.checkpoint import load_calibration, write_calibrated

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def calibration(calibrated: Any, predictor: SegSamPredictor) -> Calibration:
    drawn = calibrated(predictor).calibration
    return Calibration({"ct": DomainCalibration(1.7, 0.31)}, drawn.familiarity)


@pytest.fixture
def weights(network: SegSam, tmp_path: Path) -> Path:
    save_network(network, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


@pytest.fixture
def calibrated_weights(weights: Path, calibration: Calibration, tmp_path: Path) -> Path:
    write_calibrated(weights, calibration, tmp_path / "calibrated.safetensors")
    return tmp_path / "calibrated.safetensors"


def hostile(path: Path, text: str | None = None, **tensors: torch.Tensor) -> None:
    """Write other calibration metadata or tensors into a checkpoint."""
    with safe_open(path, framework="pt") as stored:
        metadata = stored.metadata()
        everything = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  not a dict
    changed = {f"familiarity.{name}": tensor for name, tensor in tensors.items()}
    save_file(everything | changed, path, metadata if text is None else metadata | {"calibration": text})


def test_a_calibration_comes_back_from_the_file(calibrated_weights: Path, calibration: Calibration):
    loaded = load_calibration(calibrated_weights)
    assert loaded is not None
    assert loaded.domains == calibration.domains
    for name, tensor in calibration.tensors().items():
        assert torch.equal(loaded.tensors()[name], tensor), name


def test_every_domain_keeps_its_own_statistics(weights: Path, calibration: Calibration, tmp_path: Path):
    names = ("mr", "dermoscopy", "ct")  # in no order of the alphabet
    one = calibration.familiarity
    stacked = {
        name: np.concatenate([getattr(one, name) * factor for factor in (1, 2, 3)])
        for name in ("means", "precisions", "residuals", "outlier_thresholds", "distance_thresholds")
    }
    biases, weight = np.array([0.0, 0.0, 9.0, 0.0]), np.zeros((len(one.centre), 4))
    familiarity = replace(one, domains=names, biases=biases, weights=weight, **stacked)
    domains = {name: DomainCalibration(factor, factor / 10) for factor, name in enumerate(names, start=1)}
    write_calibrated(weights, Calibration(domains, familiarity), tmp_path / "calibrated.safetensors")
    loaded = load_calibration(tmp_path / "calibrated.safetensors")
    assert loaded is not None
    assert loaded.domains == domains
    ((found,), _) = loaded.familiarity.measured(np.zeros((1, len(one.centre))))
    assert loaded.familiarity.domains[found] == "ct"


def test_domains_in_another_order_than_their_statistics_are_refused(calibration: Calibration):
    with pytest.raises(ValueError, match="the same in the same order"):
        Calibration({"mr": DomainCalibration(1.0, 0.5)}, calibration.familiarity)


def test_the_network_is_bit_for_bit_the_same_with_its_calibration(weights: Path, calibrated_weights: Path):
    plain, calibrated = load_network(weights), load_network(calibrated_weights)
    assert plain.config == calibrated.config
    expected, found = plain.state_dict(), calibrated.state_dict()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


def test_the_masks_are_the_same_and_the_answer_says_more(weights: Path, calibrated_weights: Path, clicked):
    plain, calibrated = (SegSamPredictor.from_checkpoint(path, "cpu") for path in (weights, calibrated_weights))
    (before,) = plain.decode(plain.encode(PICTURE), [clicked((30, 20))])
    (after,) = calibrated.decode(calibrated.encode(PICTURE), [clicked((30, 20))])
    np.testing.assert_array_equal(before.mask_logits, after.mask_logits)
    assert (before.unsure, before.familiarity) == (None, None)
    assert after.unsure in (True, False)
    assert after.familiarity is not None
    assert after.familiarity.domain == "ct"


def test_calibrating_again_replaces_the_calibration(calibrated_weights: Path, calibration: Calibration, tmp_path: Path):
    other = Calibration({"ct": DomainCalibration(0.9, 0.2)}, calibration.familiarity)
    write_calibrated(calibrated_weights, other, tmp_path / "again.safetensors")
    loaded = load_calibration(tmp_path / "again.safetensors")
    assert loaded is not None
    assert loaded.domains == other.domains
    load_network(tmp_path / "again.safetensors")


def test_weights_that_were_never_calibrated_have_none(weights: Path):
    assert load_calibration(weights) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "cannot be used"),
        ("[" * 100_000, "cannot be used"),
        ("[]", "names no domains"),
        ("{}", "names no domains"),
        ('{"ct": 3}', "'ct' must hold temperature and smallest_knownness"),
        ('{"ct": {"temperature": 1}}', "'ct' must hold temperature and smallest_knownness"),
        ('{"ct": {"temperature": null, "smallest_knownness": 0.3}}', "cannot be used"),
        ('{"ct": {"temperature": "hot", "smallest_knownness": 0.3}}', "cannot be used"),
        ('{"ct": {"temperature": [1], "smallest_knownness": 0.3}}', "cannot be used"),
        ('{"ct": {"temperature": 0, "smallest_knownness": 0.3}}', "calibration of 'ct' holds"),
        ('{"ct": {"temperature": -1, "smallest_knownness": 0.3}}', "calibration of 'ct' holds"),
        ('{"ct": {"temperature": NaN, "smallest_knownness": 0.3}}', "calibration of 'ct' holds"),
        ('{"ct": {"temperature": Infinity, "smallest_knownness": 0.3}}', "calibration of 'ct' holds"),
        ('{"ct": {"temperature": 1, "smallest_knownness": NaN}}', "calibration of 'ct' holds"),
        (json.dumps({name: {"temperature": 1, "smallest_knownness": 0.3} for name in ("ct", "mr")}), "has shape"),
    ],
    ids=lambda value: value[:60],
)
def test_hostile_metadata_is_refused_and_the_file_named(calibrated_weights: Path, text: str, complaint: str):
    hostile(calibrated_weights, text)
    with pytest.raises(CheckpointError, match=complaint) as refused:
        load_calibration(calibrated_weights)
    assert "calibrated.safetensors" in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("value", [torch.zeros(3), torch.full((4,), torch.inf), torch.zeros(2, 2)])
def test_hostile_tensors_are_refused(calibrated_weights: Path, value: torch.Tensor):
    hostile(calibrated_weights, centre=value)
    with pytest.raises(CheckpointError, match=r"calibrated\.safetensors cannot be used: its familiarity"):
        load_calibration(calibrated_weights)


def test_a_calibration_without_its_tensors_is_refused(weights: Path, calibration: Calibration):
    hostile(weights, calibration.to_json())
    with pytest.raises(CheckpointError, match="familiarity lacks"):
        load_calibration(weights)
