"""What a training tells: a line of JSON for every epoch, and the statistics that `/info/` shows."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from samantic.imaging.atomic import atomic_path
from samantic.segsam.training.retraining import EpochReport, LearnedRound

STATS = "train_stats.json"


class TrainingRecord:
    """Tells of one training on standard output, which the server passes on, and in a file of statistics.

    The statistics have the names of MONAI Label's (`epoch`, `best_metric`, `start_ts`, `current_time` or, at the end,
    `total_time`, `train`, `eval`), and beside them `per_class`, `before` and `published`. Source: ours.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATS
        self._began = time.time()
        self._stats: dict[str, Any] = {"start_ts": int(self._began), "epoch": 0, "published": None}

    def say(self, **line: Any) -> None:
        """Print one line of JSON."""
        print(json.dumps(_plain(line)), flush=True)

    def epoch(self, report: EpochReport) -> None:
        """Tell of an epoch that is done."""
        best = max(report.after.mean_dice, self._stats.get("best_metric", -math.inf))
        self.say(
            epoch=report.epoch,
            epochs=report.epochs,
            loss=report.loss,
            mean_dice=report.after.mean_dice,
            dice=dict(report.after.dice),
            best=report.is_best,
            seconds=round(report.seconds, 1),
        )
        if report.is_best:
            self._stats["per_class"] = dict(report.after.dice)
        self._write(
            epoch=report.epoch,
            max_epochs=report.epochs,
            best_metric=best,
            before=report.before.to_dict(),
            train={"loss": report.loss},
            eval={"val_mean_dice": report.after.mean_dice, "best_metric": best},
            current_time=self._elapsed(),
        )

    def done(self, learned: LearnedRound, version: str | None) -> dict[str, Any]:
        """Tell how it ended, and return the statistics."""
        self._stats.pop("current_time", None)
        self._write(
            before=learned.before,
            best_metric=learned.after["mean_dice"],
            per_class=learned.after["dice"],
            new_classes=list(learned.new_classes),
            left_out=list(learned.left_out),
            published=version,
            total_time=self._elapsed(),
        )
        self.say(published=version, before=learned.before["mean_dice"], after=learned.after["mean_dice"])
        return dict(self._stats)

    def _write(self, **values: Any) -> None:
        self._stats.update(_plain(values))
        with atomic_path(self._path, durable=False) as temporary:
            temporary.write_text(json.dumps(self._stats, indent=1), encoding="utf-8")

    def _elapsed(self) -> str:
        return str(timedelta(seconds=int(time.time() - self._began)))


def last_statistics(folder: Path) -> dict[str, Any]:
    """Return the statistics of the training in progress or, without one, of the last; {} if there is none."""
    try:
        stats = json.loads((folder / STATS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stats if isinstance(stats, dict) else {}


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity; what is no number is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
