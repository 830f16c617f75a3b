"""What the values of a label mean, checked before it is submitted: nobody can tell afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from SamanticLib.errors import BadAnswer, SamanticError

LARGEST_VALUE = 65535


def names_of_values(label_info: Mapping[str, int] | Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return name -> value of such a mapping, or of a list of `name` and `idx` (or `id`) as MONAI Label has it.

    Raises SamanticError for a name without text, a value that is not 1 to 65535, or two names or values alike.
    """
    pairs: list[tuple[Any, Any]]
    if isinstance(label_info, Mapping):
        pairs = list(label_info.items())
    else:
        pairs = [(one.get("name"), one.get("idx", one.get("id"))) for one in label_info]
    for name, value in pairs:
        if not isinstance(name, str) or not name.strip():
            raise SamanticError(f"The value {value} of the label has no name; give its segment one.")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_VALUE:
            raise SamanticError(f"The segment '{name}' has the value {value}; 1 to {LARGEST_VALUE} can be submitted.")
    names = dict(pairs)
    if len(names) < len(pairs) or len(set(names.values())) < len(pairs):
        raise SamanticError("Two segments of the label have the same name or value; give each its own.")
    return names


def classes_of_values(note: Any) -> dict[int, str]:
    """Return value -> class of a submitted label, as the server's note about it says; its name where it is of none.

    Raises BadAnswer where the note does not say it.
    """
    noted = note if isinstance(note, Mapping) else {}
    record = noted.get("provenance")
    told = record.get("classes") if isinstance(record, Mapping) else None
    if told is None:
        told = noted.get("label_info")
    found: dict[int, str] = {}
    for one in told if isinstance(told, list) else []:
        value = one.get("value", one.get("idx")) if isinstance(one, Mapping) else None
        name = (one.get("class") or one.get("name")) if isinstance(one, Mapping) else None
        if not isinstance(value, int) or not 0 < value <= LARGEST_VALUE or not isinstance(name, str) or not name:
            raise BadAnswer("The server does not say what the values of the label mean; it was not used.")
        found[value] = name
    if not found:
        raise BadAnswer("The server does not say what the values of the label mean; it was not used.")
    return found
