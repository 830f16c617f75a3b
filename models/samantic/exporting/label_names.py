"""What the values of a label mean, as clients note it beside the label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from samantic.vocabulary import SemanticClass, UnknownClassError, Vocabulary, load_vocabulary

MAX_VALUE = 65535
MAX_NAME = 128


class LabelNamesError(ValueError):
    """The names of a label's values contradict each other; the message says which."""


def noted_names(notes: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Return (name, value) as the notes of a label tell them, in their order; background and what is no name left out.

    `label_names` (name -> value) and `label_info` (name and idx or id, as stock clients send it) are what was said of
    the label itself; only where there is neither, `params.label_names` of the answer that it came from counts.
    """
    own = [*_from_mapping(notes.get("label_names")), *_from_list(notes.get("label_info"))]
    if not own:
        params = notes.get("params")
        own = list(_from_mapping(params.get("label_names"))) if isinstance(params, Mapping) else []
    return tuple(dict.fromkeys((name, value) for name, value in own if value != 0))


def by_value(names: Iterable[tuple[str, int]]) -> dict[int, str]:
    """Return value -> class: the vocabulary's name where it knows the class, otherwise the name as it stands.

    Raises LabelNamesError where one value has two names that mean different things.
    """
    found: dict[int, str] = {}
    for name, value in names:
        meant = class_name(name)
        if found.setdefault(value, meant) != meant:
            raise LabelNamesError(f"the value {value} is named both '{found[value]}' and '{meant}'")
    return found


def class_name(name: str) -> str:
    """Return the vocabulary's name of a class that it knows, otherwise the name as it stands."""
    meant = meant_class(name)
    return name if meant is None else meant.name


@lru_cache(maxsize=4096)  # every image of a study names the same few
def meant_class(name: str) -> SemanticClass | None:
    """Return the class of the vocabulary that a name, synonym or code means, None if there is none."""
    try:
        return _vocabulary().find(name)
    except UnknownClassError:
        return None


@lru_cache(maxsize=1)
def _vocabulary() -> Vocabulary:
    return load_vocabulary()


def _from_mapping(names: Any) -> list[tuple[str, int]]:
    if not isinstance(names, Mapping):
        return []
    return [(_tidy(name), value) for name, value in names.items() if _is_name(name) and _is_value(value)]


def _from_list(entries: Any) -> list[tuple[str, int]]:
    found = []
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping):
            name, value = entry.get("name"), entry.get("idx", entry.get("id"))
            if _is_name(name) and _is_value(value):
                found.append((_tidy(str(name)), int(str(value))))
    return found


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name.strip()) <= MAX_NAME


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _is_value(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_VALUE
