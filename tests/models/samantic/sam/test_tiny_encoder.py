from __future__ import annotations

import pytest
import torch

from samantic.sam.tiny_encoder import TinyEncoder


@pytest.fixture(scope="module")
def encoder() -> TinyEncoder:
    torch.manual_seed(0)
    return TinyEncoder().eval()


@torch.inference_mode()
def test_feature_maps_have_the_sizes_that_the_encoder_announces(encoder: TinyEncoder):
    features = encoder(torch.randn(1, 3, 256, 256))
    size, dim = encoder.embedding_size, encoder.embedding_dim
    assert features.pop("image_embedding").shape == (1, dim, size, size)
    assert {name: tensor.shape[1] for name, tensor in features.items()} == encoder.skip_channels
    assert features["skip_stride4"].shape[2:] == (64, 64)
    assert features["skip_stride2"].shape[2:] == (128, 128)


@torch.inference_mode()
def test_images_of_a_batch_do_not_see_one_another(encoder: TinyEncoder):
    images = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    together, alone = encoder(images), encoder(images[1:])
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name][1:], tensor, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_change_in_one_corner_is_known_in_the_other(encoder: TinyEncoder):
    image = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    changed = image.clone()
    changed[..., -16:, -16:] += 5
    difference = (encoder(image)["image_embedding"] - encoder(changed)["image_embedding"]).abs()
    assert difference[..., :2, :2].max() > 1e-6


@torch.inference_mode()
def test_the_finest_map_stays_in_place(encoder: TinyEncoder):
    image = torch.zeros(1, 3, 256, 256)
    image[..., 40:44, 200:204] = 3
    difference = (encoder(image)["skip_stride2"] - encoder(torch.zeros_like(image))["skip_stride2"]).abs()
    row, column = divmod(int(difference.sum(dim=1).argmax()), 128)
    assert abs(row - 20.5) <= 2 and abs(column - 100.5) <= 2


def test_other_sizes_are_built_by_their_arguments():
    encoder = TinyEncoder(image_size=64, embedding_dim=32, widths=(8, 8, 16, 16), depths=(1, 1, 1))
    features = encoder(torch.randn(1, 3, 64, 64))
    assert features["image_embedding"].shape == (1, 32, 8, 8)
    assert features["skip_stride4"].shape == (1, 8, 16, 16)
    assert features["skip_stride2"].shape == (1, 4, 32, 32)


def test_it_is_light(encoder: TinyEncoder):
    assert sum(parameter.numel() for parameter in encoder.parameters()) < 5_000_000
