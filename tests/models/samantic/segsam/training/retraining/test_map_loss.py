"""What keeps the prompt-free head from forgetting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.segsam.training.prompt_free_loss import MapTargets
from samantic.segsam.training.retraining.map_loss import distillation_loss, disturbed


def _targets(known: list[bool], background: float = 1.0) -> MapTargets:
    shares = torch.zeros(1, len(known) + 1, 2, 2)
    shares[:, 0] = background
    return MapTargets(shares, torch.tensor([known]))


def _logits(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, -1, 1, 1).expand(1, -1, 2, 2).contiguous()


def test_answers_as_before_cost_nothing_whatever_new_classes_take_from_the_background():
    before = _logits(1.0, 2.0, -1.0)
    half = float(torch.tensor(1.0).exp().div(2).log())
    assert float(distillation_loss(_logits(1.0, 2.0, -1.0, -60.0), before, _targets([False] * 3))) < 1e-6
    assert float(distillation_loss(_logits(half, 2.0, -1.0, half), before, _targets([False] * 3))) < 1e-6


def test_an_old_class_that_is_forgotten_costs():
    before = _logits(0.0, 3.0)
    assert float(distillation_loss(_logits(0.0, -3.0, -60.0), before, _targets([False] * 2))) > 1


def test_what_a_label_says_is_not_asked_of_the_old_head():
    before = _logits(0.0, 3.0, 0.0)
    forgotten = _logits(0.0, -3.0, 0.0)
    assert float(distillation_loss(forgotten, before, _targets([True, False]))) == pytest.approx(0, abs=1e-6)
    # Where the cell is labelled as a class, the others need not be told apart.
    assert float(distillation_loss(forgotten, before, _targets([False, True], background=0.0))) == 0


def test_pictures_without_a_label_are_asked_everywhere():
    before = _logits(0.0, 3.0)
    assert float(distillation_loss(_logits(0.0, -3.0), before, _targets([False], background=0.0))) > 1


def test_the_gradient_is_finite_where_classes_are_left_out():
    logits = _logits(0.0, 1.0, 2.0, -60.0).requires_grad_()
    distillation_loss(logits, _logits(0.0, 2.0, 1.0), _targets([True, False, True])).backward()
    assert torch.isfinite(logits.grad).all() and logits.grad.abs().sum() > 0


def test_features_are_disturbed_alike_for_the_same_seed_and_stay_where_they_are():
    features = {"image_embedding": torch.arange(64.0).view(1, 1, 8, 8)}
    first, again = (disturbed(features, np.random.default_rng(5))["image_embedding"] for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first, features["image_embedding"])
    correlation = torch.corrcoef(torch.stack([first.flatten(), features["image_embedding"].flatten()]))[0, 1]
    assert correlation > 0.98
