from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from samantic.segsam.losses import (
    SemanticTargets,
    alignment_loss,
    binary_loss,
    presence_loss,
    semantic_loss,
)
from samantic.segsam.semantic_agnostic_decoder import BinaryMasks
from samantic.segsam.semantic_aware_decoder import SemanticMasks

SURE = 20.0
CLASSES = 3


def _square(top: int, left: int, side: int = 12) -> torch.Tensor:
    mask = torch.zeros(32, 32)
    mask[top : top + side, left : left + side] = 1
    return mask


TRUTH = _square(4, 6)[None]
ELSEWHERE = _square(18, 18)[None]


def _logits(mask: torch.Tensor) -> torch.Tensor:
    return SURE * (2 * mask - 1)


def _binary(*masks: torch.Tensor, iou: tuple[float, ...]) -> BinaryMasks:
    return BinaryMasks(torch.stack([_logits(mask) for mask in masks], dim=1), torch.tensor([iou]))


def _semantic(mask: torch.Tensor, class_index: int) -> SemanticMasks:
    """Sure of one class inside the mask (N, H, W), of background outside."""
    logits = torch.zeros(len(mask), CLASSES + 1, *mask.shape[1:])
    logits[:, class_index + 1] = SURE * mask
    logits[:, 0] = SURE * (1 - mask)
    return SemanticMasks(logits, None)


@pytest.fixture
def targets() -> SemanticTargets:
    """Class 1 is prompted, class 2 is there as well, of class 0 nothing is known."""
    return SemanticTargets(torch.tensor([1]), torch.tensor([[False, True, True]]), torch.tensor([[False, True, True]]))


class TestBinary:
    only_first = torch.tensor([False])
    ambiguous = torch.tensor([True])

    def test_a_perfect_answer_costs_nothing(self):
        perfect = _binary(TRUTH, TRUTH, TRUTH, TRUTH, iou=(1, 1, 1, 1))
        assert binary_loss(perfect, TRUTH, self.only_first).item() == pytest.approx(0, abs=1e-4)
        assert binary_loss(perfect, TRUTH, self.ambiguous).item() == pytest.approx(0, abs=1e-4)

    def test_a_wrong_answer_costs_more_the_further_it_is_off(self):
        losses = [
            binary_loss(_binary(*[_square(4, 6 + off)[None]] * 4, iou=(0, 0, 0, 0)), TRUTH, self.only_first).item()
            for off in (1, 4, 8, 12)
        ]
        assert losses == sorted(losses)
        assert losses[-1] > losses[0] + 1

    def test_a_wrong_estimate_of_its_own_quality_costs(self):
        modest = binary_loss(_binary(*[TRUTH] * 4, iou=(0.5, 1, 1, 1)), TRUTH, self.only_first)
        assert modest.item() == pytest.approx(0.25, abs=1e-3)

    def test_without_ambiguity_only_the_first_mask_learns(self):
        logits = torch.zeros(1, 4, 32, 32, requires_grad=True)
        binary_loss(BinaryMasks(logits, torch.zeros(1, 4)), TRUTH, self.only_first).sum().backward()
        assert [bool(gradient.any()) for gradient in logits.grad[0]] == [True, False, False, False]

    def test_an_ambiguous_click_teaches_the_first_mask_and_the_best_of_the_three_alternatives(self):
        logits = torch.stack([_logits(mask[0]) for mask in (TRUTH, ELSEWHERE, _square(5, 6)[None], 1 - TRUTH)])[None]
        logits = (logits / 10).requires_grad_()
        loss = binary_loss(BinaryMasks(logits, torch.zeros(1, 4)), TRUTH, self.ambiguous)
        loss.sum().backward()
        assert [bool(gradient.any()) for gradient in logits.grad[0]] == [True, False, True, False]
        assert loss > binary_loss(BinaryMasks(logits, torch.zeros(1, 4)), TRUTH, self.only_first)

    def test_every_object_has_its_own_loss(self):
        two = BinaryMasks(
            torch.cat([_binary(*[mask] * 4, iou=(1, 1, 1, 1)).mask_logits for mask in (TRUTH, ELSEWHERE)]),
            torch.ones(2, 4),
        )
        right, wrong = binary_loss(two, TRUTH.expand(2, -1, -1), torch.tensor([True, False])).tolist()
        assert right == pytest.approx(0, abs=1e-4)
        assert wrong > 1


