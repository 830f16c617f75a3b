from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from samantic.segsam.look_network import LookNetwork
from samantic.segsam.prompt_batch import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, FOREGROUND, PADDING, PromptBatch
from samantic.segsam.training.look_rounds import WHOLE_KINDS, ZOOMED_KINDS, look_loss, mask_loss
from samantic.segsam.training.looks import LookBatch, draw_looks

SIZE, GRID = 64, 32


@pytest.fixture
def network() -> LookNetwork:
    torch.manual_seed(0)
    return LookNetwork(SIZE, width=4).train()


@pytest.fixture
def batch(square_view, disc_view) -> LookBatch:
    batch = draw_looks([square_view, disc_view] * 2, SIZE, GRID, np.random.default_rng(0))
    assert batch is not None
    return batch


def _prompts_of(network: LookNetwork, batch: LookBatch, seed: int) -> list[PromptBatch]:
    """The prompts of every round."""
    seen: list[PromptBatch] = []
    handle = network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    with torch.no_grad():
        look_loss(network, batch, np.random.default_rng(seed))
    handle.remove()
    return seen


def test_the_kinds_of_first_prompts_are_all_there_are():
    assert sum(ZOOMED_KINDS.values()) == pytest.approx(1)
    assert sum(WHOLE_KINDS.values()) == pytest.approx(1)


def test_one_batch_is_soon_learned_by_heart(network, batch):
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-2)
    losses = []
    for step in range(30):
        loss, parts = look_loss(network, batch, np.random.default_rng(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        assert {"look_0", "look_1"} <= parts.keys() <= {"look_0", "look_1", "look_2"}
        assert loss.item() == pytest.approx(np.mean(list(parts.values())), rel=1e-4)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])


def test_a_step_teaches_all_of_the_network(network, batch):
    loss, _ = look_loss(network, batch, np.random.default_rng(0))
    loss.backward()
    # A bias before a normalisation changes nothing but for rounding; every weight does.
    silent = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    assert all(name.endswith("conv.bias") for name in silent)


def test_objects_on_whole_views_are_clicked_and_zoomed_ones_never_by_a_click_alone(network, batch):
    whole = LookBatch(batch.images, batch.shares, np.ones(4, dtype=bool))
    zoomed = LookBatch(batch.images, batch.shares, np.zeros(4, dtype=bool))
    lone, boxed = 0, 0
    for seed in range(12):
        first = _prompts_of(network, whole, seed)[0]
        assert set(first.point_labels.unique().tolist()) <= {FOREGROUND, PADDING}
        lone += int((~first.has_mask & (first.point_labels == FOREGROUND).any(dim=1)).sum())
        first = _prompts_of(network, zoomed, seed)[0]
        box = (first.point_labels == BOX_UPPER_LEFT).any(dim=1) & (first.point_labels == BOX_LOWER_RIGHT).any(dim=1)
        assert (box | first.has_mask).all()
        boxed += int(box.sum())
    assert lone > 36 and 16 < boxed < 40


def test_corrections_add_clicks_to_the_prompts_and_bring_the_answer_along(network, batch):
    for seed in range(6):
        rounds = _prompts_of(network, batch, seed)
        assert len(rounds) in (2, 3)
        given = [(prompts.point_labels != PADDING).sum(dim=1) for prompts in rounds]
        for before, after in itertools.pairwise(given):
            # An untrained network errs everywhere.
            assert (after > before).all()
        assert rounds[1].has_mask.any()


def test_of_two_parts_only_the_one_that_was_clicked_is_asked_for(network, monkeypatch: pytest.MonkeyPatch):
    shares = np.zeros((1, GRID, GRID), dtype=np.float32)
    shares[0, 4:12, 4:12] = shares[0, 20:28, 18:30] = 1.0
    # Cells at the border of the first part that it takes a third of.
    shares[0, 3, 4:12] = 0.33
    batch = LookBatch(torch.zeros(1, 3, SIZE, SIZE), shares, np.ones(1, dtype=bool))
    asked: list[torch.Tensor] = []

    def noted(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        asked.append(truth[0])
        return mask_loss(logits, truth)

    monkeypatch.setattr("samantic.segsam.training.look_rounds.mask_loss", noted)
    seen = set()
    for seed in range(12):
        asked.clear()
        (x, y), *_ = _prompts_of(network, batch, seed)[0].points_xy[0].tolist()
        (label, *_) = _prompts_of(network, batch, seed)[0].point_labels[0].tolist()
        if label != FOREGROUND:
            assert torch.equal(asked[0], torch.from_numpy(shares[0]))
            continue
        upper = y < 32
        seen.add(upper)
        part = torch.zeros(GRID, GRID, dtype=torch.bool)
        part[slice(0, 16) if upper else slice(16, GRID)] = True
        assert torch.equal(asked[0], torch.from_numpy(shares[0]) * part)
        assert 0 < x < SIZE
    assert seen == {True, False}


class TestMaskLoss:
    def test_a_sure_and_right_answer_costs_next_to_nothing_and_a_wrong_one_much(self):
        shares = torch.zeros(2, 8, 8)
        shares[:, 2:6, 2:6] = 1.0
        logits = 20 * (2 * shares - 1)[:, None]
        right, wrong = mask_loss(torch.cat([logits[:1], -logits[1:]]), shares).tolist()
        assert right < 0.01 and wrong > 10

    def test_half_a_share_is_answered_best_by_half_a_probability(self):
        shares = torch.full((3, 8, 8), 0.5)
        logits = torch.tensor([-4.0, 0.0, 4.0]).view(3, 1, 1, 1).expand(3, 1, 8, 8)
        below, half, above = mask_loss(logits, shares).tolist()
        assert half < below and half < above

    def test_objects_are_judged_one_by_one(self):
        generator = torch.Generator().manual_seed(0)
        logits, shares = torch.randn(3, 1, 8, 8, generator=generator), torch.rand(3, 8, 8, generator=generator)
        together = mask_loss(logits, shares)
        assert together.shape == (3,)
        for row in range(3):
            torch.testing.assert_close(together[row : row + 1], mask_loss(logits[row : row + 1], shares[row : row + 1]))
