from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from samantic.training import FitOptions, TrainingError, TrainingStopped, fit
from samantic.training.loop import IDLE_STEPS

OPTIONS = FitOptions(steps=12, learning_rate=1e-2, checkpoint_minutes=0)


class _PowerCutError(Exception):
    pass


def _cut_at(task, step: int):
    draw = task.draw

    def cut(now: int, random):
        if now == step:
            raise _PowerCutError
        return draw(now, random)

    task.draw = cut
    return task


def _assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], atol=1e-6, rtol=0, msg=name)


def test_a_toy_learns(toy, metrics, tmp_path: Path):
    fit(toy.ToyTask(), replace(OPTIONS, steps=60, checkpoint_minutes=60), tmp_path)
    losses = [float(line["loss"]) for line in metrics(tmp_path)]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_a_resumed_run_ends_with_the_weights_and_metrics_of_an_uninterrupted_one(toy, metrics, tmp_path: Path):
    whole = fit(toy.ToyTask(), OPTIONS, tmp_path / "whole")
    with pytest.raises(_PowerCutError):
        fit(_cut_at(toy.ToyTask(), 7), OPTIONS, tmp_path / "cut")
    torch.manual_seed(99)  # dropout must not depend on what happened before
    again = toy.ToyTask(toy.toy_network(5))
    resumed = fit(again, OPTIONS, tmp_path / "cut")
    assert again.drawn == [7, 8, 9, 10, 11]
    _assert_equal(whole.state_dict(), resumed.state_dict())
    _assert_equal(torch.load(tmp_path / "whole" / "toy.pt"), torch.load(tmp_path / "cut" / "toy.pt"))
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "cut")
    assert [int(line["step"]) for line in metrics(tmp_path / "cut")] == list(range(12))


def test_a_run_cut_off_before_its_first_state_begins_anew_without_doubled_lines(toy, metrics, tmp_path: Path):
    options = replace(OPTIONS, checkpoint_minutes=60)
    with pytest.raises(_PowerCutError):
        fit(_cut_at(toy.ToyTask(), 5), options, tmp_path)
    assert len(metrics(tmp_path)) == 5 and not (tmp_path / "state.pt").exists()
    fit(toy.ToyTask(), options, tmp_path)
    assert [int(line["step"]) for line in metrics(tmp_path)] == list(range(12))


def test_a_deleted_metrics_file_does_not_hinder_resuming(toy, metrics, tmp_path: Path):
    with pytest.raises(_PowerCutError):
        fit(_cut_at(toy.ToyTask(), 7), OPTIONS, tmp_path)
    (tmp_path / "metrics.csv").unlink()
    fit(toy.ToyTask(), OPTIONS, tmp_path)
    assert [int(line["step"]) for line in metrics(tmp_path)] == list(range(7, 12))


def test_a_finished_run_gives_its_weights_without_another_step(toy, tmp_path: Path):
    first = fit(toy.ToyTask(), OPTIONS, tmp_path)
    task = toy.ToyTask(toy.toy_network(5))
    _assert_equal(fit(task, OPTIONS, tmp_path).state_dict(), first.state_dict())
    assert task.drawn == []


@pytest.mark.parametrize(
    ("change", "said"),
    [({"learning_rate": 0.5}, "learning_rate was 0.01 and is now 0.5"), ({"steps": 99}, "steps was 12 and is now 99")],
)
def test_a_folder_of_a_run_with_other_options_is_refused(toy, tmp_path: Path, change, said):
    fit(toy.ToyTask(), OPTIONS, tmp_path)
    before = (tmp_path / "state.pt").read_bytes()
    with pytest.raises(TrainingError, match=said) as refusal:
        fit(toy.ToyTask(), replace(OPTIONS, **change), tmp_path)
    assert "another folder" in str(refusal.value)
    assert (tmp_path / "state.pt").read_bytes() == before


def test_a_folder_of_a_run_with_another_task_is_refused(toy, tmp_path: Path):
    fit(toy.ToyTask(extra={"network": {"width": 3}}), OPTIONS, tmp_path)
    with pytest.raises(TrainingError, match=r"network\.width was 3 and is now 4"):
        fit(toy.ToyTask(extra={"network": {"width": 4}}), OPTIONS, tmp_path)


