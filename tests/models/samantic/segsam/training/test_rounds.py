from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samantic.segsam import SegSam
from samantic.segsam.losses import NO_CLASS
from samantic.segsam.prompt_batch import BACKGROUND, BOX_LOWER_RIGHT, BOX_UPPER_LEFT, FOREGROUND, PADDING, PromptBatch
from samantic.segsam.training.batches import BatchBuilder
from samantic.segsam.training.rounds import Interaction, correct, first_prompt, prompt_batch, training_loss
from samantic.vocabulary import load_vocabulary


@pytest.fixture
def truth() -> np.ndarray:
    """Two parts, in 32 rows and columns."""
    truth = np.zeros((32, 32), dtype=bool)
    truth[4:16, 3:15] = truth[20:30, 20:31] = True
    return truth


def test_first_prompts_are_boxes_clicks_both_or_roughly_drawn_masks(truth):
    kinds: dict[str, int] = {}
    overlaps: list[float] = []
    for seed in range(200):
        item = first_prompt(truth, np.random.default_rng(seed))
        labels = [label for _, _, label in item.clicks]
        if item.mask_logits is not None:
            kind = "mask"
            rough = item.mask_logits > 0
            assert labels == [] and item.mask_logits.shape == truth.shape
            assert rough.any()
            overlaps.append((rough & truth).sum() / (rough | truth).sum())
        else:
            kind = {(2, 3): "box", (1,): "click", (2, 3, 1): "both"}[tuple(labels)]
        kinds[kind] = kinds.get(kind, 0) + 1
        assert item.ambiguous == (kind == "click")
        if kind == "click":
            x, y, _ = item.clicks[0]
            assert truth[int(y), int(x)] and item.truth[int(y), int(x)]
            assert item.truth.sum() in (12 * 12, 10 * 11)
        else:
            assert np.array_equal(item.truth, truth)
    assert kinds.keys() == {"box", "click", "both", "mask"}
    assert kinds["box"] > 60 and kinds["click"] > 60
    assert 0.5 < np.median(overlaps) < 0.95


def test_other_kinds_of_first_prompts_come_as_often_as_asked_for(truth):
    with_mask = 0
    for seed in range(100):
        item = first_prompt(truth, np.random.default_rng(seed), {"box": 0.7, "click and mask": 0.3})
        if item.mask_logits is None:
            assert [label for _, _, label in item.clicks] == [BOX_UPPER_LEFT, BOX_LOWER_RIGHT]
            continue
        with_mask += 1
        assert [label for _, _, label in item.clicks] == [FOREGROUND]
        assert item.truth.sum() in (12 * 12, 10 * 11) and not item.ambiguous
        rough = item.mask_logits > 0
        assert (rough & item.truth).any()
    assert 15 < with_mask < 45


def test_corrections_are_clicks_on_errors_and_the_answer_becomes_the_previous_mask(truth):
    found = np.where(truth, 30.0, -30.0).astype(np.float32)
    found[20:30, 20:31] = -30.0
    kept = 0
    for seed in range(40):
        item = Interaction(truth, [(9.0, 9.0, FOREGROUND)])
        correct([item], found[None], np.random.default_rng(seed))
        assert 2 <= len(item.clicks) <= 3
        for x, y, label in item.clicks[1:]:
            assert label == FOREGROUND and truth[int(y), int(x)] and x >= 20
        if item.mask_logits is not None:
            kept += 1
            assert np.array_equal(item.mask_logits > 0, found > 0) and np.abs(item.mask_logits).max() == 20
    assert 28 <= kept < 40


def test_on_a_grid_of_a_quarter_clicks_keep_their_place_as_well(truth):
    batch = prompt_batch([Interaction(truth, [(0.0, 31.0, FOREGROUND)])], torch.tensor([0]), image_size=128)
    # Cell 0 covers the pixels 0 to 3, cell 31 the pixels 124 to 127.
    assert batch.points_xy[0].tolist() == [[1.5, 125.5]]


def test_a_region_without_a_name_teaches_no_mask_and_is_background_to_the_semantic_path(network: SegSam, square_view):
    builder = BatchBuilder(network.config.class_names, load_vocabulary(), network.image_size, 1, unknown_share=0)
    batch = builder.build([square_view], np.random.default_rng(0))
    assert batch is not None
    nameless = replace(
        batch,
        is_structure=torch.zeros(1, dtype=torch.bool),
        targets=replace(batch.targets, class_index=torch.tensor([NO_CLASS])),
    )
    _, parts = training_loss(network, nameless, 1.0, np.random.default_rng(1))
    assert {value for name, value in parts.items() if name.startswith("binary_")} == {0.0}
    assert parts["binary_0"] == parts["alignment"] == 0.0
    assert parts["semantic"] > 0


