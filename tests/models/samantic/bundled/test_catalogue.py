from __future__ import annotations

import numpy as np
import pytest

from samantic.bundled import bundled_models, bundled_weights, model_card
from samantic.bundled.catalogue import NAMES
from samantic.datasets.phantoms import Phantom, make_dermoscopy, make_ultrasound
from samantic.evaluation import dice
from samantic.imaging import SliceView, Volume, to_uint8, window_for
from samantic.segsam import SegSamPredictor, ViewPrompts
from samantic.vocabulary import load_vocabulary


def test_a_model_that_does_not_come_along_is_refused_listing_those_that_do():
    for ask in (bundled_weights, model_card, SegSamPredictor.from_bundled):
        with pytest.raises(ValueError, match=r"'segsam-giant' does not come with this package.*segsam-tiny"):
            ask("segsam-giant")


@pytest.mark.parametrize("name", ["../segsam-tiny", "", ".", "segsam-tiny.safetensors"])
def test_a_name_is_no_path(name: str):
    with pytest.raises(ValueError, match="does not come with this package"):
        bundled_weights(name)


def test_the_weights_of_every_name_are_there():
    assert bundled_models() == NAMES


def test_weights_that_are_missing_are_said_to_be(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("samantic.bundled.catalogue.bundled_models", lambda: ("segsam-tiny",))
    with pytest.raises(ValueError, match="The weights of 'besadiff-segmenter' are missing from this package"):
        bundled_weights("besadiff-segmenter")


def test_every_model_has_weights_small_enough_to_come_along_and_a_card_of_its_own():
    assert "segsam-tiny" in bundled_models()
    for name in bundled_models():
        assert 1_000_000 < bundled_weights(name).stat().st_size < 30_000_000
        assert model_card(name)["name"] == name


class TestTiny:
    @pytest.fixture(scope="class")
    def predictor(self) -> SegSamPredictor:
        return SegSamPredictor.from_bundled("segsam-tiny", device="cpu")

    def test_every_class_that_it_names_is_in_the_vocabulary(self, predictor: SegSamPredictor):
        vocabulary = load_vocabulary()
        assert all(name in vocabulary for name in predictor.class_names)
        assert {"skin_lesion", "breast_lesion", "hippocampus_anterior", "liver"} <= set(predictor.class_names)

    def test_its_weights_are_finite(self, predictor: SegSamPredictor):
        assert all(tensor.isfinite().all() for tensor in predictor.network.state_dict().values())

    @pytest.mark.parametrize("number", [1, 2, 3])
    @pytest.mark.parametrize("make", [make_dermoscopy, make_ultrasound])
    def test_a_box_around_a_made_up_lesion_finds_it_and_names_it(self, make, number: int, predictor: SegSamPredictor):
        phantom: Phantom = make(number)
        volume = Volume(phantom.image, phantom.affine, phantom.modality, "photograph")
        view = SliceView.of(volume, 2, 0)
        truth = view.extract(phantom.truth) == 1
        rows, columns = np.nonzero(truth)
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        features = predictor.encode(to_uint8(view.extract(volume.array), window_for(volume)), view.spacing_yx_mm)
        prompts = ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=int), box)
        (answer,) = predictor.decode(features, [prompts], classes=["skin_lesion", "breast_lesion"])
        assert dice(answer.mask, truth) > 0.8
        assert answer.predicted_class == phantom.names[1]
