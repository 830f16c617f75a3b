from __future__ import annotations

import builtins
import time
from pathlib import Path

from samantic.training.metrics_log import MetricsLog


def _write(run: Path, first: int, steps: dict[int, dict[str, float]], told: list[str] | None = None) -> str:
    log = MetricsLog(run, first, (told if told is not None else []).append)
    for step, values in steps.items():
        log.write(step, values)
    log.make_durable()
    log.close()
    return (run / "metrics.csv").read_text()


def test_columns_grow_with_what_is_measured(tmp_path: Path):
    text = _write(tmp_path, 0, {0: {"loss": 1.5}, 1: {"loss": 1.0, "dice": 0.25}, 2: {"dice": 0.5}})
    assert text == "step,loss,dice\n0,1.5,\n1,1,0.25\n2,,0.5\n"


def test_lines_of_steps_that_come_again_and_half_a_line_are_dropped(tmp_path: Path):
    _write(tmp_path, 0, {step: {"loss": float(step)} for step in range(5)})
    with (tmp_path / "metrics.csv").open("a") as stream:
        stream.write("1")  # the power went while "15,..." was written
    assert _write(tmp_path, 3, {3: {"loss": 9.0}}) == "step,loss\n0,0\n1,1\n2,2\n3,9\n"


def test_a_file_that_is_no_metrics_begins_anew(tmp_path: Path):
    (tmp_path / "metrics.csv").write_text("something else\n")
    assert _write(tmp_path, 2, {2: {"loss": 1.0}}) == "step,loss\n2,1\n"


def test_tensorboard_gets_the_same_values(tmp_path: Path):
    import pytest

    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _write(tmp_path, 0, {0: {"loss": 1.5}, 1: {"loss": 1.0}, 2: {"loss": 7.0}})
    # TensorBoard reads files by name, which tells the second; a run never goes on in the one in which it was cut off.
    time.sleep(1.1)
    _write(tmp_path, 2, {2: {"loss": 0.5}})
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(0, 1.5), (1, 1.0), (2, 0.5)]


def test_without_tensorboard_the_csv_is_written_and_one_line_says_so(tmp_path: Path, monkeypatch):
    real = builtins.__import__

    def without(name: str, *arguments, **options):
        if name.startswith(("tensorboard", "torch.utils.tensorboard")):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    told: list[str] = []
    assert _write(tmp_path, 0, {0: {"loss": 1.5}, 1: {"loss": 1.0}}, told) == "step,loss\n0,1.5\n1,1\n"
    assert len(told) == 1 and "TensorBoard is not installed" in told[0]
    assert not (tmp_path / "tensorboard").exists()
