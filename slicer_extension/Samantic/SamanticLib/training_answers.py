"""What the server says of a training, a task with the last lines that it printed, and of the versions it made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from SamanticLib.answers import ModelVersion, TrainingEpoch, TrainingState
from SamanticLib.errors import BadAnswer
from SamanticLib.fields import Fields

BUNDLED = "bundled"
"""The version that a server has before the first training."""

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
    """Read the versions of a model, the bundled one first and the newest last. Raises BadAnswer."""
    answer, served = _of_model(value, model), served_version(value, model)
    found = (ModelVersion(BUNDLED, model), *(_version(one, model) for one in answer.each("versions")))
    if [one.version for one in found].count(served) != 1:
        raise BadAnswer(f"The server says it serves the version '{served[:40]}' of {model}, but does not list it once.")
    return tuple(replace(one, is_served=one.version == served) for one in found)


def served_version(value: Any, model: str) -> str:
    """Read which version of a model is served. Raises BadAnswer."""
    return _of_model(value, model).text("served")


def _of_model(value: Any, model: str) -> Fields:
    answer = Fields(value, "the versions")
    if answer.text("model") != model:
        raise BadAnswer(f"The server answered about the model '{answer.text('model')[:80]}', not about '{model}'.")
    return answer


def _version(one: Fields, model: str) -> ModelVersion:
    return ModelVersion(
        version=one.text("version"),
        model=model,
        dice_before=one.optional_number("dice_before"),
        dice_after=one.optional_number("dice_after"),
        per_class=one.numbers("per_class"),
        new_classes=one.texts("new_classes"),
        published_at=one.text("published_at", ""),
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