def test_how_often_states_and_sheets_are_written_may_change(toy, tmp_path: Path):
    with pytest.raises(_PowerCutError):
        fit(_cut_at(toy.ToyTask(), 7), OPTIONS, tmp_path)
    task = toy.ToyTask()
    fit(task, replace(OPTIONS, checkpoint_minutes=5, sheet_every=5), tmp_path)
    assert task.sheets == ["step-10.png", "step-12.png"]
    assert (tmp_path / "sheets" / "step-12.png").is_file()


def test_ctrl_c_ends_the_run_after_the_step_and_it_resumes_exactly(toy, tmp_path: Path):
    options = replace(OPTIONS, checkpoint_minutes=60)
    whole = fit(toy.ToyTask(), options, tmp_path / "whole")
    task = toy.ToyTask()
    draw = task.draw

    def interrupted(step: int, random):
        if step == 4:
            signal.raise_signal(signal.SIGINT)
        return draw(step, random)

    task.draw = interrupted
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingStopped, match="after step 5 of 12") as stopped:
        fit(task, options, tmp_path / "cut")
    assert stopped.value.signal_number == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is handler
    _assert_equal(whole.state_dict(), fit(toy.ToyTask(), options, tmp_path / "cut").state_dict())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_changes_no_weights_and_is_said(toy, metrics, tmp_path: Path, capsys, value):
    task = toy.ToyTask(losses={5: value})
    network = fit(task, OPTIONS, tmp_path)
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())
    assert "Step 6 was left out" in capsys.readouterr().out
    assert metrics(tmp_path)[5]["loss"] in ("nan", "inf")
    assert int(torch.load(tmp_path / "state.pt")["average"]["n_averaged"]) == 11


def test_a_run_that_only_sees_losses_that_are_no_numbers_ends_with_a_sentence(toy, tmp_path: Path):
    broken = {step: float("nan") for step in range(2, 500)}
    options = replace(OPTIONS, steps=500, checkpoint_minutes=60)
    task = toy.ToyTask(losses=broken)
    with pytest.raises(TrainingError, match=f"{IDLE_STEPS} steps in a row taught nothing"):
        fit(task, options, tmp_path)
    assert task.drawn[-1] == 1 + IDLE_STEPS


def test_a_step_with_nothing_to_learn_from_is_passed_over(toy, metrics, tmp_path: Path):
    fit(toy.ToyTask(nothing_at=(3, 4)), OPTIONS, tmp_path)
    assert [int(line["step"]) for line in metrics(tmp_path)] == [0, 1, 2, *range(5, 12)]


def test_two_precisions_in_one_process_do_not_disturb_one_another(toy, tmp_path: Path):
    fit(toy.ToyTask(), replace(OPTIONS, mixed_precision="bf16"), tmp_path / "half")
    fit(toy.ToyTask(), OPTIONS, tmp_path / "full")
    half, full = (torch.load(tmp_path / run / "toy.pt")["4.weight"] for run in ("half", "full"))
    assert not torch.equal(half, full)
    torch.testing.assert_close(half, full, atol=0.05, rtol=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine can train in fp16")
def test_a_precision_that_the_device_lacks_is_refused_with_a_sentence(toy, tmp_path: Path):
    with pytest.raises(TrainingError, match="mixed_precision fp16 needs a GPU"):
        fit(toy.ToyTask(), replace(OPTIONS, mixed_precision="fp16"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all"])
def test_a_damaged_state_is_refused_with_a_sentence(toy, tmp_path: Path, content):
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be read as the state of a run"):
        fit(toy.ToyTask(), OPTIONS, tmp_path)


def test_a_state_of_an_older_version_is_refused_with_a_sentence(toy, tmp_path: Path):
    torch.save({"step": 3}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="does not say which run it belongs to"):
        fit(toy.ToyTask(), OPTIONS, tmp_path)


def test_progress_is_told_in_words(toy, tmp_path: Path, capsys):
    fit(toy.ToyTask(), replace(OPTIONS, steps=45, checkpoint_minutes=60), tmp_path)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step ")]
    assert [line.split(":")[0] for line in lines] == ["step 20 of 45", "step 40 of 45", "step 45 of 45"]
    assert "loss 0." in lines[0] and "s a step" in lines[0] and lines[-1].endswith("0 s left")


def test_the_folder_says_what_the_run_is(toy, tmp_path: Path):
    fit(toy.ToyTask(extra={"colour": "red"}), OPTIONS, tmp_path)
    written = json.loads((tmp_path / "options.json").read_text())
    assert written["options"]["steps"] == 12 and written["task"]["colour"] == "red" and written["processes"] == 1
