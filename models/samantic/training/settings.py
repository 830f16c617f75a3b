"""Settings in YAML -> frozen dataclasses; what is wrong in the file is said in its own words."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

Settings = TypeVar("Settings")


class SettingsError(ValueError):
    """A setting is unknown, missing, of the wrong type or out of range."""


def read_settings_file(kind: type[Settings], path: Path) -> Settings:
    """Read a dataclass from a YAML file; SettingsError names the file and the setting."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no settings file {path}.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path} cannot be read as YAML: {error}") from error
    try:
        return read_settings(kind, {} if values is None else values)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def read_settings(kind: type[Settings], values: Any, where: str = "") -> Settings:
    """Build a dataclass from a mapping, dataclasses within it too; SettingsError says which setting is wrong.

    Understands bool, int, float, str, Path, `X | None`, `tuple[X, ...]`, `dict[str, X]` and dataclasses.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where or 'The file'} must hold settings as 'name: value', not {_shown(values)}.")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    unknown = [str(name) for name in values if name not in fields]
    if unknown:
        raise SettingsError(f"'{_join(where, unknown[0])}' is no setting; there are {', '.join(fields)}.")
    required = (name for name, field in fields.items() if not _has_default(field) and name not in values)
    missing = next(required, None)
    if missing is not None:
        raise SettingsError(f"The setting '{_join(where, missing)}' is missing.")
    converted = {name: _convert(value, hints[name], _join(where, name)) for name, value in values.items()}
    try:
        return kind(**converted)
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(value, next(kind for kind in arguments if kind is not type(None)), where)
    if dataclasses.is_dataclass(hint):
        return read_settings(hint, value, where)  # type: ignore[arg-type]
    if origin is dict and isinstance(value, Mapping):
        return {str(name): _convert(item, arguments[1], _join(where, str(name))) for name, item in value.items()}
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_convert(item, arguments[0], where) for item in value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float:
        number = _number(value)
        if number is not None:
            return number
    elif isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise SettingsError(f"The setting '{where}' must be {_described(hint)}, not {_shown(value)}.")


def _number(value: Any) -> float | None:
    # YAML takes 1e-3, without a dot, for a word.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _described(hint: Any) -> str:
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a word",
        Path: "a path",
    }
    if typing.get_origin(hint) is dict:
        return "settings as 'name: value'"
    return "a list" if typing.get_origin(hint) is tuple else words.get(hint, str(hint))


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
