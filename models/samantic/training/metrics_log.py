"""What was measured at every step: `metrics.csv`, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samantic.imaging import atomic_path


class MetricsLog:
    """Appends lines to `metrics.csv` in the run folder; columns grow when a step brings a new value.

    Lines from `first_step` on, left by a run that was cut off after its last state, are dropped: they come again.
    """

    def __init__(self, run: Path, first_step: int, tell: Callable[[str], None]) -> None:
        self._path = run / "metrics.csv"
        self._columns, kept = _read(self._path, first_step)
        self._rewrite(kept)
        self._stream = self._path.open("a", newline="", encoding="utf-8")
        self._board = _tensorboard(run / "tensorboard", first_step, tell)

    def write(self, step: int, values: dict[str, float]) -> None:
        """Add one step; the line is with the operating system when this returns."""
        new = [name for name in values if name not in self._columns]
        if new:
            self._columns += new
            self._stream.close()
            self._rewrite(_read(self._path, step)[1])
            self._stream = self._path.open("a", newline="", encoding="utf-8")
        line = {"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}}
        csv.DictWriter(self._stream, self._columns, restval="", lineterminator="\n").writerow(line)
        self._stream.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def make_durable(self) -> None:
        """Flush to the disk: a state that says "step 100" must not outlive the lines before step 100."""
        os.fsync(self._stream.fileno())
        if self._board is not None:
            self._board.flush()

    def close(self) -> None:
        self._stream.close()
        if self._board is not None:
            self._board.close()

    def _rewrite(self, lines: list[dict[str, str]]) -> None:
        with atomic_path(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, self._columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)


def _read(path: Path, before: int) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and the lines of steps below `before`; half a line at the end is none."""
    if not path.exists():
        return ["step"], []
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    reader = csv.DictReader(io.StringIO(whole))
    columns = list(reader.fieldnames or ())
    if "step" not in columns:
        return ["step"], []
    lines = [
        {name: value or "" for name, value in line.items() if name in columns}
        for line in reader
        if (line["step"] or "").isdigit() and int(line["step"]) < before
    ]
    return columns, lines


def _tensorboard(folder: Path, first_step: int, tell: Callable[[str], None]) -> Any | None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        tell("TensorBoard is not installed (pip install 'samantic[tensorboard]'): metrics go to metrics.csv alone.")
        return None
    return SummaryWriter(str(folder), purge_step=first_step)
