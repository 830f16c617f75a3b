from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.segsam import TrainingManifest, file_hash
from samantic.skinphoto.checkpoint import SkinPhotoWeightsError, read_skin_photo, save_skin_photo
from samantic.skinphoto.classes import BACKGROUND, LESION, SKIN
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork
from samantic.skinphoto.segmenter import SkinAnswer, SkinSegmenter, seen_shape
from samantic.training import SettingsError

MANIFEST = TrainingManifest.of({"isic2017": ["ISIC_1"]})


@pytest.fixture(scope="module")
def network(small_config: SkinPhotoConfig) -> SkinPhotoNetwork:
    torch.manual_seed(3)
    return SkinPhotoNetwork(small_config).eval()


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (97, 61), (1000, 1400)])
def test_photographs_of_any_size_are_answered_at_their_size(network: SkinPhotoNetwork, shape: tuple[int, int]):
    photograph = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    segmenter = SkinSegmenter(network, device="cpu")
    answer = segmenter.segment(photograph)
    np.testing.assert_allclose(answer.probabilities.sum(axis=0), 1, atol=1e-4)
    labels = answer.labels(shape)
    assert labels.shape == shape and labels.dtype == np.uint8 and labels.max() <= 2
    assert answer.confidence(shape).shape == shape
    np.testing.assert_array_equal(segmenter.segment(photograph).labels(shape), labels)


def test_a_mirrored_photograph_gives_the_mirrored_answer(network: SkinPhotoNetwork):
    photograph = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    segmenter = SkinSegmenter(network, device="cpu")
    one, other = (segmenter.segment(picture).probabilities for picture in (photograph, photograph[:, ::-1]))
    np.testing.assert_allclose(one, other[:, :, ::-1], atol=1e-5)


def test_the_likeliest_class_of_a_pixel_wins():
    probabilities = np.zeros((3, 2, 2), np.float32)
    probabilities[[0, 1, 2, 1], [0, 0, 1, 1], [0, 1, 0, 1]] = 1
    assert SkinAnswer(probabilities).labels((2, 2)).tolist() == [[0, 1], [2, 1]]


@pytest.mark.parametrize(
    ("shape", "seen"), [((500, 500), (192, 192)), ((300, 400), (160, 224)), ((100, 9000), (112, 336))]
)
def test_it_is_shown_about_as_oblong_as_it_is(shape: tuple[int, int], seen: tuple[int, int]):
    assert seen_shape(shape, 192, 16) == seen


@pytest.mark.parametrize("array", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_no_photograph_is_refused(network: SkinPhotoNetwork, array: np.ndarray):
    with pytest.raises(ValueError, match=r"must be \(rows, cols, 3\) uint8"):
        SkinSegmenter(network, device="cpu").segment(array)


def test_weights_are_kept_in_half_precision_with_what_was_learned_from(network: SkinPhotoNetwork, tmp_path: Path):
    path = tmp_path / "skin.safetensors"
    save_skin_photo(network, path, MANIFEST)
    weights = read_skin_photo(path)
    assert weights.manifest == MANIFEST and weights.network.config == network.config
    photograph = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    loaded = SkinSegmenter.load(path, "cpu")
    assert loaded.weights_hash == file_hash(path)
    before = SkinSegmenter(network, device="cpu").segment(photograph).probabilities
    np.testing.assert_allclose(loaded.segment(photograph).probabilities, before, atol=0.02)


def test_files_that_are_no_weights_are_refused_in_a_sentence(
    network: SkinPhotoNetwork, tmp_path: Path, write_segmenter
):
    path = tmp_path / "skin.safetensors"
    save_skin_photo(network, path, MANIFEST)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SkinPhotoWeightsError, match="cannot be read as a safetensors file"):
        SkinSegmenter.load(path)
    with pytest.raises(SkinPhotoWeightsError, match="is no network for skin photographs"):
        SkinSegmenter.load(write_segmenter(tmp_path / "other.safetensors"))
    path.write_bytes(whole.replace(b'\\"decoder_channels\\": 16', b'\\"decoder_channels\\": 24'))
    with pytest.raises(SkinPhotoWeightsError, match="does not fit its own configuration"):
        SkinSegmenter.load(path)


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("encoder", ["resnet18", "mobilenet_v2"])
@pytest.mark.parametrize(("depth", "stride"), [(4, 16), (5, 16), (4, 8)])
def test_every_configuration_answers_at_the_size_of_the_photograph(norm: str, encoder: str, depth: int, stride: int):
    config = SkinPhotoConfig(encoder, depth, 128, stride, (1, 2, 3), decoder_channels=8, norm=norm)
    assert SkinPhotoConfig.from_json(config.to_json()) == config
    network = SkinPhotoNetwork(config).train()
    logits = network(torch.rand(2, 3, 2 * config.output_stride, 3 * config.output_stride))
    assert logits.shape == (2, 3, 2 * config.output_stride, 3 * config.output_stride)
    logits.mean().backward()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoder": "nothing"}, "encoder must be one of segmentation-models-pytorch"),
        ({"encoder_depth": 3}, "encoder_depth must be one of 4, 5"),
        ({"norm": "group"}, "norm must be one of instance, batch"),
        ({"side": 100}, "side must be a multiple of 16"),
        ({"atrous_rates": (1, 2)}, "atrous_rates must be three numbers"),
        ({"decoder_channels": 4}, "decoder_channels must be 8 to 512"),
    ],
)
def test_configurations_that_cannot_be_are_refused(change: dict, said: str):
    with pytest.raises(SettingsError, match=said):
        SkinPhotoConfig(**change)


def test_only_pixels_of_which_the_network_is_sure_count_for_crops():
    lesion = np.array([[0.95, 0.85, 0.3, 0.05, 0.0]], np.float32)
    background = np.array([[0.01, 0.05, 0.05, 0.3, 0.9]], np.float32)
    answer = SkinAnswer(np.stack([background, 1 - background - lesion, lesion]))
    assert answer.labels((1, 5)).tolist() == [[LESION, LESION, SKIN, SKIN, BACKGROUND]]
    assert answer.sure_labels((1, 5)).tolist() == [[LESION, SKIN, SKIN, BACKGROUND, BACKGROUND]]
