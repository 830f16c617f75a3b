from __future__ import annotations

import torch

from samantic.segsam.training.prompt_free_loss import (
    MapTargets,
    marginal_log_probability,
    prompt_free_loss,
    shares_of,
)

KNOWS_ALL = torch.ones(1, 2, dtype=torch.bool)


def _logits(channel: int, size: int = 4) -> torch.Tensor:
    logits = torch.zeros(1, 3, size, size)
    logits[:, channel] = 12.0
    return logits


def _all(channel: int, size: int = 4) -> torch.Tensor:
    shares = torch.zeros(1, 3, size, size)
    shares[:, channel] = 1.0
    return shares


def test_the_right_answer_costs_nothing_and_the_wrong_one_much():
    right = prompt_free_loss(_logits(1), MapTargets(_all(1), KNOWS_ALL))
    wrong = prompt_free_loss(_logits(2), MapTargets(_all(1), KNOWS_ALL))
    assert right < 0.01 < 5 < wrong


def test_a_class_that_nobody_looked_for_may_be_anywhere_in_the_background():
    only_first = torch.tensor([[True, False]])
    assert prompt_free_loss(_logits(2), MapTargets(_all(0), only_first)) < 0.01
    assert prompt_free_loss(_logits(2), MapTargets(_all(0), KNOWS_ALL)) > 5


def test_marginal_probabilities_sum_to_one():
    logits = torch.randn(2, 5, 3, 3, generator=torch.Generator().manual_seed(0))
    known = torch.tensor([[True, True, False, False], [False, True, False, True]])
    probability = marginal_log_probability(logits, known).exp()
    torch.testing.assert_close(probability.sum(dim=1), torch.ones(2, 3, 3))
    assert (probability[0, 3:] == 0).all()
    torch.testing.assert_close(probability[0, 1], torch.softmax(logits[0], dim=0)[1])


def test_shares_say_how_much_of_a_cell_a_label_takes():
    labels = torch.zeros(4, 4, dtype=torch.int64)
    labels[:2, :1] = 1
    labels[2:, 2:] = 2
    shares = shares_of(labels, torch.tensor([0, 2, 1]), 3, 2)
    assert shares[:, 0, 0].tolist() == [0.5, 0.0, 0.5]
    assert shares[:, 1, 1].tolist() == [0.0, 1.0, 0.0]
    torch.testing.assert_close(shares.sum(dim=0), torch.ones(2, 2))
