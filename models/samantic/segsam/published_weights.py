"""The weights that SAM's and MedSAM's authors published, in a SEG-SAM network."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from samantic.sam.checkpoint_file import WeightsError
from samantic.segsam.config import SegSamConfig
from samantic.segsam.network import SegSam
from samantic.weights_file import unfit_tensors

PLACES = {
    "image_encoder.": "encoder.image_encoder.",
    "prompt_encoder.": "prompt_encoder.",
    "mask_decoder.": "mask_decoder.",
}
"""Where each part of SAM lies in SEG-SAM."""

TRAINED_APART = ("look_network.", "prompt_free_head.")
"""Parts that stand beside the others and are trained after them."""

OURS = (
    "text_embeddings",
    "text_to_vision.",
    "semantic_decoder.",
    "prompt_encoder.raster_",
    "mask_decoder.fuse_prompt_skip.",
    *TRAINED_APART,
)
"""What SEG-SAM has and SAM has not."""

WIDTHS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}


@dataclass(frozen=True)
class LoadReport:
    """`loaded` and `unused` published keys, together all there are; `left` our own tensors, which stay as they were."""

    loaded: tuple[str, ...]
    unused: tuple[str, ...]
    left: tuple[str, ...]


def sam_config(class_names: Sequence[str] = (), encoder: str = "vit_b") -> SegSamConfig:
    """SEG-SAM with SAM's own prompt encoder and mask decoder; with class names, all of the semantic path as well."""
    semantic = bool(class_names)
    return SegSamConfig(
        tuple(class_names),
        encoder=encoder,
        so_token=semantic,
        co_tokens=semantic,
        text_to_vision=semantic,
        raster_prompts=False,
        transformer_mlp_dim=2048,
    )


def read_published(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file of `torch.save`, by SAM's names; a state dict under "model" is unwrapped.

    WeightsError says in one sentence what is wrong with the file; nothing in it is ever run.
    """
    try:
        if not zipfile.is_zipfile(path):
            path.stat()
            raise WeightsError(f"{path.name} is no file of weights as torch.save writes it, or only a part of one.")
        with zipfile.ZipFile(path) as archive:
            inflated = sum(entry.file_size for entry in archive.infolist())
        # torch.save does not compress: a file that grows when it is read was made to fill the memory.
        if inflated > path.stat().st_size:
            raise WeightsError(f"{path.name} is refused: it is compressed to hold {inflated:,} bytes.")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}.") from error
    except WeightsError:
        raise
    except Exception as error:  # an unpickler meets whatever the file's author thought of
        raise WeightsError(
            f"{path.name} is refused: it is damaged, or holds more than weights, which could run when it is opened."
        ) from error
    if isinstance(content, Mapping) and isinstance(content.get("model"), Mapping):
        content = content["model"]
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{path.name} holds no state dict but a {type(content).__name__}.")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise WeightsError(f"{path.name} holds no state dict: its entry {str(name)[:60]!r} is no tensor.")
    return dict(content)


def encoder_of(state: Mapping[str, torch.Tensor]) -> str:
    """`vit_b`, `vit_l` or `vit_h`, by the width of the position embeddings; WeightsError where it is none of them.

    MedSAM's weights look like SAM's and are `vit_b`; that they want another input cannot be seen from them.
    """
    _refuse_adapters(state)
    position = state.get("image_encoder.pos_embed")
    width = 0 if position is None or not position.ndim else int(position.shape[-1])
    if width not in WIDTHS:
        raise WeightsError(
            "These weights are not SAM's vit_b, vit_l or vit_h: 'image_encoder.pos_embed' is "
            + ("missing." if position is None else f"of shape {tuple(position.shape)}.")
        )
    return WIDTHS[width]


def load_published(network: SegSam, state: Mapping[str, torch.Tensor]) -> LoadReport:
    """Fill the encoder and the binary path with SAM's published weights, key by key.

    WeightsError names the first key that has no place, is missing or has another shape; the network is then untouched.
    """
    _refuse_adapters(state)
    own = network.state_dict()
    # A network that draws its prompts reads the mask by other layers.
    deliberate = ("prompt_encoder.mask_downscaling.",) if network.config.raster_prompts else ()
    unused = tuple(name for name in state if name.startswith(deliberate)) if deliberate else ()
    places = {name: _place(name) for name in state if name not in unused}
    homeless = [name for name, place in places.items() if place not in own or place.startswith(OURS)]
    if homeless:
        raise WeightsError(
            f"{len(homeless)} of {len(state)} published tensors have no place in a network on "
            f"'{network.config.encoder}', the first is '{homeless[0]}'."
        )
    filled = set(places.values())
    left = tuple(name for name in own if name not in filled)
    missing = [name for name in left if not name.startswith(OURS)]
    if missing:
        raise WeightsError(
            f"The published weights lack {len(missing)} of the tensors that a network on '{network.config.encoder}' "
            f"needs, the first is '{missing[0]}'."
        )
    for name, place in places.items():
        if state[name].shape != own[place].shape:
            raise WeightsError(
                f"'{name}' has the shape {tuple(state[name].shape)}, a network on '{network.config.encoder}' needs "
                f"{tuple(own[place].shape)}."
            )
    network.load_state_dict({place: state[name] for name, place in places.items()}, strict=False)
    return LoadReport(tuple(places), unused, left)


def load_binary_path(network: SegSam, other: SegSam) -> None:
    """Fill the encoder and the binary path with those of another network, such as an adopted one; classes may differ.

    A look network and a prompt-free head, of either, are left alone.

    WeightsError names the first tensor that does not fit; the network is then untouched.
    """
    own, theirs = _binary_path(network), _binary_path(other)
    unfit = unfit_tensors(theirs, own)
    if unfit:
        raise WeightsError(
            f"The encoder and binary path of a network on '{other.config.encoder}' do not fit one on "
            f"'{network.config.encoder}': {len(unfit)} tensors differ, the first is '{unfit[0]}'."
        )
    network.load_state_dict(theirs, strict=False)


def _binary_path(network: SegSam) -> dict[str, torch.Tensor]:
    beside = ("text_embeddings", "text_to_vision.", "semantic_decoder.", *TRAINED_APART)
    return {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(beside)}


def _place(name: str) -> str:
    return next((ours + name[len(theirs) :] for theirs, ours in PLACES.items() if name.startswith(theirs)), "")


def _refuse_adapters(state: Mapping[str, torch.Tensor]) -> None:
    adapters = [name for name in state if ".adapter" in name.lower()]
    if adapters:
        raise WeightsError(
            f"These weights hold {len(adapters)} tensors of adapter layers, as SAM-Med2D's do, such as "
            f"'{adapters[0]}', and SAM's encoder has none; choose weights without adapters."
        )
