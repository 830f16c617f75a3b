"""The folder of a run: the state to resume from, and what the run is."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.optimizer import AcceleratedOptimizer
from torch import nn
from torch.optim.swa_utils import AveragedModel

from samantic.imaging import atomic_path
from samantic.training.errors import TrainingError
from samantic.training.options import FREE_WHEN_RESUMING, FitOptions

STATE = "state.pt"
ABSENT = "not set"


@dataclass(frozen=True)
class Learner:
    """All that changes while a run goes on. `scaler` only with mixed_precision fp16."""

    network: nn.Module
    average: AveragedModel
    optimizer: AcceleratedOptimizer
    scaler: torch.amp.GradScaler | None


def identity_of(options: FitOptions, task: Mapping[str, Any], processes: int) -> dict[str, Any]:
    """What a run is, as JSON values: its options but for those that change nothing, its task, how many processes."""
    binding = {name: value for name, value in asdict(options).items() if name not in FREE_WHEN_RESUMING}
    return json.loads(json.dumps({"options": binding, "task": dict(task), "processes": processes}))


def save_state(run: Path, step: int, learner: Learner, identity: Mapping[str, Any]) -> None:
    """Write `state.pt`, atomically. Random numbers need no place in it: the loop seeds them by the step."""
    state = {
        "step": step,
        "identity": json.dumps(identity),
        "network": learner.network.state_dict(),
        "average": learner.average.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "scaler": learner.scaler.state_dict() if learner.scaler is not None else {},
    }
    with atomic_path(run / STATE) as temporary:
        torch.save(state, temporary)


def resume(run: Path, learner: Learner, identity: Mapping[str, Any], device: torch.device) -> int:
    """Load `state.pt` and return its step; 0 without one.

    TrainingError: the file is damaged, or belongs to a run with other settings.
    """
    path = run / STATE
    if not path.exists():
        return 0
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be read as the state of a run ({error}). Delete it to begin anew, or use another folder."
        ) from error
    if not isinstance(state, dict) or "identity" not in state:
        raise TrainingError(
            f"{path} does not say which run it belongs to: another version wrote it. Delete it to begin anew, or use "
            "another folder."
        )
    _check_same_run(run, json.loads(state["identity"]), identity)
    learner.network.load_state_dict(state["network"])
    learner.average.load_state_dict(state["average"])
    learner.optimizer.load_state_dict(state["optimizer"])
    if learner.scaler is not None and state["scaler"]:
        learner.scaler.load_state_dict(state["scaler"])
    return int(state["step"])


def write_description(run: Path, options: FitOptions, task: Mapping[str, Any], processes: int) -> None:
    """Write `options.json`, for people: all options and what the task says about itself."""
    text = json.dumps({"options": asdict(options), "task": dict(task), "processes": processes}, indent=1)
    with atomic_path(run / "options.json") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _check_same_run(run: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    before, now = _flat(stored), _flat(wanted)
    differing = [name for name in {**before, **now} if before.get(name, ABSENT) != now.get(name, ABSENT)]
    if differing:
        changes = "; ".join(
            f"{name} was {_shown(before.get(name, ABSENT))} and is now {_shown(now.get(name, ABSENT))}"
            for name in differing[:5]
        )
        more = f" (and {len(differing) - 5} more)" if len(differing) > 5 else ""
        raise TrainingError(
            f"The folder {run} belongs to a run with other settings: {changes}{more}. Go on with the settings that it "
            "was begun with, or give the new run another folder."
        )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        # The reader knows an option by its own name.
        full = f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping):
            flat.update(_flat(value, "" if full in ("options", "task") else full))
        else:
            flat[full] = value
    return flat


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
