"""The two-branch network: as large as published, and what of it can be kept between steps."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig

PUBLISHED_MILLIONS = {(128, 64): 320.4, (32, 16): 5.3, (16, 8): 1.47}


@pytest.mark.parametrize("widths", PUBLISHED_MILLIONS)
def test_the_published_widths_have_the_published_parameters(widths: tuple[int, int]) -> None:
    fields: dict[str, object] = {} if widths[0] == 128 else {"mask_multipliers": (1, 2, 3, 4)}
    fields |= {} if widths[0] == 128 else {"image_multipliers": (1, 2, 3, 4)}
    with torch.device("meta"):
        network = DermoSegDiff(DermoSegDiffConfig(mask_width=widths[0], image_width=widths[1], **fields))  # type: ignore[arg-type]
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert millions == pytest.approx(PUBLISHED_MILLIONS[widths], rel=0.005)


@pytest.mark.parametrize("branch", ["coupled", "time_free"])
def test_every_weight_takes_part_and_the_shape_is_the_masks(tiny_config: DermoSegDiffConfig, branch: str) -> None:
    network = DermoSegDiff(dataclasses.replace(tiny_config, image_branch=branch))
    masks, images = torch.randn(3, 1, 32, 32), torch.rand(3, 3, 64, 64)
    answer = network(masks, network.image_features(images), torch.tensor([1, 100, 249]))
    assert answer.shape == masks.shape
    answer.square().mean().backward()
    assert [name for name, one in network.named_parameters() if one.grad is None] == []


def test_features_of_one_image_serve_all_members_as_those_of_copies_do(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    image, masks = torch.rand(1, 3, 64, 64), torch.randn(4, 1, 32, 32)
    steps = torch.full((4,), 120)
    with torch.no_grad():
        once = network(masks, network.image_features(image).expanded(4), steps)
        copies = network(masks, network.image_features(image.expand(4, -1, -1, -1)), steps)
    torch.testing.assert_close(once, copies, rtol=1e-4, atol=1e-5)


def test_features_of_two_images_are_expanded_image_by_image(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    with torch.no_grad():
        stem = network.image_features(torch.rand(2, 3, 64, 64)).expanded(2).stem
    assert torch.equal(stem[0], stem[1])
    assert not torch.equal(stem[1], stem[2])


def test_brightness_of_the_whole_photograph_changes_nothing(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        stems = [network.image_features(changed).stem for changed in (image, 0.5 * image + 0.2)]
    torch.testing.assert_close(*stems, rtol=1e-3, atol=1e-4)
