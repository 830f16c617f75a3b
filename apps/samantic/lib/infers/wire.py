"""From what clients put on the wire to plain Python values: numbers, flags, points and boxes, checked one by one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

MAX_POINTS = 1000
MAX_OBJECTS = 64

Point3 = tuple[float, float, float]


class RequestError(ValueError):
    """A request that cannot be answered as it stands; the message is one plain sentence for the person who sent it."""


def flag(value: Any, key: str) -> bool:
    """Read true or false as stock clients send them: JSON booleans, 0 and 1, or the words as text."""
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise RequestError(f"'{key}' is {shown(value)}, but it must be true or false.")


def whole_number(value: Any, key: str, allowed: str) -> int:
    """Read a whole number, also from text such as "12" or from 12.0."""
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            raise RequestError(f"'{key}' is {shown(value)}, but it must be {allowed}.") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        raise RequestError(f"'{key}' is {shown(value)}, but it must be {allowed}.")
    return int(value)


def text(value: Any, key: str) -> str | None:
    """Read a short text; nothing and the empty text are the same."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise RequestError(f"'{key}' is {shown(value)}, but it must be text.")
    if len(value) > 2000:
        raise RequestError(f"'{key}' has {len(value)} characters; at most 2000 are allowed.")
    return value.strip() or None


def one_of(value: Any, key: str, allowed: Sequence[str]) -> str:
    """Read one of some words; nothing means the first of them."""
    named = text(value, key) or allowed[0]
    if named not in allowed:
        raise RequestError(f"'{key}' is {shown(named)}, but it must be one of {', '.join(allowed)}.")
    return named


def number_within(value: Any, key: str, low: int, high: int, otherwise: int) -> int:
    """Read a whole number from `low` to `high`; nothing means `otherwise`."""
    if value is None or value == "":
        return otherwise
    allowed = f"a whole number from {low} to {high}"
    number = whole_number(value, key, allowed)
    if not low <= number <= high:
        raise RequestError(f"'{key}' is {number}, but it must be {allowed}.")
    return number


def names(value: Any, key: str) -> tuple[str, ...]:
    """Read a list of names: a JSON list, a JSON list as text, or names separated by commas; repeats are refused."""
    value = parsed(value, key)
    if value is None:
        return ()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name.strip() for name in value):
        raise RequestError(f"'{key}' is {shown(value)}, but it must be a list of class names.")
    if len(value) > 255:
        raise RequestError(f"'{key}' lists {len(value)} classes; at most 255 fit into one mask.")
    return tuple(name.strip() for name in value)


def points(value: Any, key: str, photograph: bool) -> tuple[Point3, ...]:
    """Read voxel indices [[i, j, k], ...], one bare point [i, j, k], or either as JSON text.

    In a photograph [x, y] stands for [x, y, 0].
    """
    value = parsed(value, key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise RequestError(f"'{key}' is {shown(value)}, but it must be a list of points such as [[120, 88, 40]].")
    if value and not any(isinstance(entry, list | tuple | dict | str) for entry in value):
        value = [value]
    if len(value) > MAX_POINTS:
        raise RequestError(f"'{key}' holds {len(value)} points; at most {MAX_POINTS} are allowed in one request.")
    return tuple(_point(entry, key, photograph) for entry in value)


def box_bounds(value: Any, key: str, photograph: bool) -> tuple[Point3, Point3] | None:
    """Read half-open voxel bounds [x0, x1, y0, y1, z0, z1] -> (lower, upper); [x0, x1, y0, y1] in a photograph."""
    value = parsed(value, key)
    if value is None or (isinstance(value, list | tuple) and not value):
        return None
    lengths = (4, 6) if photograph else (6,)
    if not isinstance(value, list | tuple) or len(value) not in lengths or not all(_is_number(v) for v in value):
        shape = "[x0, x1, y0, y1]" if photograph else "[x0, x1, y0, y1, z0, z1]"
        raise RequestError(f"'{key}' is {shown(value)}, but it must be voxel bounds {shape} of finite numbers.")
    bounds = [float(v) for v in value] + ([0.0, 1.0] if len(value) == 4 else [])
    return (bounds[0], bounds[2], bounds[4]), (bounds[1], bounds[3], bounds[5])


def looks_like_points(value: Any) -> bool:
    """Whether a value under an unknown key is meant as points: a non-empty list of lists of numbers."""
    if isinstance(value, str) and value.lstrip().startswith("[["):
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(p, list) and 2 <= len(p) <= 4 and all(_is_number(v) for v in p) for p in value)
    )


def parsed(value: Any, key: str) -> Any:
    """Open up JSON that a client sent as text; the empty text means nothing."""
    if not isinstance(value, str):
        return value
    stripped = value.strip()
    if not stripped:
        return None
    if stripped[0] not in "[{":
        return stripped
    try:
        return json.loads(stripped)
    except ValueError:
        raise RequestError(f"'{key}' is the text {shown(value)}, which is not valid JSON.") from None


def sentence(error: Exception) -> str:
    """The message of an error as a sentence of its own: with a capital letter and a full stop, on one line."""
    message = " ".join(str(error).split())
    return message[:1].upper() + message[1:] + ("" if message.endswith((".", "?", "!")) else ".")


def shown(value: Any) -> str:
    """A value as an error message quotes it: short, on one line."""
    quoted = repr(value)
    return quoted if len(quoted) <= 80 else quoted[:77] + "..."


def _point(entry: Any, key: str, photograph: bool) -> Point3:
    lengths: Sequence[int] = (2, 3) if photograph else (3,)
    if not isinstance(entry, list | tuple) or len(entry) not in lengths or not all(_is_number(v) for v in entry):
        allowed = "[x, y] or [x, y, 0]" if photograph else "[i, j, k]"
        raise RequestError(f"'{key}' holds {shown(entry)}, but a point must be {allowed} in voxels, of finite numbers.")
    return float(entry[0]), float(entry[1]), float(entry[2]) if len(entry) == 3 else 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
