"""Weights of the network on disk: one safetensors file with the configuration and the manifest in its header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from samantic.imaging import atomic_path
from samantic.segsam import TrainingManifest
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork

FORMAT = "samantic.skinphoto/1"


class SkinPhotoWeightsError(ValueError):
    """A file holds no weights of this network, or is damaged."""


@dataclass(frozen=True, eq=False)
class SkinPhotoWeights:
    """A network in evaluation mode, and what it has learned from."""

    network: SkinPhotoNetwork
    manifest: TrainingManifest


def save_skin_photo(
    network: SkinPhotoNetwork, path: Path, manifest: TrainingManifest, dtype: torch.dtype = torch.float16
) -> None:
    """Write the weights as `dtype`, atomically."""
    metadata = {"format": FORMAT, "config": network.config.to_json(), "manifest": manifest.to_json()}
    tensors = {
        name: tensor.detach().cpu().to(dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in network.state_dict().items()
    }
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def read_skin_photo(path: Path) -> SkinPhotoWeights:
    """Read a network; SkinPhotoWeightsError says what is wrong with the file."""
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  not a dict
    except (OSError, SafetensorError) as error:
        raise SkinPhotoWeightsError(f"{path.name} cannot be read as a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise SkinPhotoWeightsError(
            f"{path.name} holds no weights for skin photographs: its format is {metadata.get('format')!r}."
        )
    try:
        network = SkinPhotoNetwork(SkinPhotoConfig.from_json(metadata["config"]))
        manifest = TrainingManifest.from_json(metadata["manifest"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise SkinPhotoWeightsError(f"The header of {path.name} cannot be read: {error!r}.") from error
    expected = network.state_dict()
    unfit = sorted(
        name
        for name in expected.keys() | tensors.keys()
        if name not in expected or name not in tensors or expected[name].shape != tensors[name].shape
    )
    if unfit:
        raise SkinPhotoWeightsError(
            f"The weights in {path.name} do not fit their own configuration: {len(unfit)} tensors are missing, unknown "
            f"or of another shape, the first is '{unfit[0]}'."
        )
    network.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()})
    return SkinPhotoWeights(network.eval(), manifest)
