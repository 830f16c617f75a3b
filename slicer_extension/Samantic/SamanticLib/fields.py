"""JSON of a server, read field by field; whatever has another shape is a `BadAnswer` that names the field."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from SamanticLib.errors import BadAnswer


class Fields:
    """A JSON object. what: how errors call it, such as "the answer". Raises BadAnswer, as every method does."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, Mapping):
            raise BadAnswer(f"Of {what}, the server should have sent a JSON object but sent {_kind(value)}.")
        self.raw: Mapping[str, Any] = value
        self._what = what

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; where it is missing or null the default, if there is one."""
        value = self.raw.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, None where it is missing or null."""
        return None if self.raw.get(name) is None else self.text(name)

    def whole(self, name: str, default: int | None = None) -> int:
        """Return a whole number; where it is missing or null the default, if there is one."""
        value = self.raw.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "a whole number")
        return value

    def optional_whole(self, name: str) -> int | None:
        """Return a whole number, None where it is missing or null."""
        return None if self.raw.get(name) is None else self.whole(name)

    def optional_number(self, name: str) -> float | None:
        """Return a finite number, None where it is missing or null."""
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            raise self._wrong(name, "a number")
        return float(value)

    def flag(self, name: str) -> bool | None:
        """Return true or false, None where it is missing or null."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, () where it is missing or null."""
        value = self._or_empty(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def numbers(self, name: str) -> dict[str, float]:
        """Return text -> finite number, {} where it is missing or null."""
        inner = self.fields(name)
        return {key: number for key in inner.raw if (number := inner.optional_number(key)) is not None}

    def fields(self, name: str) -> Fields:
        """Return an object inside, an empty one where it is missing or null."""
        return Fields(self._or_empty(name, {}), f"'{name}' in {self._what}")

    def each(self, name: str) -> Iterator[Fields]:
        """Yield the objects of a list inside, none where it is missing or null."""
        value = self._or_empty(name, [])
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        for one in value:
            yield Fields(one, f"'{name}' in {self._what}")

    def extent(self, name: str) -> tuple[int, int, int, int, int, int] | None:
        """Return half-open bounds (i0, i1, j0, j1, k0, k1) that hold at least one voxel, None for null."""
        value = self.raw.get(name)
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or len(value) != 6
            or not all(isinstance(bound, int) and not isinstance(bound, bool) for bound in value)
            or any(not 0 <= value[n] < value[n + 1] for n in (0, 2, 4))
        ):
            raise self._wrong(name, "six voxel bounds, each pair rising from 0")
        i0, i1, j0, j1, k0, k1 = value
        return i0, i1, j0, j1, k0, k1

    def _or_empty(self, name: str, empty: Any) -> Any:
        value = self.raw.get(name)
        return empty if value is None else value

    def _wrong(self, name: str, wanted: str) -> BadAnswer:
        seen = str(self.raw.get(name))[:60]
        return BadAnswer(f"In {self._what}, the server should have sent {wanted} as '{name}' but sent '{seen}'.")


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "nothing")
