"""The parameters of `POST /train/segsam` -> what to start from, which classes are new, and how to learn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.app.lib.trainers.parameters import CURRENT, chosen_options, given_parameters, initial_of
from samantic.segsam.training.retraining import RetrainOptions
from samantic.training import SettingsError
from samantic.training.model_store import BUNDLED
from samantic.vocabulary import UnknownClassError, load_vocabulary

WHOLE_NUMBERS = (
    *("epochs", "samples_per_epoch", "batch_size", "patience"),
    *("slices_per_volume", "naming_steps", "phantom_pictures", "seed"),
)
NUMBERS = ("learning_rate", "naming_learning_rate", "validation_share", "distillation_weight", "rehearsal_share")
OTHERS = ("initial", "classes", "axes", "val_ids", "device")

MAX_NEW_CLASSES = 100
MAX_NAME = 100


@dataclass(frozen=True)
class TrainingRequest:
    """One checked request.

    initial: "current", "bundled" or a version. descriptions: what classes look like that the vocabulary does not have.
    meant: what labels call a class -> the class of the vocabulary whose code was given for it.
    """

    initial: str = CURRENT
    descriptions: Mapping[str, str] = field(default_factory=dict)
    meant: Mapping[str, str] = field(default_factory=dict)
    options: RetrainOptions = field(default_factory=RetrainOptions)

    def class_of(self, word: str, known: Collection[str]) -> str | None:
        """Return the class that a label's word means: a new one, one of `known` or the vocabulary's; None for none."""
        if word in self.meant:
            return self.meant[word]
        if word in self.descriptions or word in known:
            return word
        try:
            return load_vocabulary().find(word).name
        except UnknownClassError:
            return None


def stock_config() -> dict[str, Any]:
    """Return the parameters and their defaults as `/info/` shows them and stock clients let people change them."""
    usual = RetrainOptions()
    numbers = {name: getattr(usual, name) for name in ("epochs", *WHOLE_NUMBERS[1:], *NUMBERS)}
    return {
        "initial": [CURRENT, BUNDLED],
        **numbers,
        "axes": ",".join(map(str, usual.axes)),
        "classes": "",
        "val_ids": "",
    }


def read_training_request(params: Mapping[str, Any]) -> TrainingRequest:
    """Read and check the parameters of a training. Raises RequestError with one plain sentence."""
    given = given_parameters(params, (*WHOLE_NUMBERS, *NUMBERS, *OTHERS))
    chosen = chosen_options(given, WHOLE_NUMBERS, NUMBERS)
    if "axes" in given:
        chosen["axes"] = _axes(given["axes"])
    descriptions, meant = _classes(given.get("classes"))
    try:
        options = RetrainOptions(**chosen, descriptions=descriptions)
    except SettingsError as error:
        raise RequestError(str(error)) from error
    return TrainingRequest(initial_of(given), descriptions, meant, options)


def _axes(value: Any) -> tuple[int, ...]:
    opened = wire.parsed(value, "axes")
    listed = opened.split(",") if isinstance(opened, str) else opened
    listed = listed if isinstance(listed, list | tuple) else [listed]
    return tuple(wire.whole_number(one, "axes", "some of 0, 1 and 2 (voxel axes across the slices)") for one in listed)


def _classes(value: Any) -> tuple[dict[str, str], dict[str, str]]:
    """New classes: those of our own with their descriptions, and those that a code or name of the vocabulary means."""
    listed = wire.parsed(value, "classes")
    if listed is None:
        return {}, {}
    if isinstance(listed, str):
        listed = [part.strip() for part in listed.split(",") if part.strip()]
    if not isinstance(listed, list) or len(listed) > MAX_NEW_CLASSES:
        raise RequestError(
            f"'classes' is {shown(listed)}, but it must be a list of at most {MAX_NEW_CLASSES} classes such as "
            '{"name": "cyst", "description": "…"} or {"name": "liver", "code": "10200004"}.'
        )
    descriptions: dict[str, str] = {}
    meant: dict[str, str] = {}
    for entry in listed:
        name, description, code = _class_entry(entry)
        if description is not None:
            descriptions[name] = description
        else:
            meant[name] = _in_vocabulary(name, code)
    return descriptions, meant


def _class_entry(entry: Any) -> tuple[str, str | None, str | None]:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, Mapping) or not set(entry) <= {"name", "description", "code"}:
        raise RequestError(f"'classes' holds {shown(entry)}, but each has a name and a description or a code.")
    name = wire.text(entry.get("name"), "name")
    if name is None or len(name) > MAX_NAME:
        raise RequestError(f"'classes' holds {shown(entry)}, but each needs a name of at most {MAX_NAME} characters.")
    description = wire.text(entry.get("description"), "description")
    code = entry.get("code")
    code = wire.text(str(code) if isinstance(code, int) else code, "code")
    if code is not None:
        description = None
    if description is not None and _is_in_vocabulary(name):
        # The vocabulary's own description is what its text embedding was made of.
        description = None
    return name, description, code


def _in_vocabulary(name: str, code: str | None) -> str:
    try:
        return load_vocabulary().find(name if code is None else code.removeprefix("SCT:")).name
    except UnknownClassError as error:
        if code is not None:
            raise RequestError(
                f"The code {shown(code)} of '{name}' is not in the vocabulary; give a description."
            ) from error
        raise RequestError(
            f"The class '{name}' is not in the vocabulary; give it a 'description' of a few sentences, or a SNOMED CT "
            "'code' of the vocabulary."
        ) from error


def _is_in_vocabulary(name: str) -> bool:
    try:
        load_vocabulary().find(name)
    except UnknownClassError:
        return False
    return True
