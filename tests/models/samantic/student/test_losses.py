"""Each loss falls where it should and is silent where it should be."""

from __future__ import annotations

import pytest
import torch

from samantic.student.losses import (
    UNKNOWN,
    FeatureDistribution,
    FeatureProjector,
    distribution_loss,
    perturbation_consistency_loss,
    pseudo_label_loss,
    ramp,
    supervised_loss,
)


def sure_logits(labels: torch.Tensor, classes: int = 3, strength: float = 12.0) -> torch.Tensor:
    return strength * torch.nn.functional.one_hot(labels, classes).permute(0, 3, 1, 2).float()


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(0, 3, (2, 16, 16), generator=torch.Generator().manual_seed(3))


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(5))


def test_right_labels_cost_nothing_and_wrong_ones_much(labels: torch.Tensor) -> None:
    assert supervised_loss(sure_logits(labels), labels) < 1e-3
    assert supervised_loss(sure_logits((labels + 1) % 3), labels) > 10


def test_a_class_that_is_neither_there_nor_seen_costs_nothing() -> None:
    empty = torch.zeros(1, 8, 8, dtype=torch.long)
    assert supervised_loss(sure_logits(empty), empty) < 1e-2


def test_the_ramp_rises_from_nearly_nothing_to_one() -> None:
    rising = [ramp(step / 10) for step in range(11)]
    assert rising == sorted(rising) and rising[0] < 0.01 and ramp(1) == ramp(7) == 1


def test_equal_responses_cost_nothing_whatever_the_features(features: torch.Tensor) -> None:
    change = torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(6))
    other = -features
    loss = perturbation_consistency_loss(features, features + change, other, other + 5 * change, cosine_weight=0)
    assert loss < 1e-4
    opposite = perturbation_consistency_loss(features, features + change, other, other - change, cosine_weight=0)
    assert opposite == pytest.approx(4, abs=1e-2)


def test_the_cosine_asks_for_like_features(features: torch.Tensor) -> None:
    same = [features, features + 1, 3 * features, 3 * features + 1]
    assert perturbation_consistency_loss(*same, cosine_weight=1) < 1e-3
    unlike = [features, features + 1, -features, 1 - features]
    assert perturbation_consistency_loss(*unlike, cosine_weight=1) == pytest.approx(2, abs=1e-3)


def test_pictures_that_do_not_respond_give_a_finite_gradient(features: torch.Tensor) -> None:
    student = features.clone().requires_grad_()
    perturbation_consistency_loss(features, features, student, student, cosine_weight=0.5).backward()
    assert student.grad is not None and student.grad.isfinite().all()


def test_the_projector_brings_features_to_the_students_size() -> None:
    projector = FeatureProjector(24, 16)
    assert projector(torch.rand(2, 24, 8, 8), (4, 6)).shape == (2, 16, 4, 6)


def shares_of(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()


def test_views_and_labels_that_are_alike_cost_nothing_if_classes_stand_apart(labels: torch.Tensor) -> None:
    features = 10 * shares_of(labels)
    alike = FeatureDistribution.of(features, shares_of(labels))
    assert distribution_loss(alike, alike, alike) < 1e-5


def test_means_and_variances_are_those_under_the_shares(labels: torch.Tensor) -> None:
    features = torch.randn(2, 5, 16, 16, generator=torch.Generator().manual_seed(1))
    found = FeatureDistribution.of(features, shares_of(labels))
    for value in range(3):
        mine = features.permute(0, 2, 3, 1)[labels == value]
        torch.testing.assert_close(found.mean[value], mine.mean(dim=0), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found.variance[value], mine.var(dim=0, unbiased=False), atol=1e-4, rtol=1e-4)
    assert found.mass.sum() == pytest.approx(1, abs=1e-5)


def test_another_look_of_a_class_costs_and_so_does_crowding_the_background(labels: torch.Tensor) -> None:
    apart = FeatureDistribution.of(10 * shares_of(labels), shares_of(labels))
    moved = FeatureDistribution.of(10 * shares_of((labels + 1) % 3), shares_of(labels))
    assert distribution_loss(apart, moved, apart) > 1
    same = torch.randn(2, 8, 16, 16, generator=torch.Generator().manual_seed(2))
    crowded = FeatureDistribution.of(same, shares_of(labels))
    assert distribution_loss(crowded, crowded, crowded) > 0.3


def test_a_class_that_one_side_does_not_show_takes_no_part(labels: torch.Tensor) -> None:
    only_background = FeatureDistribution.of(10 * shares_of(labels), shares_of(torch.zeros_like(labels)))
    shown = FeatureDistribution.of(10 * shares_of(labels), shares_of(labels))
    assert distribution_loss(shown, shown, only_background).isfinite()


def test_pseudo_labels_teach_where_something_is_claimed_alone(labels: torch.Tensor) -> None:
    wrong = (labels + 1) % 3
    unsure = torch.zeros(2, 3, 16, 16)
    nothing = torch.full_like(labels, UNKNOWN)
    assert pseudo_label_loss(sure_logits(wrong), unsure, nothing, 0.9) < 1e-4
    half = torch.where(torch.arange(16)[:, None] < 8, labels, nothing)
    assert pseudo_label_loss(sure_logits(wrong), unsure, half, 0.9) > 5
    right_where_it_counts = torch.where(torch.arange(16)[:, None] < 8, labels, wrong)
    assert pseudo_label_loss(sure_logits(right_where_it_counts), unsure, half, 0.9) < 1e-2


def test_where_nothing_is_claimed_the_sure_guess_of_the_clean_picture_teaches_but_learns_nothing(
    labels: torch.Tensor,
) -> None:
    nothing = torch.full_like(labels, UNKNOWN)
    clean, perturbed = sure_logits(labels).requires_grad_(), sure_logits((labels + 1) % 3).requires_grad_()
    loss = pseudo_label_loss(perturbed, clean, nothing, 0.9)
    loss.backward()
    assert loss > 5 and clean.grad is None and perturbed.grad is not None
