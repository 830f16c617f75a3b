"""Networks for breast ultrasound on disk: one safetensors file with configuration, calibration and manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from samantic.breast.calibration import PREFIX, BreastCalibration
from samantic.breast.config import BreastConfig
from samantic.breast.network import BreastNetwork
from samantic.segsam import TrainingManifest
from samantic.weights_file import fill, read_weights, write_weights

FORMAT = "samantic.breast/1"


class BreastFileError(ValueError):
    """A file holds no network for breast ultrasound, or is damaged."""


@dataclass(frozen=True, eq=False)
class BreastFile:
    """What a file holds: the network in float32 and evaluation mode, and what is known about its weights."""

    network: BreastNetwork
    calibration: BreastCalibration | None
    manifest: TrainingManifest | None


def save_breast(
    network: BreastNetwork,
    path: Path,
    *,
    manifest: TrainingManifest | None,
    calibration: BreastCalibration | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a network's weights as `dtype`, and what is known about them, atomically."""
    header = {"format": FORMAT, "config": network.config.to_json()}
    if manifest is not None:
        header["manifest"] = manifest.to_json()
    if calibration is not None:
        header["calibration"] = calibration.to_json()
    write_weights(network, path, header, dtype, {} if calibration is None else calibration.tensors())


def read_breast(path: Path) -> BreastFile:
    """Read a network; BreastFileError says what is wrong with the file."""
    header, tensors = read_weights(path, FORMAT, "network for breast ultrasound", BreastFileError)
    try:
        network = BreastNetwork(BreastConfig.from_json(header["config"]))
        manifest = TrainingManifest.from_json(header["manifest"]) if "manifest" in header else None
        calibration = None
        if "calibration" in header:
            known = {name: tensor.float() for name, tensor in tensors.items() if name.startswith(PREFIX)}
            calibration = BreastCalibration.from_file(header["calibration"], known)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BreastFileError(f"The header of {path.name} cannot be used: {error}.") from error
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    fill(network, weights, path.name, BreastFileError)
    return BreastFile(network, calibration, manifest)
