"""Networks for breast ultrasound on disk: one safetensors file with configuration, calibration and manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from samantic.breast.calibration import PREFIX, BreastCalibration
from samantic.breast.config import BreastConfig
from samantic.breast.network import BreastNetwork
from samantic.imaging import atomic_path
from samantic.segsam import TrainingManifest

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
    metadata = {"format": FORMAT, "config": network.config.to_json()}
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    if manifest is not None:
        metadata["manifest"] = manifest.to_json()
    if calibration is not None:
        metadata["calibration"] = calibration.to_json()
        tensors |= calibration.tensors()
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def read_breast(path: Path) -> BreastFile:
    """Read a network; BreastFileError says what is wrong with the file."""
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError) as error:
        raise BreastFileError(f"{path.name} cannot be read as a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise BreastFileError(
            f"{path.name} holds no network for breast ultrasound: its format is {metadata.get('format')!r}."
        )
    try:
        network = BreastNetwork(BreastConfig.from_json(metadata["config"]))
        manifest = TrainingManifest.from_json(metadata["manifest"]) if "manifest" in metadata else None
        calibration = None
        if "calibration" in metadata:
            calibration = BreastCalibration.from_file(metadata["calibration"], tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BreastFileError(f"The header of {path.name} cannot be used: {error}.") from error
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    _fill(network, weights, path.name)
    return BreastFile(network.eval(), calibration, manifest)


def _fill(network: BreastNetwork, weights: dict[str, torch.Tensor], name: str) -> None:
    expected = network.state_dict()
    unfit = sorted(
        key
        for key in expected.keys() | weights.keys()
        if key not in expected or key not in weights or expected[key].shape != weights[key].shape
    )
    if unfit:
        raise BreastFileError(
            f"{name} does not fit its own configuration: {len(unfit)} tensors are missing, unknown or of another "
            f"shape, the first is '{unfit[0]}'."
        )
    # A weight that is no number would answer every picture with an empty mask that looks like a normal breast.
    broken = next((key for key, tensor in weights.items() if not torch.isfinite(tensor).all()), None)
    if broken is not None:
        raise BreastFileError(f"{name} is damaged: '{broken}' holds numbers that are not finite.")
    network.load_state_dict(weights)
