"""What the server says of a training: a task with the last lines that it printed, and the statistics of `/info/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from SamanticLib.answers import ModelVersion, TrainingEpoch, TrainingState
from SamanticLib.fields import Fields

STATES = {"SUBMITTED": "queued", "RUNNING": "running", "DONE": "done", "ERROR": "failed", "STOPPED": "stopped"}


def training_state(value: Any) -> TrainingState:
    """Read a task of `/train/`, None for no task. Raises BadAnswer."""
    if value is None:
        return TrainingState("none")
    task = Fields(value, "the training")
    printed = task.texts("details")
    lines = list(_lines_of_json(printed))
    # Only the last line of a round that went well says what became of it.
    end = next((line for line in reversed(lines) if "published" in line.raw), Fields({}, "the training"))
    plain = [line for line in printed if line.strip() and not line.startswith("{")]
    return TrainingState(
        state=STATES.get(task.text("status"), "failed"),
        model=task.fields("request").text("model", ""),
        epochs=tuple(_epoch(line) for line in lines if "epoch" in line.raw),
        published=end.optional_text("published"),
        dice_before=end.optional_number("before"),
        dice_after=end.optional_number("after"),
        detail=plain[-1][:500] if plain else "",
        id=task.text("id", ""),
    )


def model_versions(value: Any, model: str) -> tuple[ModelVersion, ...]:
    """Read from `GET /info/` the version that the last training of a model published. Raises BadAnswer."""
    stats = Fields(value, "what the server says of itself").fields("train_stats").fields(model)
    published = stats.optional_text("published")
    if published is None:
        return ()
    return (
        ModelVersion(
            version=published,
            model=model,
            dice_before=stats.fields("before").optional_number("mean_dice"),
            dice_after=stats.optional_number("best_metric"),
            per_class=stats.numbers("per_class"),
            new_classes=stats.texts("new_classes"),
        ),
    )


def _lines_of_json(printed: tuple[str, ...]) -> Iterator[Fields]:
    for line in printed:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield Fields(value, "a line of the training")


def _epoch(line: Fields) -> TrainingEpoch:
    return TrainingEpoch(
        epoch=line.whole("epoch"),
        epochs=line.whole("epochs", 0),
        loss=line.optional_number("loss"),
        mean_dice=line.optional_number("mean_dice"),
        dice=line.numbers("dice"),
        is_best=bool(line.flag("best")),
        seconds=line.optional_number("seconds"),
    )
