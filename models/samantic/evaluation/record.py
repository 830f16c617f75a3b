"""One finished evaluation: what was measured, on what, by whom, with all numbers; written as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samantic.evaluation.interactive_protocol import InteractiveProtocol, StructureResult
from samantic.evaluation.summary import Summary
from samantic.imaging import atomic_path

FORMAT = "samantic.evaluation/1"


@dataclass(frozen=True, eq=False)
class EvaluationRecord:
    """Everything a reader needs to judge the figures, or to measure them again."""

    model: str
    weights_hash: str
    encoder: str
    data_set: str
    data_title: str
    available: int
    smallest: int
    protocol: InteractiveProtocol
    disc_radius: float | None
    disc_source: str
    summary: Summary
    results: Sequence[StructureResult]
    seconds: float
    date: str
    machine: str
    version: str

    @property
    def unknown_classes(self) -> tuple[str, ...]:
        """Classes in the data that the model does not name; their masks are measured all the same."""
        return tuple(sorted({result.class_name for result in self.results if result.box_name is None}))


def write_json(record: EvaluationRecord, path: Path) -> None:
    """Write the record with one entry per structure, atomically."""
    content = {"format": FORMAT, **{field: _plain(value) for field, value in _fields(record)}}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def machine() -> str:
    """Return one line about this machine: processor, accelerator, torch."""
    import torch

    accelerator = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    return f"{_processor()}, {os.cpu_count()} cores, {accelerator}, torch {torch.__version__}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _fields(value: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]


def _plain(value: Any) -> Any:
    """Dataclasses, arrays and tuples as JSON knows them."""
    if dataclasses.is_dataclass(value):
        return {name: _plain(item) for name, item in _fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
