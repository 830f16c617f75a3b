"""SEG-SAM networks on disk: one safetensors file with the configuration, and the calibration, in its header."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file

from samantic.imaging import atomic_path
from samantic.segsam.calibration import PREFIX, Calibration
from samantic.segsam.config import SegSamConfig
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.network import SegSam
from samantic.weights_file import fill, read_weights, write_weights

FORMAT = "samantic.segsam/1"


class CheckpointError(ValueError):
    """A file is no SEG-SAM checkpoint, or is damaged."""


def save_network(
    network: SegSam,
    path: Path,
    dtype: torch.dtype = torch.float16,
    calibration: Calibration | None = None,
    manifest: TrainingManifest | None = None,
) -> None:
    """Write weights as `dtype`, the configuration and what is known about the weights, atomically."""
    header = {"format": FORMAT, "config": network.config.to_json()}
    if manifest is not None:
        header["manifest"] = manifest.to_json()
    if calibration is not None:
        header["calibration"] = calibration.to_json()
    write_weights(network, path, header, dtype, {} if calibration is None else calibration.tensors())


def load_network(path: Path) -> SegSam:
    """Read a network in float32 and evaluation mode; CheckpointError says what is wrong with the file."""
    metadata, stored = _read(path)
    tensors = {name: tensor for name, tensor in stored.items() if not name.startswith(PREFIX)}
    try:
        network = SegSam(SegSamConfig.from_json(metadata["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"The configuration in {path.name} cannot be read: {error!r}") from error
    fill(network, tensors, path.name, CheckpointError)
    return network


def load_calibration(path: Path) -> Calibration | None:
    """Read what `samantic.segsam.calibrate` found out about a network, None if it was never calibrated.

    CheckpointError says what is wrong with the file.
    """
    metadata, tensors = _read(path)
    if "calibration" not in metadata:
        return None
    try:
        calibration = {name: tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
        return Calibration.from_checkpoint(metadata["calibration"], calibration)
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} cannot be used: {error}.") from error


def load_manifest(path: Path) -> TrainingManifest | None:
    """Read what a network has learned from, None if its file does not say; CheckpointError as `load_network`."""
    metadata, _ = _read(path)
    if "manifest" not in metadata:
        return None
    try:
        return TrainingManifest.from_json(metadata["manifest"])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"The training manifest in {path.name} cannot be read: {error}.") from error


def write_calibrated(path: Path, calibration: Calibration, output: Path) -> None:
    """Write the checkpoint `path`, bit for bit, with a calibration in place of the one it had, atomically."""
    metadata, stored = _read(path)
    tensors = {name: tensor for name, tensor in stored.items() if not name.startswith(PREFIX)}
    with atomic_path(output) as temporary:
        save_file(
            tensors | calibration.tensors(), temporary, metadata={**metadata, "calibration": calibration.to_json()}
        )


def _read(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    return read_weights(path, FORMAT, "SEG-SAM checkpoint", CheckpointError)


def file_hash(path: Path) -> str:
    """sha256 of a file: the identity of its weights."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
