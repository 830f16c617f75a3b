"""Weights of the network on disk: one safetensors file with the configuration and the manifest in its header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from samantic.segsam import TrainingManifest
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork
from samantic.weights_file import fill, read_weights, write_weights

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
    header = {"format": FORMAT, "config": network.config.to_json(), "manifest": manifest.to_json()}
    write_weights(network, path, header, dtype)


def read_skin_photo(path: Path) -> SkinPhotoWeights:
    """Read a network; SkinPhotoWeightsError says what is wrong with the file."""
    header, tensors = read_weights(path, FORMAT, "network for skin photographs", SkinPhotoWeightsError)
    try:
        network = SkinPhotoNetwork(SkinPhotoConfig.from_json(header["config"]))
        manifest = TrainingManifest.from_json(header["manifest"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise SkinPhotoWeightsError(f"The header of {path.name} cannot be used: {error}.") from error
    fill(network, tensors, path.name, SkinPhotoWeightsError)
    return SkinPhotoWeights(network, manifest)
