from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models.samantic.segsam.training.power_cut import PowerCutError, Until

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor, ViewPrompts, load_network
from samantic.segsam.checkpoint import save_network
from samantic.segsam.training.fit import FitOptions, fit, text_vectors
from samantic.training import TrainingError

SHARES = {"square": 0.5, "disc": 0.5}


@pytest.fixture
def sets(square_view, disc_view) -> dict[str, Sequence[LabelledView]]:
    return {"square": [square_view], "disc": [disc_view]}


def _metrics(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def _assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], atol=1e-6, rtol=0, msg=name)


def test_two_simple_pictures_are_soon_learned(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=30, batch_size=2, learning_rate=3e-3, average_decay=0.9)
    network = fit(config, sets, SHARES, options, tmp_path)
    lines = _metrics(tmp_path)
    assert [int(line["step"]) for line in lines] == list(range(30))
    for part in ("binary_0", "semantic", "presence"):
        values = [float(line[part]) for line in lines]
        assert np.mean(values[-8:]) < 0.7 * np.mean(values[:4]), part
    assert not network.training


def test_a_resumed_run_ends_where_an_uninterrupted_one_would(config: SegSamConfig, sets, tmp_path: Path):
    # Zero minutes: a checkpoint after every step.
    options = FitOptions(steps=4, batch_size=2, checkpoint_minutes=0)
    whole = fit(config, sets, SHARES, options, tmp_path / "whole")

    left = [5]  # two steps of two pictures, then the third step's second picture is never drawn
    with pytest.raises(PowerCutError):
        fit(config, {name: Until(views, left) for name, views in sets.items()}, SHARES, options, tmp_path / "cut")
    assert len(_metrics(tmp_path / "cut")) == 2
    torch.manual_seed(123)
    resumed = fit(config, sets, SHARES, options, tmp_path / "cut")

    _assert_equal(whole.state_dict(), resumed.state_dict())
    states = [torch.load(tmp_path / run / "state.pt", weights_only=True) for run in ("whole", "cut")]
    assert [state["step"] for state in states] == [4, 4]
    _assert_equal(states[0]["network"], states[1]["network"])
    assert _metrics(tmp_path / "whole") == _metrics(tmp_path / "cut")


def test_steps_after_the_last_checkpoint_are_run_and_logged_again(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=3, batch_size=2, checkpoint_minutes=0)
    left = [4]
    with pytest.raises(PowerCutError):
        fit(config, {name: Until(views, left) for name, views in sets.items()}, SHARES, options, tmp_path)
    with (tmp_path / "metrics.csv").open("a") as lines:
        lines.write("2,9.0,9.0\n2,")  # logged, but the power went before the checkpoint
    fit(config, sets, SHARES, options, tmp_path)
    assert [line["step"] for line in _metrics(tmp_path)] == ["0", "1", "2"]
    assert _metrics(tmp_path)[2]["loss"] != "9.0"


def test_a_finished_run_gives_its_network_without_another_step(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=1, batch_size=2)
    network = fit(config, sets, SHARES, options, tmp_path)
    nothing_left = {name: Until(views, [0]) for name, views in sets.items()}
    _assert_equal(fit(config, nothing_left, SHARES, options, tmp_path).state_dict(), network.state_dict())


def test_the_weights_file_of_a_run_holds_the_moving_average(config: SegSamConfig, sets, tmp_path: Path):
    network = fit(config, sets, SHARES, FitOptions(steps=3, batch_size=2), tmp_path)
    saved = load_network(tmp_path / "segsam.safetensors")
    assert saved.config == config
    last = torch.load(tmp_path / "state.pt", weights_only=True)["network"]
    for name, tensor in network.state_dict().items():
        assert torch.equal(saved.state_dict()[name], tensor.half().float()), name
    assert not torch.equal(network.state_dict()["mask_decoder.iou_token.weight"], last["mask_decoder.iou_token.weight"])


def test_another_seed_draws_another_run(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=1, batch_size=2)
    losses = set()
    for seed in (1, 2):
        fit(config, sets, SHARES, replace(options, seed=seed), tmp_path / str(seed))
        losses.add(_metrics(tmp_path / str(seed))[0]["loss"])
    assert len(losses) == 2


def test_a_set_without_a_share_is_never_drawn(config: SegSamConfig, sets, tmp_path: Path):
    forbidden = {**sets, "disc": Until(sets["disc"], [0])}
    fit(config, forbidden, {"square": 1.0, "disc": 0.0}, FitOptions(steps=2, batch_size=2), tmp_path)
    assert len(_metrics(tmp_path)) == 2


class _Payload:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_in_place_of_the_checkpoint_is_never_run(config: SegSamConfig, sets, tmp_path: Path):
    torch.save({"step": _Payload(tmp_path / "was_run")}, tmp_path / "state.pt")
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        fit(config, sets, SHARES, FitOptions(steps=1, batch_size=2), tmp_path)
    assert not (tmp_path / "was_run").exists()


def test_text_vectors_come_in_the_order_of_the_classes():
    vectors = text_vectors(("liver", "spleen"))
    assert vectors.shape == (2, 384)
    assert torch.equal(vectors.flip(0), text_vectors(("spleen", "liver")))
    assert not torch.equal(vectors[0], vectors[1])


