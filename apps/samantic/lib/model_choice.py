"""Which models there are, and which of them `--conf models …` chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from monailabel.interfaces.config import TaskConfig
from monailabel.utils.others.class_utils import get_class_names

import samantic.app.lib.configs


class UnknownModelError(ValueError):
    """A model was asked for that does not exist; the message is one sentence that lists those that do."""


def chosen_configs(models: str) -> dict[str, type[TaskConfig]]:
    """Return model name -> TaskConfig class for a comma-separated list of names, or "all".

    Raises UnknownModelError naming the unknown ones and what exists. Source: ours.
    """
    known = _known_configs()
    wanted = [name.strip() for name in models.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known and name != "all"]
    if unknown or not wanted:
        asked = ", ".join(unknown) or "(nothing)"
        raise UnknownModelError(f"--conf models: there is no model {asked}; use all or any of {', '.join(known)}.")
    return known if "all" in wanted else {name: known[name] for name in wanted}


def check_chosen(models: str, tasks: Mapping[str, Any]) -> None:
    """Raise UnknownModelError where a model that was asked for by its name offers nothing, for want of weights.

    With "all" a model without weights is left out, and the log says which.
    """
    asked = [name.strip() for name in models.split(",")]
    missing = [] if "all" in asked else [name for name, offered in tasks.items() if not offered]
    if missing:
        raise UnknownModelError(
            f"--conf models: the weights of {', '.join(missing)} are missing from this package; install samantic "
            "again, or name files of weights as the log says."
        )


def merged(tasks: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return name -> task from (model name, its task, its dictionary of tasks or None)."""
    result: dict[str, Any] = {}
    for name, task in tasks:
        if task:
            result.update(task if isinstance(task, dict) else {name: task})
    return result


def _known_configs() -> dict[str, type[TaskConfig]]:
    found: dict[str, type[TaskConfig]] = {}
    for path in sorted(get_class_names(samantic.app.lib.configs, "TaskConfig")):
        module, class_name = path.rsplit(".", 1)
        found[module.rsplit(".", 1)[1].lower()] = getattr(import_module(module), class_name)
    return found
