"""Parts of BESA-Diff on disk: one safetensors file with configuration, manifest and notes in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from samantic.imaging import atomic_path
from samantic.segsam import TrainingManifest

FORMAT = "samantic.besadiff.{}/1"
KINDS = ("segmenter", "generator")


class PartError(ValueError):
    """A file is no such part of BESA-Diff, or is damaged."""


@dataclass(frozen=True, eq=False)
class PartFile:
    """What a file holds: the configuration as JSON text, float32 tensors, what was learned from, and notes."""

    config_json: str
    tensors: Mapping[str, torch.Tensor]
    manifest: TrainingManifest | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def into(self, network: nn.Module) -> nn.Module:
        """Put the weights into a network and return it in evaluation mode. PartError where they do not fit."""
        expected = network.state_dict()
        unfit = sorted(
            name
            for name in expected.keys() | self.tensors.keys()
            if name not in expected or name not in self.tensors or expected[name].shape != self.tensors[name].shape
        )
        if unfit:
            raise PartError(
                f"The weights do not fit their own configuration: {len(unfit)} tensors are missing, unknown or of "
                f"another shape, the first is '{unfit[0]}'."
            )
        network.load_state_dict(dict(self.tensors))
        return network.eval()


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
    metadata = {"format": FORMAT.format(kind), "config": config_json, "notes": json.dumps(dict(notes or {}))}
    if manifest is not None:
        metadata["manifest"] = manifest.to_json()
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def read_part(kind: str, path: Path) -> PartFile:
    """Read a part; PartError says what is wrong with the file."""
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError) as error:
        raise PartError(f"{path.name} cannot be read as a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT.format(kind):
        raise PartError(f"{path.name} is no {kind} of BESA-Diff: its format is {metadata.get('format')!r}.")
    try:
        manifest = TrainingManifest.from_json(metadata["manifest"]) if "manifest" in metadata else None
        return PartFile(metadata["config"], tensors, manifest, dict(json.loads(metadata["notes"])))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise PartError(f"The header of {path.name} cannot be read: {error!r}.") from error
