from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import SegSam, SegSamPredictor, ViewPrompts, calibrate, load_network, save_network
from samantic.segsam.calibrate import (
    KNOWN_UNSURE,
    TEMPERATURES,
    UNKNOWN_UNSURE,
    fit_smallest_knownness,
    fit_temperature,
    name_examples,
)
from samantic.segsam.calibration_examples import DomainPictures, Example
from samantic.segsam.checkpoint import load_calibration

CLASSES = {"dermoscopy": "skin_lesion", "ct": "liver"}


def view(domain: str, number: int) -> LabelledView:
    """A disc of the domain's class on noise, (48, 56) pixels."""
    random = np.random.default_rng((number, len(domain)))
    y, x = np.mgrid[:48, :56]
    disc = (y - random.integers(16, 32)) ** 2 + (x - random.integers(16, 40)) ** 2 < 64
    image = np.clip(np.where(disc, 190, 90)[..., None] + random.normal(0, 12, (48, 56, 3)), 0, 255).astype(np.uint8)
    return LabelledView(f"{domain}-{number}", domain, image, disc.astype(np.int16), (CLASSES[domain],))


def views(domain: str, start: int, count: int) -> tuple[LabelledView, ...]:
    return tuple(view(domain, number) for number in range(start, start + count))


def example(of: LabelledView, class_name: str | None, x: float) -> Example:
    return Example(of, of.labels > 0, class_name, ViewPrompts(np.array([(x, 20.0)]), np.array([1])))


@pytest.fixture
def two_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two domains of eight drawn pictures each stand for the public sets."""
    monkeypatch.setattr(
        calibrate,
        "domain_pictures",
        lambda *_: {name: DomainPictures(views(name, 0, 8), views(name, 50, 8)) for name in CLASSES},
    )
    monkeypatch.setattr(calibrate, "OUTLIERS", 6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5, 6.0])
def test_the_temperature_that_blurred_the_answers_is_found(temperature: float):
    random = np.random.default_rng(0)
    logits = random.normal(0, 4, (20_000, 6))
    likely = softmax(logits / temperature, axis=1)
    truth = (random.random((len(logits), 1)) > likely.cumsum(axis=1)).sum(axis=1).clip(max=5)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.06)


def test_names_that_are_all_right_do_not_make_the_temperature_vanish():
    logits = np.eye(4)[np.arange(100) % 4]
    assert TEMPERATURES[0] <= fit_temperature(logits, np.arange(100) % 4) < TEMPERATURES[0] * 1.1


def test_answers_that_say_nothing_keep_the_temperature_in_its_bounds():
    logits = np.random.default_rng(0).normal(0, 1, (500, 4))
    assert 1 < fit_temperature(logits, np.random.default_rng(1).integers(0, 4, 500)) <= TEMPERATURES[1]


def test_no_more_known_objects_are_unsure_than_allowed():
    random = np.random.default_rng(0)
    known, unknown = random.uniform(0.4, 1.0, 1000), random.uniform(0.3, 1.0, 500)
    threshold = fit_smallest_knownness(known, unknown)
    assert (known < threshold).mean() == pytest.approx(KNOWN_UNSURE, abs=0.01)
    assert (unknown < threshold).mean() < UNKNOWN_UNSURE


def test_where_the_unknown_are_easily_told_fewer_known_objects_are_unsure():
    random = np.random.default_rng(0)
    known, unknown = random.uniform(0.4, 1.0, 1000), random.uniform(0.0, 0.42, 500)
    threshold = fit_smallest_knownness(known, unknown)
    assert (unknown < threshold).mean() == pytest.approx(UNKNOWN_UNSURE, abs=0.01)
    assert (known < threshold).mean() < KNOWN_UNSURE


def test_without_unknown_objects_the_known_ones_decide():
    known = np.linspace(0, 1, 101)
    assert fit_smallest_knownness(known, np.zeros(0)) == pytest.approx(KNOWN_UNSURE)


def test_the_evidence_of_every_example_is_its_own(predictor: SegSamPredictor):
    first, second = view("dermoscopy", 0), view("ct", 1)
    examples = [example(first, "skin_lesion", 20), example(second, "liver", 30), example(first, None, 40)]
    named = name_examples(predictor, examples)
    assert named.class_logits.shape == (3, len(predictor.class_names))
    # Examples of one picture come together.
    for row, one in enumerate((examples[0], examples[2], examples[1])):
        (answer,) = predictor.decode(predictor.encode(one.view.image), [one.prompts])
        probabilities = softmax(named.class_logits[row])
        assert probabilities.max() == pytest.approx(answer.class_confidence, abs=1e-4)
        expected = -1 if one.class_name is None else predictor.class_names.index(one.class_name)
        assert named.class_index[row] == expected
    assert ((named.background_shares >= 0) & (named.background_shares <= 1)).all()


def test_without_examples_there_is_no_evidence(predictor: SegSamPredictor):
    named = name_examples(predictor, [])
    assert named.class_logits.shape == (0, len(predictor.class_names))
    assert len(named.background_shares) == len(named.class_index) == 0


@pytest.mark.usefixtures("two_domains")
def test_calibrating_leaves_the_weights_alone_and_the_answers_say_more(network: SegSam, tmp_path: Path):
    weights, output = tmp_path / "weights.safetensors", tmp_path / "calibrated.safetensors"
    save_network(network, weights)
    before = weights.read_bytes()
    calibration = calibrate.calibrate_checkpoint(weights, tmp_path, output)
    assert weights.read_bytes() == before
    assert set(calibration.domains) == set(CLASSES)
    loaded = load_calibration(output)
    assert loaded is not None
    assert loaded.domains == calibration.domains
    plain, calibrated = load_network(weights).state_dict(), load_network(output).state_dict()
    assert all(torch.equal(calibrated[name], tensor) for name, tensor in plain.items())
    predictor = SegSamPredictor.from_checkpoint(output, "cpu")
    held_out = view("ct", 55)
    (answer,) = predictor.decode(predictor.encode(held_out.image), [example(held_out, "liver", 30).prompts])
    assert answer.unsure in (True, False)
    assert answer.familiarity is not None
    assert answer.familiarity.domain in CLASSES


@pytest.mark.usefixtures("two_domains")
def test_calibrating_twice_gives_the_same(network: SegSam, tmp_path: Path):
    save_network(network, tmp_path / "weights.safetensors")
    one, two = (
        calibrate.calibrate_checkpoint(tmp_path / "weights.safetensors", tmp_path, tmp_path / "calibrated.safetensors")
        for _ in range(2)
    )
    assert one.domains == two.domains
    for name, tensor in one.tensors().items():
        assert torch.equal(two.tensors()[name], tensor), name


@pytest.mark.usefixtures("two_domains")
def test_the_command_line_says_what_it_found(
    network: SegSam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    weights, output = tmp_path / "weights.safetensors", tmp_path / "calibrated.safetensors"
    save_network(network, weights)
    monkeypatch.setattr(calibrate, "data_folder", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", ["calibrate", str(weights), "-o", str(output)])
    calibrate.main()
    printed = capsys.readouterr().out
    assert "ct: temperature" in printed
    assert f"Written: {output}" in printed


def test_a_network_that_names_nothing_cannot_be_calibrated(network: SegSam, tmp_path: Path):
    nameless = SegSam(replace(network.config, so_token=False, co_tokens=False, text_to_vision=False))
    save_network(nameless, tmp_path / "nameless.safetensors")
    with pytest.raises(ValueError, match=r"nameless\.safetensors names no objects"):
        calibrate.calibrate_checkpoint(tmp_path / "nameless.safetensors", tmp_path, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
