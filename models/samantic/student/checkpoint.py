"""A student on disk: one safetensors file with configuration, manifest and notes in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from samantic.segsam import TrainingManifest
from samantic.student.config import StudentConfig
from samantic.student.network import MambaStudent
from samantic.weights_file import fill, read_weights, write_weights

FORMAT = "samantic.student/1"


class StudentError(ValueError):
    """A file is no student, or is damaged."""


@dataclass(frozen=True, eq=False)
class StudentFile:
    """A network in evaluation mode, the images whose labels it has learned from, and notes."""

    network: MambaStudent
    manifest: TrainingManifest = field(default_factory=TrainingManifest)
    notes: Mapping[str, Any] = field(default_factory=dict)


def save_student(
    network: MambaStudent,
    path: Path,
    *,
    manifest: TrainingManifest,
    notes: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a student's weights as `dtype`, atomically; `notes` are JSON values."""
    header = {
        "format": FORMAT,
        "config": network.config.to_json(),
        "manifest": manifest.to_json(),
        "notes": json.dumps(dict(notes or {})),
    }
    write_weights(network, path, header, dtype)


def load_student(path: Path) -> StudentFile:
    """Read a student; StudentError says what is wrong with the file."""
    header, tensors = read_weights(path, FORMAT, "student", StudentError)
    try:
        network = MambaStudent(StudentConfig.from_json(header["config"]))
        manifest = TrainingManifest.from_json(header["manifest"])
        notes = json.loads(header["notes"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise StudentError(f"The header of {path.name} cannot be used: {error}.") from error
    fill(network, tensors, path.name, StudentError)
    return StudentFile(network, manifest, notes)
