"""The parameters of `POST /train/student…` -> what to start from, and how to learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.parameters import CURRENT, chosen_options, given_parameters, initial_of
from samantic.student.training.retraining import StudentRetrainOptions
from samantic.training import SettingsError
from samantic.training.model_store import BUNDLED

WHOLE_NUMBERS = (
    "epochs",
    "steps_per_epoch",
    "batch_size",
    "patience",
    "slices",
    "most_unlabelled",
    "unlabelled",
    "seed",
)
NUMBERS = ("learning_rate", "validation_share", "distillation", "likeness", "guesses")
OTHERS = ("initial", "val_ids", "device")


@dataclass(frozen=True)
class StudentTrainingRequest:
    """One checked request; initial: "current", "bundled" or a version."""

    initial: str = CURRENT
    options: StudentRetrainOptions = field(default_factory=StudentRetrainOptions)


def stock_config() -> dict[str, Any]:
    """Return the parameters and their defaults as `/info/` shows them and stock clients let people change them."""
    usual = StudentRetrainOptions()
    numbers = {name: getattr(usual, name) for name in (*WHOLE_NUMBERS, *NUMBERS)}
    return {"initial": [CURRENT, BUNDLED], **numbers, "val_ids": ""}


def read_student_training_request(params: Mapping[str, Any]) -> StudentTrainingRequest:
    """Read and check the parameters of a training. Raises RequestError with one plain sentence."""
    given = given_parameters(params, (*WHOLE_NUMBERS, *NUMBERS, *OTHERS))
    try:
        options = StudentRetrainOptions(**chosen_options(given, WHOLE_NUMBERS, NUMBERS))
    except SettingsError as error:
        raise RequestError(str(error)) from error
    return StudentTrainingRequest(initial_of(given), options)
