"""What the parameters of every model's training have in common."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import torch

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.training.model_store import BUNDLED

CURRENT = "current"

SAME_AS = {"max_epochs": "epochs", "val_split": "validation_share", "train_batch_size": "batch_size"}
"""What MONAI Label's own trainers call an option of ours."""

OF_THE_SERVER = frozenset({"model", "gpus", "multi_gpu", "local_rank", "bundle_path", "output", "client_id"})
OF_OTHER_TRAINERS = frozenset(
    {"name", "pretrained", "early_stop_patience", "val_batch_size", "dataset", "dataloader", "run_name"}
    | {"tracking", "tracking_uri", "tracking_experiment_name"}
)
IGNORED = OF_THE_SERVER | OF_OTHER_TRAINERS
"""What stock servers and clients send to every trainer."""


def given_parameters(params: Mapping[str, Any], allowed: Collection[str]) -> dict[str, Any]:
    """Return the parameters that say something, under our names; RequestError for one that is not `allowed`."""
    asked = {SAME_AS.get(key, key): value for key, value in params.items() if key not in IGNORED}
    unknown = [key for key in asked if key not in allowed]
    if unknown:
        raise RequestError(f"A training has no parameter {shown(unknown[0])}; it has {', '.join(sorted(allowed))}.")
    return {key: value for key, value in asked.items() if value is not None and value != ""}


def chosen_options(
    given: Mapping[str, Any], whole_numbers: Collection[str], numbers: Collection[str]
) -> dict[str, Any]:
    """Return those of the given parameters that are options of the round: numbers, `validation_ids` and `device`."""
    chosen: dict[str, Any] = {
        **{key: wire.whole_number(given[key], key, "a whole number") for key in whole_numbers if key in given},
        **{key: _number(given[key], key) for key in numbers if key in given},
    }
    ids = wire.names(given.get("val_ids"), "val_ids")
    if ids:
        chosen["validation_ids"] = frozenset(ids)
    if "device" in given:
        chosen["device"] = _device(given["device"])
    return chosen


def initial_of(given: Mapping[str, Any]) -> str:
    """Return the weights to start from: "current", "bundled" or a version. Raises RequestError."""
    initial = wire.text(given.get("initial"), "initial") or CURRENT
    if initial not in (CURRENT, BUNDLED) and not re.fullmatch(r"\d{1,9}", initial):
        raise RequestError(
            f"'initial' is {shown(initial)}, but it must be {CURRENT}, {BUNDLED} or a version such as 0002."
        )
    return initial


def _number(value: Any, key: str) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else float("nan")
    except (TypeError, ValueError):
        number = float("nan")
    if not abs(number) < float("inf"):
        raise RequestError(f"'{key}' is {shown(value)}, but it must be a number.")
    return number


def _device(value: Any) -> str | None:
    device = wire.text(value, "device")
    if device is not None and not re.fullmatch(r"cpu|cuda(:\d{1,3})?|mps", device):
        raise RequestError(f"'device' is {shown(device)}, but it must be cpu, cuda, cuda:0 or the like.")
    if device is not None and device.startswith("cuda") and not torch.cuda.is_available():
        raise RequestError(f"'device' is {shown(device)}, but this server has no such GPU; use cpu or leave it out.")
    return device
