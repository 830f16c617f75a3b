"""Where an encoder's weights come from before it has seen a breast."""

from __future__ import annotations

import torch

from samantic.breast.network import BreastNetwork
from samantic.bundled import bundled_models, bundled_weights
from samantic.sam import UnknownCheckpointError, WeightsError, find_checkpoint, find_file, load_zoo, verify_file
from samantic.segsam import TrainingManifest, load_network
from samantic.segsam.checkpoint import load_manifest
from samantic.segsam.published_weights import read_published
from samantic.training import SettingsError

PUBLISHED = "image_encoder."


def load_encoder_weights(network: BreastNetwork, source: str) -> TrainingManifest:
    """Fill the network's encoder; return what those weights have learned from, as far as it is known.

    `source` is a bundled SEG-SAM such as "segsam-tiny", or a checkpoint of the zoo that is on this machine such as
    "sam_vit_b" or "medsam_vit_b". SettingsError: no such weights, or of another encoder; WeightsError: a wrong file.
    """
    if source in segsam_models():
        path = bundled_weights(source)
        _fill(network, load_network(path).encoder.state_dict(), source)
        return load_manifest(path) or TrainingManifest()
    try:
        checkpoint = find_checkpoint(source)
    except UnknownCheckpointError as error:
        known = ", ".join([*segsam_models(), *(one.name for one in load_zoo())])
        raise SettingsError(f"encoder_weights must be one of {known}, not '{source}'.") from error
    file = find_file(checkpoint)
    if file is None:
        raise SettingsError(
            f"The weights '{source}' are not on this machine; fetch them with: samantic models download {source}"
        )
    state = read_published(verify_file(checkpoint, file).path)
    _fill(network, {name: tensor for name, tensor in state.items() if name.startswith(PUBLISHED)}, source)
    # Nobody has published which of our images SAM or MedSAM learned from.
    return TrainingManifest()


def segsam_models() -> list[str]:
    """The bundled models whose encoder can be taken."""
    return [name for name in bundled_models() if name.startswith("segsam")]


def _fill(network: BreastNetwork, state: dict[str, torch.Tensor], source: str) -> None:
    try:
        network.base_encoder.load_state_dict(state)
    except RuntimeError as error:
        raise SettingsError(
            f"The weights '{source}' are not of the encoder '{network.config.encoder}': choose the encoder that they "
            "were made for."
        ) from error


__all__ = ["WeightsError", "load_encoder_weights", "segsam_models"]
