"""Prompts as JSON text and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from samantic.prompts.errors import PromptError, shown
from samantic.prompts.kinds import Box, ClassPrompt, MaskPrompt, Point, Scribble
from samantic.prompts.run_length import decode_runs, encode_runs
from samantic.prompts.validation import MAX_BOXES, MAX_POINTS, MAX_SCRIBBLES

if TYPE_CHECKING:
    from samantic.prompts.prompt_set import PromptSet

MAX_JSON_LENGTH = 64 * 1024 * 1024

Kind = TypeVar("Kind")


def write_json(prompts: PromptSet) -> str:
    """JSON text: points, boxes, scribbles, mask {shape_ijk, counts} and classes {names, text}; empty ones left out."""
    record: dict[str, Any] = {
        "points": [{"ijk": list(point.ijk), "positive": point.positive} for point in prompts.points],
        "boxes": [{"lower_ijk": list(box.lower_ijk), "upper_ijk": list(box.upper_ijk)} for box in prompts.boxes],
        "scribbles": [{"ijk": [list(v) for v in s.ijk], "positive": s.positive} for s in prompts.scribbles],
    }
    if prompts.mask is not None:
        record["mask"] = {
            "shape_ijk": list(prompts.mask.array.shape),
            "counts": encode_runs(prompts.mask.array),
        }
    if prompts.classes != ClassPrompt():
        record["classes"] = {"names": list(prompts.classes.names), "text": prompts.classes.text}
    return json.dumps({key: value for key, value in record.items() if value}, separators=(",", ":"))


def read_json(text: str, shape_ijk: tuple[int, int, int] | None = None) -> dict[str, Any]:
    """The fields of a PromptSet from such a text; unknown keys, wrong types and absurd sizes are PromptErrors."""
    record = _fields(_parsed(text), "The prompts", {"points", "boxes", "scribbles", "mask", "classes"})
    mask = record.get("mask")
    return {
        "points": _each(record, "points", MAX_POINTS, _point),
        "boxes": _each(record, "boxes", MAX_BOXES, _box),
        "scribbles": _each(record, "scribbles", MAX_SCRIBBLES, _scribble),
        "mask": None if mask is None else _mask(mask, shape_ijk),
        "classes": _classes(record.get("classes")),
    }


def _parsed(text: object) -> object:
    if not isinstance(text, str):
        raise PromptError(f"The prompts need JSON text, but {shown(text)} was given.")
    if len(text) > MAX_JSON_LENGTH:
        raise PromptError(f"The prompts have {len(text)} characters, but at most {MAX_JSON_LENGTH} are allowed.")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except PromptError:
        raise
    except RecursionError:
        raise PromptError("The prompts are nested too deeply to be JSON prompts.") from None
    except ValueError as error:
        raise PromptError(f"The prompts are not valid JSON ({shown(str(error))}).") from None


def _refuse_constant(name: str) -> NoReturn:
    raise PromptError(f"The prompts hold {name}, but every number must be finite.")


def _fields(value: object, what: str, allowed: set[str], required: tuple[str, ...] = ()) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PromptError(f"{what} must be a JSON object, but {shown(value)} was given.")
    for key in value:
        if key not in allowed:
            raise PromptError(f"{what}: the key {shown(key)} is unknown; allowed are {', '.join(sorted(allowed))}.")
    for key in required:
        if key not in value:
            raise PromptError(f"{what}: the key {key!r} is missing.")
    return value


def _each(record: Mapping[str, Any], key: str, allowed: int, read: Callable[[object, str], Kind]) -> tuple[Kind, ...]:
    values = record.get(key, [])
    if not isinstance(values, list):
        raise PromptError(f"{key} must be a list, but {shown(values)} was given.")
    if len(values) > allowed:
        raise PromptError(f"{len(values)} {key} were given, but at most {allowed} are allowed in one request.")
    return tuple(read(value, f"{key}[{index}]") for index, value in enumerate(values))


def _point(value: object, what: str) -> Point:
    fields = _fields(value, what, {"ijk", "positive"}, ("ijk",))
    return Point(fields["ijk"], fields.get("positive", True))


def _box(value: object, what: str) -> Box:
    fields = _fields(value, what, {"lower_ijk", "upper_ijk"}, ("lower_ijk", "upper_ijk"))
    return Box(fields["lower_ijk"], fields["upper_ijk"])


def _scribble(value: object, what: str) -> Scribble:
    fields = _fields(value, what, {"ijk", "positive"}, ("ijk",))
    return Scribble(fields["ijk"], fields.get("positive", True))


def _mask(value: object, shape_ijk: tuple[int, int, int] | None) -> MaskPrompt:
    fields = _fields(value, "mask", {"shape_ijk", "counts"}, ("shape_ijk", "counts"))
    return MaskPrompt(decode_runs(fields["shape_ijk"], fields["counts"], shape_ijk))


def _classes(value: object) -> ClassPrompt:
    if value is None:
        return ClassPrompt()
    fields = _fields(value, "classes", {"names", "text"})
    return ClassPrompt(fields.get("names", []), fields.get("text"))
