"""A student on disk: one safetensors file with configuration, manifest and notes in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from samantic.imaging import atomic_path
from samantic.segsam import TrainingManifest
from samantic.student.config import StudentConfig
from samantic.student.network import MambaStudent

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
    metadata = {
        "format": FORMAT,
        "config": network.config.to_json(),
        "manifest": manifest.to_json(),
        "notes": json.dumps(dict(notes or {})),
    }
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def load_student(path: Path) -> StudentFile:
    """Read a student; StudentError says what is wrong with the file."""
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError) as error:
        raise StudentError(f"{path.name} cannot be read as a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise StudentError(f"{path.name} is no student: its format is {metadata.get('format')!r}, not {FORMAT}.")
    try:
        network = MambaStudent(StudentConfig.from_json(metadata["config"]))
        manifest = TrainingManifest.from_json(metadata["manifest"])
        notes = json.loads(metadata["notes"])
    except (KeyError, TypeError, ValueError) as error:
        raise StudentError(f"What {path.name} says about itself cannot be used: {error}") from error
    expected = network.state_dict()
    unfit = sorted(
        name
        for name in expected.keys() | tensors.keys()
        if name not in expected or name not in tensors or expected[name].shape != tensors[name].shape
    )
    if unfit:
        raise StudentError(
            f"The weights in {path.name} do not fit their own configuration: {len(unfit)} tensors are missing, unknown "
            f"or of another shape, the first is '{unfit[0]}'."
        )
    network.load_state_dict(tensors)
    return StudentFile(network.eval(), manifest, notes)
