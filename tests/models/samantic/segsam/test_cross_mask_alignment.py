from __future__ import annotations

import torch

from samantic.segsam.cross_mask_alignment import cross_mask_alignment


def test_equal_masks_cost_nothing_and_disjoint_ones_almost_one():
    square = torch.zeros(1, 32, 32)
    square[:, 4:20, 4:20] = 1
    elsewhere = torch.zeros(1, 32, 32)
    elsewhere[:, 20:30, 20:30] = 1
    loss = cross_mask_alignment(torch.cat([square, square]), torch.cat([square, elsewhere]))
    assert loss.shape == (2,)
    assert loss[0] == 0
    assert 0.99 < loss[1] < 1


def test_the_less_two_masks_overlap_the_more_they_cost():
    mask = torch.zeros(32, 32)
    mask[8:24, 8:24] = 1
    moved = torch.stack([mask.roll(step, dims=1) for step in range(0, 17, 4)])
    losses = cross_mask_alignment(mask.expand_as(moved), moved).tolist()
    assert losses == sorted(losses) and len(set(losses)) == len(losses)


def test_two_empty_masks_agree():
    assert cross_mask_alignment(torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)).item() == 0