def test_ten_pictures_are_learned_by_heart(config: SegSamConfig, tmp_path: Path):
    # The first half has its lesion on the left, the others on the right: no constant answer serves all.
    views = []
    for index in range(10):
        labels = np.zeros((64, 64), dtype=np.int16)
        left = 6 if index < 5 else 34
        labels[10 + 3 * index : 26 + 3 * index, left : left + 22] = 1
        image = np.where(labels[..., None] > 0, 210, 40) + np.zeros(3, dtype=np.int64)
        views.append(LabelledView(str(index), "dermoscopy", image.astype(np.uint8), labels, ("skin_lesion",)))
    options = FitOptions(steps=45, batch_size=3, learning_rate=3e-3, average_decay=0.9)
    network = fit(config, {"ten": views}, {"ten": 1.0}, options, tmp_path)
    predictor = SegSamPredictor(network, "ten", "cpu")
    scores = []
    for view in views:
        rows, columns = np.nonzero(view.labels)
        box = (float(columns.min()), float(rows.min()), columns.max() + 1.0, rows.max() + 1.0)
        prompts = ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), box)
        scores.append(dice(predictor.decode(predictor.encode(view.image), [prompts])[0].mask, view.labels > 0))
    assert np.mean(scores) > 0.85, scores


def test_a_run_can_start_from_weights_of_a_smaller_input(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=1, batch_size=2, learning_rate=1e-12, weight_decay=0.0)
    small = fit(replace(config, image_size=32), sets, SHARES, options, tmp_path / "small")
    weights = tmp_path / "small" / "segsam.safetensors"
    large = fit(config, sets, SHARES, replace(options, seed=99), tmp_path / "large", initial_weights=weights)
    assert (small.image_size, large.image_size) == (32, 64)
    for name, tensor in load_network(weights).state_dict().items():
        torch.testing.assert_close(large.state_dict()[name], tensor, atol=1e-6, rtol=0, msg=name)


def test_a_run_can_start_from_weights_with_parts_that_are_trained_apart(config: SegSamConfig, sets, tmp_path: Path):
    torch.manual_seed(0)
    complete = SegSam(
        replace(config, look_size=64, look_width=8, prompt_free_width=8), text_vectors(config.class_names)
    )
    save_network(complete, tmp_path / "complete.safetensors", torch.float32)
    options = FitOptions(steps=1, batch_size=2, learning_rate=1e-12, weight_decay=0.0)
    trained = fit(config, sets, SHARES, options, tmp_path / "run", initial_weights=tmp_path / "complete.safetensors")
    assert trained.look_network is None and trained.prompt_free_head is None
    for name, tensor in trained.state_dict().items():
        torch.testing.assert_close(complete.state_dict()[name], tensor, atol=1e-6, rtol=0, msg=name)


def test_initial_weights_of_another_network_are_refused(config: SegSamConfig, network: SegSam, sets, tmp_path: Path):
    save_network(network, tmp_path / "weights.safetensors")
    for other, said in (
        (replace(config, class_names=("liver", "spleen")), "know 5 classes, this run has 2; 5 are not in both"),
        (replace(config, class_names=config.class_names[::-1]), "their order differs"),
        (replace(config, transformer_mlp_dim=32), "network with other parts"),
    ):
        with pytest.raises(TrainingError, match=said):
            fit(other, sets, SHARES, FitOptions(steps=1), tmp_path, initial_weights=tmp_path / "weights.safetensors")


def test_a_folder_of_another_network_or_other_shares_is_refused(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=1, batch_size=2)
    fit(config, sets, SHARES, options, tmp_path)
    with pytest.raises(TrainingError, match=r"network\.co_tokens was True and is now False"):
        fit(replace(config, co_tokens=False), sets, SHARES, options, tmp_path)
    with pytest.raises(TrainingError, match=r"shares\.disc was 0\.5 and is now 0\.25"):
        fit(config, sets, {"square": 0.75, "disc": 0.25}, options, tmp_path)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"square": 1.0}, "'disc' has only one of the two"),
        ({"square": 0.5, "disc": 0.5, "ct": 0.5}, "'ct' has only one of the two"),
        ({"square": -1.0, "disc": 2.0}, "must not be negative"),
        ({"square": 0.0, "disc": 0.0}, "one must be above 0"),
    ],
)
def test_shares_that_do_not_fit_the_sets_are_refused(config: SegSamConfig, sets, tmp_path: Path, shares, said):
    with pytest.raises(TrainingError, match=said):
        fit(config, sets, shares, FitOptions(steps=1), tmp_path)


def test_a_set_that_is_drawn_but_empty_is_refused(config: SegSamConfig, sets, tmp_path: Path):
    with pytest.raises(TrainingError, match=r"'disc' has a share of 0\.5 but holds no picture"):
        fit(config, {**sets, "disc": []}, SHARES, FitOptions(steps=1), tmp_path)


def test_sheets_of_predictions_are_drawn_and_change_nothing(config: SegSamConfig, sets, square_view, tmp_path: Path):
    options = FitOptions(steps=2, batch_size=2)
    plain = fit(config, sets, SHARES, options, tmp_path / "plain")
    shown = fit(config, sets, SHARES, replace(options, sheet_every=1), tmp_path / "shown", shown=[square_view])
    assert {path.name for path in (tmp_path / "shown" / "sheets").iterdir()} == {"step-1.png", "step-2.png"}
    _assert_equal(plain.state_dict(), shown.state_dict())