class TestSemantic:
    def test_the_right_class_in_the_right_place_costs_nothing(self, targets):
        assert semantic_loss(_semantic(TRUTH, 1), TRUTH, targets).item() == pytest.approx(0, abs=1e-4)

    def test_a_wrong_name_and_a_wrong_place_cost(self, targets):
        assert semantic_loss(_semantic(TRUTH, 2), TRUTH, targets).item() > 5
        assert semantic_loss(_semantic(ELSEWHERE, 1), TRUTH, targets).item() > 5
        assert semantic_loss(_semantic(torch.zeros_like(TRUTH), 1), TRUTH, targets).item() > 5

    def test_a_small_object_wrongly_named_costs_as_much_as_a_large_one(self, targets):
        small, large = _square(4, 4, side=2)[None], _square(2, 2, side=28)[None]
        losses = [semantic_loss(_semantic(mask, 2), mask, targets).item() for mask in (small, large)]
        assert losses[0] == pytest.approx(losses[1], rel=0.1)

    def test_the_truth_may_be_finer_than_the_semantic_masks(self, targets):
        finer = TRUTH.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
        assert semantic_loss(_semantic(TRUTH, 1), finer, targets).item() == pytest.approx(0, abs=1e-4)

    def test_an_object_too_small_for_the_grid_costs_a_finite_amount(self, targets):
        finer = torch.zeros(1, 64, 64)
        finer[0, 3, 3] = 1
        assert torch.isfinite(semantic_loss(_semantic(TRUTH, 1), finer, targets)).all()


class TestPresence:
    def test_right_answers_cost_nothing_and_wrong_ones_do(self, targets):
        assert presence_loss(torch.tensor([[0.0, 0.0, SURE]]), targets).item() == pytest.approx(0, abs=1e-4)
        assert presence_loss(torch.tensor([[0.0, 0.0, -SURE]]), targets).item() == pytest.approx(SURE, rel=1e-3)

    def test_unknown_classes_and_the_prompted_one_contribute_nothing(self, targets):
        logits = torch.tensor([[3.0, -2.0, 0.5]], requires_grad=True)
        presence_loss(logits, targets).sum().backward()
        assert [value != 0 for value in logits.grad[0].tolist()] == [False, False, True]

    def test_an_absent_class_that_is_known_to_be_absent_is_learned_from(self, targets):
        known = replace(targets, known=torch.tensor([[True, True, True]]))
        assert presence_loss(torch.tensor([[SURE, 0.0, SURE]]), known).item() > 5
        assert presence_loss(torch.tensor([[-SURE, 0.0, SURE]]), known).item() == pytest.approx(0, abs=1e-4)

    def test_where_nothing_is_known_the_loss_is_zero(self, targets):
        nothing = replace(targets, known=torch.zeros(1, CLASSES, dtype=torch.bool))
        assert presence_loss(torch.tensor([[5.0, 5.0, 5.0]]), nothing).item() == 0

    def test_the_targets_are_left_as_they_were(self, targets):
        presence_loss(torch.zeros(1, CLASSES), targets)
        assert targets.known.tolist() == [[False, True, True]]


class TestAlignment:
    def test_equal_masks_cost_nothing_and_disjoint_ones_almost_one(self, targets):
        semantic = _semantic(TRUTH, 1)
        same = alignment_loss(_binary(*[TRUTH] * 4, iou=(1, 1, 1, 1)), semantic, targets)
        apart = alignment_loss(_binary(*[ELSEWHERE] * 4, iou=(1, 1, 1, 1)), semantic, targets)
        assert same.item() == pytest.approx(0, abs=1e-4)
        assert apart.item() > 0.95

    def test_the_same_place_under_another_name_does_not_agree(self, targets):
        loss = alignment_loss(_binary(*[TRUTH] * 4, iou=(1, 1, 1, 1)), _semantic(TRUTH, 2), targets)
        assert loss.item() > 0.95

    def test_both_decoders_learn_from_it(self, targets):
        binary_logits = torch.zeros(1, 4, 64, 64, requires_grad=True)
        semantic_logits = torch.zeros(1, CLASSES + 1, 32, 32, requires_grad=True)
        binary, semantic = BinaryMasks(binary_logits, torch.zeros(1, 4)), SemanticMasks(semantic_logits, None)
        alignment_loss(binary, semantic, targets).sum().backward()
        assert binary_logits.grad[0, 0].all() and not binary_logits.grad[0, 1:].any()
        assert semantic_logits.grad[0, 2].all()
