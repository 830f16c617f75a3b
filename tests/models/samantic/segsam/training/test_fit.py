from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam import SegSamConfig, load_network
from samantic.segsam.training.fit import FitOptions, fit, text_vectors

SHARES = {"square": 0.5, "disc": 0.5}


@pytest.fixture
def sets(square_view, disc_view) -> dict[str, Sequence[LabelledView]]:
    return {"square": [square_view], "disc": [disc_view]}


class _PowerCutError(Exception):
    pass


class _Until(Sequence[LabelledView]):
    """Views that end the run when they are drawn once too often."""

    def __init__(self, views: Sequence[LabelledView], left: list[int]) -> None:
        self.views, self.left = views, left

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, index: Any) -> Any:
        if not self.left[0]:
            raise _PowerCutError
        self.left[0] -= 1
        return self.views[index]


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
    for part in ("binary_1", "semantic", "presence"):
        values = [float(line[part]) for line in lines]
        assert np.mean(values[-8:]) < 0.7 * np.mean(values[:4]), part
    assert not network.training


def test_a_resumed_run_ends_where_an_uninterrupted_one_would(config: SegSamConfig, sets, tmp_path: Path):
    # Zero minutes: a checkpoint after every step.
    options = FitOptions(steps=4, batch_size=2, checkpoint_minutes=0)
    whole = fit(config, sets, SHARES, options, tmp_path / "whole")

    left = [5]  # two steps of two pictures, then the third step's second picture is never drawn
    with pytest.raises(_PowerCutError):
        fit(config, {name: _Until(views, left) for name, views in sets.items()}, SHARES, options, tmp_path / "cut")
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
    with pytest.raises(_PowerCutError):
        fit(config, {name: _Until(views, left) for name, views in sets.items()}, SHARES, options, tmp_path)
    with (tmp_path / "metrics.csv").open("a") as lines:
        lines.write("2,9.0,9.0\n2,")  # logged, but the power went before the checkpoint
    fit(config, sets, SHARES, options, tmp_path)
    assert [line["step"] for line in _metrics(tmp_path)] == ["0", "1", "2"]
    assert _metrics(tmp_path)[2]["loss"] != "9.0"


def test_a_finished_run_gives_its_network_without_another_step(config: SegSamConfig, sets, tmp_path: Path):
    options = FitOptions(steps=1, batch_size=2)
    network = fit(config, sets, SHARES, options, tmp_path)
    nothing_left = {name: _Until(views, [0]) for name, views in sets.items()}
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
    forbidden = {**sets, "disc": _Until(sets["disc"], [0])}
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
