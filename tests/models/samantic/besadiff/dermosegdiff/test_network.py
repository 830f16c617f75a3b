"""The two-branch network: as large as published, and what of it can be kept between steps."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.dermosegdiff.residual_block import ResidualBlock

PUBLISHED_MILLIONS = {(128, 64): 320.4, (32, 16): 5.3, (16, 8): 1.47}


@pytest.mark.parametrize("widths", PUBLISHED_MILLIONS)
def test_the_published_widths_have_the_published_parameters(widths: tuple[int, int]) -> None:
    fields: dict[str, object] = {} if widths[0] == 128 else {"mask_multipliers": (1, 2, 3, 4)}
    fields |= {} if widths[0] == 128 else {"image_multipliers": (1, 2, 3, 4)}
    with torch.device("meta"):
        network = DermoSegDiff(DermoSegDiffConfig(mask_width=widths[0], image_width=widths[1], **fields))  # type: ignore[arg-type]
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert millions == pytest.approx(PUBLISHED_MILLIONS[widths], rel=0.005)


@pytest.mark.parametrize(
    "fields",
    [
        {"image_branch": "coupled"},
        {"image_branch": "time_free"},
        {"image_branch": "time_free", "norm_groups": 0, "image_width": 6, "mask_attention_from": 2},
        {"image_branch": "coupled", "norm_groups": 0, "mask_attention_from": 1},
        {"image_branch": "time_free", "norm_groups": 0, "stem_width": 5},
        {"image_branch": "coupled", "stem_width": 8},
    ],
)
def test_every_weight_takes_part_and_the_shape_is_the_masks(
    tiny_config: DermoSegDiffConfig, fields: dict[str, object]
) -> None:
    network = DermoSegDiff(dataclasses.replace(tiny_config, **fields))  # type: ignore[arg-type]
    masks, images = torch.randn(3, 1, 32, 32), torch.rand(3, 3, 64, 64)
    answer = network(masks, network.image_features(images), torch.tensor([1, 100, 249]))
    assert answer.shape == masks.shape
    answer.square().mean().backward()
    assert [name for name, one in network.named_parameters() if one.grad is None] == []


def test_only_an_image_branch_that_knows_no_mask_guesses_one(tiny_config: DermoSegDiffConfig) -> None:
    images = torch.rand(2, 3, 64, 64)
    guess = DermoSegDiff(tiny_config).image_features(images).guess
    assert guess is not None
    assert guess.shape == (2, 1, 32, 32)
    assert DermoSegDiff(dataclasses.replace(tiny_config, image_branch="coupled")).image_features(images).guess is None


def test_features_of_one_image_serve_all_members_as_those_of_copies_do(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    image, masks = torch.rand(1, 3, 64, 64), torch.randn(4, 1, 32, 32)
    steps = torch.full((4,), 120)
    with torch.no_grad():
        once = network(masks, network.image_features(image).of_members(torch.zeros(4, dtype=torch.long)), steps)
        copies = network(masks, network.image_features(image.expand(4, -1, -1, -1)), steps)
    torch.testing.assert_close(once, copies, rtol=1e-4, atol=1e-5)


def test_each_member_has_the_features_of_its_own_image(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    with torch.no_grad():
        features = network.image_features(torch.rand(2, 3, 64, 64)).of_members(torch.tensor([0, 1, 0]))
    for maps in (features.stem, features.levels[-1][1], features.guess):
        assert maps is not None
        assert torch.equal(maps[0], maps[2])
        assert not torch.equal(maps[0], maps[1])


def test_brightness_of_the_whole_photograph_changes_nothing(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        stems = [network.image_features(changed).stem for changed in (image, 0.5 * image + 0.2)]
    torch.testing.assert_close(*stems, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("image_side", "patch", "blocks"), [(32, 2, 0), (64, 4, 1), (128, 8, 2)])
def test_a_stem_of_convolutions_halves_the_photograph_until_a_patch_is_one_place(
    tiny_config: DermoSegDiffConfig, image_side: int, patch: int, blocks: int
) -> None:
    config = dataclasses.replace(tiny_config, image_side=image_side, image_patch=patch, stem_width=8)
    network = DermoSegDiff(config)
    assert network.image_features(torch.rand(1, 3, image_side, image_side)).stem.shape == (1, 8, 16, 16)
    assert sum(isinstance(part, ResidualBlock) for part in network.image_stem) == blocks  # type: ignore[arg-type]