def test_clicks_of_the_mask_grid_keep_their_place_in_the_picture(truth):
    drawn = np.full(truth.shape, 3.0, dtype=np.float32)
    items = [
        Interaction(truth, [(0.0, 31.0, FOREGROUND), (10.0, 4.0, BACKGROUND)]),
        Interaction(truth, [(-0.5, 7.5, BOX_UPPER_LEFT), (31.5, 15.5, BOX_LOWER_RIGHT), (1.0, 2.0, FOREGROUND)]),
        Interaction(truth, mask_logits=drawn),
    ]
    batch = prompt_batch(items, torch.tensor([0, 0, 1]), image_size=64)
    # Cell 0 covers the pixels 0 and 1: its centre is at 0.5 and its left edge at -0.5.
    assert batch.points_xy[0, :2].tolist() == [[0.5, 62.5], [20.5, 8.5]]
    assert batch.points_xy[1, :2].tolist() == [[-0.5, 15.5], [63.5, 31.5]]
    assert batch.point_labels.tolist() == [[1, 0, PADDING], [2, 3, 1], [PADDING] * 3]
    assert batch.has_mask.tolist() == [False, False, True]
    assert torch.equal(batch.mask_logits[2, 0], torch.from_numpy(drawn)) and not batch.mask_logits[:2].any()
    assert batch.image_index.tolist() == [0, 0, 1]


def test_a_step_reports_all_parts_and_teaches_all_of_the_network(network: SegSam, square_view, disc_view):
    builder = BatchBuilder(network.config.class_names, load_vocabulary(), network.image_size, 3)
    batch = builder.build([square_view, disc_view], np.random.default_rng(0))
    assert batch is not None
    learned: set[str] = set()
    reported: set[str] = set()
    for seed in range(6):
        network.zero_grad()
        loss, parts = training_loss(network, batch, 1.0, np.random.default_rng(seed))
        loss.backward()
        assert torch.isfinite(loss)
        assert {"binary_0", "semantic", "presence", "alignment"} <= parts.keys()
        assert all(np.isfinite(value) and value >= 0 for value in parts.values())
        reported |= parts.keys()
        learned |= {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert "binary_1" in reported
    silent = {name for name, _ in network.named_parameters()} - learned
    # Padding is not looked at, and of the three alternatives only the best one learns.
    silent = {name for name in silent if "output_hypernetworks_mlps" not in name}
    assert silent == {"prompt_encoder.not_a_point_embed.weight"}


def test_the_alignment_counts_by_its_weight(network: SegSam, square_view):
    builder = BatchBuilder(network.config.class_names, load_vocabulary(), network.image_size, 3)
    batch = builder.build([square_view], np.random.default_rng(0))
    assert batch is not None
    with torch.no_grad():
        without, parts = training_loss(network, batch, 0.0, np.random.default_rng(1))
        with_it, _ = training_loss(network, batch, 2.0, np.random.default_rng(1))
    assert (with_it - without).item() == pytest.approx(2 * parts["alignment"], abs=1e-4)


def test_the_names_count_by_their_weight(network: SegSam, square_view):
    builder = BatchBuilder(network.config.class_names, load_vocabulary(), network.image_size, 3)
    batch = builder.build([square_view], np.random.default_rng(0))
    assert batch is not None
    with torch.no_grad():
        without, parts = training_loss(network, batch, 0.0, np.random.default_rng(1), semantic_weight=0.0)
        with_them, _ = training_loss(network, batch, 0.0, np.random.default_rng(1), semantic_weight=2.0)
    assert (with_them - without).item() == pytest.approx(2 * (parts["semantic"] + parts["presence"]), abs=1e-4)


def test_most_objects_are_named_with_their_border_almost_as_it_is(
    network: SegSam, square_view, monkeypatch: pytest.MonkeyPatch
):
    builder = BatchBuilder(network.config.class_names, load_vocabulary(), network.image_size, 1, unknown_share=0)
    batch = builder.build([square_view], np.random.default_rng(0))
    assert batch is not None
    named: list[PromptBatch] = []

    def without_names(_features: object, prompts: PromptBatch) -> None:
        named.append(prompts)

    monkeypatch.setattr(network, "name", without_names)
    almost = 0
    with torch.no_grad():
        for seed in range(40):
            training_loss(network, batch, 1.0, np.random.default_rng(seed))
    for prompts in named:
        drawn = prompts.mask_logits[0, 0].numpy()
        truth = batch.objects[0]
        if set(np.unique(drawn)) == {-6.0, 6.0}:
            almost += ((drawn > 0) & truth).sum() / ((drawn > 0) | truth).sum() > 0.75
    assert len(named) == 40 and 16 < almost < 34


def test_a_network_without_the_semantic_path_learns_masks_alone(config, square_view):
    network = SegSam(replace(config, so_token=False, co_tokens=False, text_to_vision=False))
    builder = BatchBuilder(config.class_names, load_vocabulary(), network.image_size, 3)
    batch = builder.build([square_view], np.random.default_rng(0))
    assert batch is not None
    loss, parts = training_loss(network, batch, 1.0, np.random.default_rng(1))
    assert torch.isfinite(loss)
    assert all(name.startswith("binary_") for name in parts)
