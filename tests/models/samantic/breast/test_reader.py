"""From a picture to an answer, and from a file to a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from samantic.breast import BreastCalibration, BreastFileError, BreastReader, read_breast, save_breast
from samantic.breast.squares import grey_square, has_colours
from samantic.breast.training.calibrate import calibrate
from samantic.breast.training.examples import BreastExample
from samantic.evaluation import dice
from samantic.segsam.outlier_pictures import outlier_picture

Breasts = Callable[..., list[BreastExample]]


@pytest.fixture(scope="module")
def reader(a_trained_breast: Path) -> BreastReader:
    return BreastReader.load(a_trained_breast, "cpu")


def test_it_outlines_lesions_names_them_and_looks_at_them(reader: BreastReader, breasts: Breasts):
    examples = breasts(12, seed=3)
    answers = [reader.read(example.image) for example in examples]
    kinds = [example.image_id.split("_")[0] for example in examples]
    lesions = [(one, example) for one, example in zip(answers, examples, strict=True) if example.mask.any()]
    assert np.mean([dice(one.mask, example.mask) for one, example in lesions]) > 0.75
    assert np.mean([one.diagnosis == kind for one, kind in zip(answers, kinds, strict=True)]) > 0.8
    for one, example in lesions:
        assert one.mask.shape == one.attention.shape == (60, 80)
        assert one.diagnosis_probabilities.sum() == pytest.approx(1)
        assert one.attention[example.mask].mean() > 2 * one.attention[~example.mask].mean()


def test_a_mirrored_picture_has_the_mirrored_answer(reader: BreastReader, breasts: Breasts):
    image = breasts(2, seed=5)[1].image
    one, other = reader.read(image), reader.read(np.ascontiguousarray(image[:, ::-1]))
    np.testing.assert_allclose(one.probability, other.probability[:, ::-1], atol=2e-3)
    np.testing.assert_allclose(one.diagnosis_probabilities, other.diagnosis_probabilities, atol=2e-3)


def test_gain_and_a_burned_in_tint_do_not_matter(reader: BreastReader, breasts: Breasts):
    image = breasts(2, seed=6)[1].image
    darker = (image * 0.5).astype(np.uint8)
    assert dice(reader.read(image).mask, reader.read(darker).mask) > 0.97


def test_an_answer_that_contradicts_itself_is_unsure(reader: BreastReader, breasts: Breasts):
    answer = reader.read(breasts(2, seed=7)[1].image)
    sure = replace(answer, diagnosis_probabilities=np.array([0.02, 0.95, 0.03]))
    assert not sure.unsure and sure.diagnosis == "benign"
    assert replace(sure, mask=np.zeros_like(sure.mask)).unsure
    assert replace(sure, diagnosis_probabilities=np.array([0.9, 0.06, 0.04])).unsure
    assert replace(sure, diagnosis_probabilities=np.array([0.0, 0.55, 0.45])).unsure
    assert replace(sure, diagnosis_probabilities=np.full(3, np.nan)).unsure


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(reader: BreastReader, image: np.ndarray):
    with pytest.raises(ValueError, match="must be"):
        reader.read(image)


def test_a_flat_picture_is_read_without_dividing_by_its_contrast():
    assert torch.isfinite(grey_square(np.full((9, 7, 3), 255, np.uint8), 64)).all()


def test_colours_are_seen(breasts: Breasts):
    grey = breasts(2)[1].image
    burned_in = grey.copy()
    burned_in[:20, :20] = (250, 120, 10)
    assert not has_colours(grey) and not has_colours(burned_in)
    assert has_colours(np.full((20, 20, 3), (222, 178, 150), np.uint8))


class TestCalibration:
    @pytest.fixture(scope="class")
    def validation(self, breasts: Breasts) -> list[BreastExample]:
        """One of five is called what it is not: who is always right can be as sure as can be."""
        examples = breasts(30, seed=21)
        return [
            replace(one, possible=(*one.possible[1:], one.possible[0])) if place % 5 == 0 else one
            for place, one in enumerate(examples)
        ]

    @pytest.fixture(scope="class")
    def calibration(self, reader: BreastReader, breasts: Breasts, validation) -> BreastCalibration:
        return calibrate(reader.network, breasts(60, seed=20), validation)

    def test_the_temperature_is_the_likeliest(self, reader: BreastReader, validation, calibration):
        def loss(temperature: float) -> float:
            told = BreastReader(reader.network, BreastCalibration(temperature, None), device="cpu")
            return -np.mean(
                [
                    np.log(told.read(example.image).diagnosis_probabilities[example.possible.index(True)] + 1e-12)
                    for example in validation
                ]
            )

        at = calibration.temperature
        assert loss(at) <= loss(at * 1.3) + 1e-6 and loss(at) <= loss(at / 1.3) + 1e-6

    def test_pictures_of_the_kind_are_familiar_and_others_are_not(self, reader, breasts: Breasts, calibration):
        told = BreastReader(reader.network, calibration, device="cpu")
        own = [told.read(example.image).out_of_domain for example in breasts(30, seed=22)]
        random = np.random.default_rng(99)
        others = [told.read(outlier_picture(random)) for _ in range(20)]
        assert np.mean(own) < 0.25
        assert np.mean([one.out_of_domain for one in others]) > 0.75
        assert all(one.unsure for one in others if one.out_of_domain)

    def test_it_travels_with_the_weights(self, reader: BreastReader, breasts: Breasts, calibration, tmp_path: Path):
        save_breast(reader.network, tmp_path / "one.safetensors", manifest=None, calibration=calibration)
        told = BreastReader.load(tmp_path / "one.safetensors", "cpu")
        image = breasts(2, seed=8)[1].image
        again, before = told.read(image), BreastReader(reader.network, calibration, device="cpu").read(image)
        np.testing.assert_allclose(again.diagnosis_probabilities, before.diagnosis_probabilities)
        assert again.familiarity.distance == pytest.approx(before.familiarity.distance, rel=1e-3)


class TestDamagedFiles:
    def test_what_is_no_network_is_said(self, tmp_path: Path, write_breast: Callable[..., Path]):
        (tmp_path / "text.safetensors").write_bytes(b"no weights")
        with pytest.raises(BreastFileError, match="cannot be read as a safetensors file"):
            read_breast(tmp_path / "text.safetensors")
        whole = write_breast(tmp_path / "whole.safetensors")
        (tmp_path / "half.safetensors").write_bytes(whole.read_bytes()[:-5000])
        with pytest.raises(BreastFileError, match="cannot be read"):
            read_breast(tmp_path / "half.safetensors")
        save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors", metadata={"format": "samantic.segsam/1"})
        with pytest.raises(BreastFileError, match="no network for breast ultrasound"):
            read_breast(tmp_path / "other.safetensors")

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda t: t.pop("encoder.neck.bias"), r"1 of \d+ tensors are missing"),
            (lambda t: t["encoder.neck.bias"].fill_(float("nan")), "not finite"),
            (lambda t: t.update(stranger=torch.zeros(2)), "'stranger'"),
        ],
    )
    def test_weights_that_do_not_fit_are_refused(self, tmp_path: Path, write_breast, spoil, said: str):
        path = write_breast(tmp_path / "one.safetensors")
        tensors = load_file(path)
        spoil(tensors)
        config = read_breast(path).network.config.to_json()
        save_file(tensors, path, metadata={"format": "samantic.breast/1", "config": config})
        with pytest.raises(BreastFileError, match=said):
            read_breast(path)

    @pytest.mark.parametrize("config", ["{", '{"head": "none"}', '{"depth": 3}', "[]"])
    def test_a_configuration_that_cannot_be_is_refused(self, tmp_path: Path, config: str):
        save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors", {"format": "samantic.breast/1", "config": config})
        with pytest.raises(BreastFileError, match="header of x"):
            read_breast(tmp_path / "x.safetensors")
