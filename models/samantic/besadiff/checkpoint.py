"""Parts of BESA-Diff on disk: one safetensors file with configuration, manifest and notes in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from samantic.segsam import TrainingManifest
from samantic.weights_file import fill, read_weights, write_weights

FORMAT = "samantic.besadiff.{}/1"
KINDS = ("segmenter", "generator")


class PartError(ValueError):
    """A file is no such part of BESA-Diff, or is damaged."""


@dataclass(frozen=True, eq=False)
class PartFile:
    """What a file holds: the configuration as JSON text, tensors, what was learned from, and notes."""

    file_name: str
    config_json: str
    tensors: Mapping[str, torch.Tensor]
    manifest: TrainingManifest | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def into(self, network: nn.Module) -> nn.Module:
        """Put the weights into a network and return it in evaluation mode. PartError where they do not fit."""
        fill(network, self.tensors, self.file_name, PartError)
        return network


def save_part(
    kind: str,
    network: nn.Module,
    config_json: str,
    path: Path,
    *,
    manifest: TrainingManifest | None,
    notes: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a part's weights as `dtype`, atomically; `kind` is one of KINDS, `notes` are JSON values."""
    header = {"format": FORMAT.format(kind), "config": config_json, "notes": json.dumps(dict(notes or {}))}
    if manifest is not None:
        header["manifest"] = manifest.to_json()
    write_weights(network, path, header, dtype)


def read_part(kind: str, path: Path) -> PartFile:
    """Read a part; PartError says what is wrong with the file."""
    header, tensors = read_weights(path, FORMAT.format(kind), f"{kind} of BESA-Diff", PartError)
    try:
        manifest = TrainingManifest.from_json(header["manifest"]) if "manifest" in header else None
        return PartFile(path.name, header["config"], tensors, manifest, dict(json.loads(header["notes"])))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise PartError(f"The header of {path.name} cannot be used: {error}.") from error
