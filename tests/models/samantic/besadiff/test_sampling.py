"""Noise -> masks: the steps that are taken, and what comes out when the network knows the answer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig, ImageFeatures
from samantic.besadiff.noise_schedule import STEPS, few_step_schedule, training_schedule
from samantic.besadiff.sampling import sample_masks, sample_masks_ancestrally

TRUTH = torch.where(torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(2)) > 0.5, 1.0, -1.0)


class Oracle(nn.Module):
    """Knows the clean mask, and with it the noise."""

    def __init__(self, config: DermoSegDiffConfig) -> None:
        super().__init__()
        self.config = config
        self.calls: list[int] = []
        self.encoded = 0

    def image_features(self, images: torch.Tensor) -> ImageFeatures:
        self.encoded += 1
        return ImageFeatures(images)

    def forward(self, noisy: torch.Tensor, features: ImageFeatures, steps: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        self.calls.append(int(steps[0]))
        clean = TRUTH.expand_as(noisy)
        if self.config.prediction == "sample":
            return clean
        kept = training_schedule("epsilon").alphas_cumprod[steps].view(-1, 1, 1, 1)
        return (noisy - kept.sqrt() * clean) / (1 - kept).sqrt()


def oracle(prediction: str) -> Oracle:
    return Oracle(DermoSegDiffConfig(mask_side=32, image_side=32, prediction=prediction))


def test_noise_follows_the_published_schedule() -> None:
    betas = training_schedule("epsilon").betas
    assert len(betas) == STEPS == 250
    assert float(betas[0]) == pytest.approx(4e-4)
    assert float(betas[-1]) == pytest.approx(0.08)


@pytest.mark.parametrize("prediction", ["sample", "epsilon"])
def test_who_knows_the_answer_finds_it_in_few_steps_from_pure_noise(prediction: str) -> None:
    network = oracle(prediction)
    masks = sample_masks(network, ImageFeatures(torch.zeros(1, 1, 1, 1)), torch.randn(3, 1, 32, 32), steps=4)  # type: ignore[arg-type]
    assert network.calls == [249, 187, 124, 61]
    torch.testing.assert_close(masks, TRUTH.expand(3, -1, -1, -1), atol=2e-2, rtol=0)


def test_sharpening_takes_the_late_steps_only() -> None:
    assert few_step_schedule("sample", 4, 0.5)[1].tolist() == [124, 93, 61, 30]
    network = oracle("sample")
    features = ImageFeatures(torch.zeros(1, 1, 1, 1))
    sample_masks(network, features, torch.randn(2, 1, 32, 32), 2, 0.25, -TRUTH.expand(2, -1, -1, -1))  # type: ignore[arg-type]
    assert max(network.calls) < STEPS / 4


def test_the_published_sampling_takes_every_step_and_looks_at_the_image_each_time() -> None:
    network = oracle("sample")
    masks = sample_masks_ancestrally(
        network,  # type: ignore[arg-type]
        torch.zeros(2, 3, 32, 32),
        torch.randn(2, 1, 32, 32),
        torch.Generator().manual_seed(0),
    )
    assert network.calls == list(range(STEPS - 1, -1, -1))
    assert network.encoded == STEPS
    torch.testing.assert_close(masks, TRUTH.expand(2, -1, -1, -1), atol=0.05, rtol=0)


def test_few_steps_on_a_real_network_do_not_change_its_weights(tiny_config: DermoSegDiffConfig) -> None:
    network = DermoSegDiff(tiny_config).eval()
    before = [parameter.clone() for parameter in network.parameters()]
    features = network.image_features(torch.rand(1, 3, 64, 64)).of_members(torch.zeros(2, dtype=torch.long))
    masks = sample_masks(network, features, torch.randn(2, 1, 32, 32), 2)
    assert not masks.requires_grad
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
