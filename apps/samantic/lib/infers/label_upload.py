"""A label file that came with a request -> scribbles or a mask to start from."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.wire import RequestError, shown
from samantic.imaging import Volume, read_mask
from samantic.prompts import MaskPrompt, Scribble

BACKGROUND_SCRIBBLES, FOREGROUND_SCRIBBLES = 2, 3
"""Values in a label file, as in MONAI Label's scribbles apps, unless `label_info` says otherwise."""

# What the server calls a file that came with a request: nothing else is ever opened as a label.
_UPLOAD_NAME = re.compile(r"tmp[a-z0-9_]{8}(\.[\w.-]+)?")


@dataclass(frozen=True)
class LabelPrompts:
    """The prompts in a label file: scribbles, a mask, or both."""

    scribbles: tuple[Scribble, ...]
    mask: MaskPrompt | None


def uploaded_label(params: Mapping[str, Any]) -> Path | None:
    """Return the file that came with the request, None if none did: `label` is then the name of a segment."""
    for key in ("label_file", "label"):
        value = params.get(key)
        if isinstance(value, str):
            path = Path(value)
            in_temporary_folder = path.is_absolute() and path.parent == Path(tempfile.gettempdir())
            if in_temporary_folder and _UPLOAD_NAME.fullmatch(path.name) and path.is_file():
                return path
    return None


def read_label_prompts(
    path: Path, volume: Volume, params: Mapping[str, Any], axis: int, slice_index: int | None
) -> LabelPrompts:
    """Read scribbles if `label_info` or `scribbles` says that there are some, otherwise a mask.

    label_info: [{"name": "foreground_scribbles", "id": 3}, ...] as stock clients send it. Raises ImageReadError if
    the file does not fit the image, RequestError if it is empty.
    """
    labels = read_mask(path, volume)
    if slice_index is not None:
        labels = _one_slice(labels, axis, slice_index)
    values = _values(params)
    if not values:
        if not labels.any():
            raise RequestError("The uploaded label is empty: draw something, or send the request without it.")
        return LabelPrompts((), MaskPrompt(labels != 0))
    scribbles = tuple(
        Scribble(tuple(map(tuple, np.argwhere(labels == values[name]).tolist())), positive)
        for name, positive in (("foreground_scribbles", True), ("background_scribbles", False))
        if name in values and (labels == values[name]).any()
    )
    selected = params.get("selected_label_name")
    mask = labels == values[selected] if selected in values else np.zeros(1, bool)
    if not scribbles and not mask.any():
        expected = ", ".join(f"{name} = {value}" for name, value in values.items())
        raise RequestError(f"The uploaded label holds no scribbles on that slice; expected values are {expected}.")
    return LabelPrompts(scribbles, MaskPrompt(mask) if mask.any() else None)


def _values(params: Mapping[str, Any]) -> dict[str, int]:
    values: dict[str, int] = {}
    info = wire.parsed(params.get("label_info"), "label_info") or []
    if not isinstance(info, list) or not all(isinstance(entry, Mapping) for entry in info):
        raise RequestError(f"'label_info' is {shown(info)}, but it must be a list of names and ids.")
    for entry in info:
        number = entry.get("id", entry.get("idx"))
        if isinstance(entry.get("name"), str) and number is not None:
            values[entry["name"]] = wire.whole_number(number, "label_info", "a list of names and whole-number ids")
    has_scribbles = any(name in values for name in ("foreground_scribbles", "background_scribbles"))
    if not has_scribbles and not wire.flag(params.get("scribbles"), "scribbles"):
        return {}
    defaults = {"foreground_scribbles": FOREGROUND_SCRIBBLES, "background_scribbles": BACKGROUND_SCRIBBLES}
    return values if has_scribbles else defaults | values


def _one_slice(labels: np.ndarray, axis: int, index: int) -> np.ndarray:
    here = np.zeros_like(labels)
    where: list[slice | int] = [slice(None)] * 3
    where[axis] = index
    here[tuple(where)] = labels[tuple(where)]
    return here
