"""The parameters of `POST /train/besadiff` -> what to start from, which synthetic pairs, and how to learn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.app.lib.trainers.parameters import CURRENT, chosen_options, given_parameters, initial_of
from samantic.besadiff.training.retraining import LesionRetrainOptions
from samantic.training import SettingsError
from samantic.training.model_store import BUNDLED

WHOLE_NUMBERS = ("epochs", "steps_per_epoch", "batch_size", "patience", "members", "steps", "seed")
NUMBERS = ("learning_rate", "validation_share", "synthetic_share")
OTHERS = ("initial", "synthetic", "val_ids", "device")

LABELLED, NONE = "labelled", "none"


@dataclass(frozen=True)
class LesionTrainingRequest:
    """One checked request.

    initial: "current", "bundled" or a version. synthetic: "labelled" for the pairs among the labelled images, "none",
    or the name of a folder of the studies whose pairs are learned from beside those.
    """

    initial: str = CURRENT
    synthetic: str = LABELLED
    options: LesionRetrainOptions = field(default_factory=LesionRetrainOptions)


def stock_config() -> dict[str, Any]:
    """Return the parameters and their defaults as `/info/` shows them and stock clients let people change them."""
    usual = LesionRetrainOptions()
    numbers = {name: getattr(usual, name) for name in (*WHOLE_NUMBERS, *NUMBERS)}
    return {"initial": [CURRENT, BUNDLED], "synthetic": [LABELLED, NONE], **numbers, "val_ids": ""}


def read_lesion_training_request(params: Mapping[str, Any]) -> LesionTrainingRequest:
    """Read and check the parameters of a training. Raises RequestError with one plain sentence."""
    given = given_parameters(params, (*WHOLE_NUMBERS, *NUMBERS, *OTHERS))
    try:
        options = LesionRetrainOptions(**chosen_options(given, WHOLE_NUMBERS, NUMBERS))
    except SettingsError as error:
        raise RequestError(str(error)) from error
    return LesionTrainingRequest(initial_of(given), _synthetic(given.get("synthetic")), options)


def _synthetic(value: Any) -> str:
    named = wire.text(value, "synthetic") or LABELLED
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", named) or ".." in named:
        raise RequestError(
            f"'synthetic' is {shown(named)}, but it must be {LABELLED}, {NONE}, or a folder of the studies such as "
            "synthetic/melanoma."
        )
    return named
