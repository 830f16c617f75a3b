"""SEG-SAM on the training loop that all models share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.datasets.labelled_view import LabelledView
from samantic.sam import WeightsError
from samantic.segsam.checkpoint import file_hash, load_manifest, load_network, save_network
from samantic.segsam.config import SegSamConfig
from samantic.segsam.losses import SEMANTIC_WEIGHT
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.network import SegSam
from samantic.segsam.published_weights import TRAINED_APART, load_binary_path
from samantic.segsam.training.batches import BatchBuilder, TrainingBatch
from samantic.segsam.training.drawn_sets import DrawnSets
from samantic.segsam.training.rounds import training_loss
from samantic.segsam.training.sheet import write_prediction_sheet
from samantic.training import FitOptions, TrainingError
from samantic.training import fit as fit_task
from samantic.vocabulary import load_text_embeddings, load_vocabulary
from samantic.weights_file import unfit_tensors

ALIGNMENT_WARMUP = 0.1
"""Share of the steps over which the alignment's weight rises to 1: it means little before both decoders see something
(ours)."""


def fit(
    config: SegSamConfig,
    sets: Mapping[str, Sequence[LabelledView]],
    shares: Mapping[str, float],
    options: FitOptions,
    run: Path,
    *,
    objects_per_image: int = 2,
    initial_weights: Path | None = None,
    freeze_encoder: bool = False,
    semantic_weight: float = SEMANTIC_WEIGHT,
    shown: Sequence[LabelledView] = (),
) -> SegSam:
    """Train a network on `sets`, drawn by `shares`, and return its moving average; see `samantic.training.fit`.

    The weights are `segsam.safetensors` in the folder `run`. `initial_weights` of a network with the same parts and
    classes, at any image size, take the place of the random start. `shown` are views for the sheets of predictions.
    """
    set_seed(options.seed)
    network = SegSam(config, text_vectors(config.class_names))
    if initial_weights is not None:
        start_from(network, initial_weights)
    if freeze_encoder:
        network.freeze_encoder()
    task = SegSamTask(
        network,
        sets,
        shares,
        options,
        objects_per_image=objects_per_image,
        initial_weights=initial_weights,
        semantic_weight=semantic_weight,
        shown=shown,
    )
    return cast(SegSam, fit_task(task, options, run))


class SegSamTask:
    """A SEG-SAM network learns from labelled views, prompted by a simulated annotator (a `TrainingTask`)."""

    weights_name = "segsam.safetensors"

    def __init__(
        self,
        network: SegSam,
        sets: Mapping[str, Sequence[LabelledView]],
        shares: Mapping[str, float],
        options: FitOptions,
        *,
        objects_per_image: int = 2,
        initial_weights: Path | None = None,
        semantic_weight: float = SEMANTIC_WEIGHT,
        shown: Sequence[LabelledView] = (),
    ) -> None:
        self.network = network
        self._sets, self._options = DrawnSets(sets, shares), options
        self._builder = BatchBuilder(
            network.config.class_names,
            load_vocabulary(),
            network.image_size,
            objects_per_image,
            network.low_resolution_size,
            placement=network.encoder.placement,  # type: ignore[arg-type]
            border=network.encoder.border,  # type: ignore[arg-type]
        )
        self._shown, self._semantic_weight = shown, semantic_weight
        self._manifest: TrainingManifest | None = self._sets.manifest()
        if initial_weights is not None:
            self._manifest = after(initial_weights, self._manifest)
        self._identity = {
            "network": json.loads(network.config.to_json()),
            **self._sets.identity,
            "objects_per_image": objects_per_image,
            "semantic_weight": semantic_weight,
            "initial_weights": file_hash(initial_weights) if initial_weights is not None else None,
        }
        if not any(parameter.requires_grad for parameter in network.encoder.parameters()):
            self._identity["freeze_encoder"] = True

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> TrainingBatch | None:  # noqa: ARG002
        return self._builder.build(self._sets.draw(self._options.batch_size, random), random)

    def loss(
        self, batch: TrainingBatch, step: int, random: np.random.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        alignment = min(1.0, step / max(1, ALIGNMENT_WARMUP * self._options.steps))
        return training_loss(self.network, batch, alignment, random, self._semantic_weight)

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_network(cast(SegSam, network), path, manifest=self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_prediction_sheet(cast(SegSam, network), self._shown, path)


def after(earlier: Path, manifest: TrainingManifest | None) -> TrainingManifest | None:
    """The manifest of weights that start from the file `earlier`; None where that file does not say what it saw."""
    known = load_manifest(earlier)
    return None if known is None or manifest is None else manifest.with_earlier(known)


def text_vectors(class_names: Sequence[str]) -> torch.Tensor:
    """The packaged text embeddings of some classes, (K, 384)."""
    return torch.from_numpy(load_text_embeddings().of(class_names))


def start_from(network: SegSam, path: Path) -> None:
    """Load the weights of another network with the same parts and classes, at any image size.

    Of a network without a semantic path, such as an adopted one, the encoder and the binary path are taken. A look
    network and a prompt-free head are left out: this training does not fit them, and the head would no longer suit the
    encoder; `samantic train look` and `samantic train prompt-free` come after it.
    TrainingError says what does not fit; CheckpointError, that the file is none.
    """
    other = load_network(path)
    if network.config.so_token and not other.config.so_token:
        try:
            load_binary_path(network, other)
        except WeightsError as error:
            raise TrainingError(f"The initial weights {path.name} do not fit this run. {error}") from error
        return
    if other.config.class_names != network.config.class_names:
        differing = set(other.config.class_names) ^ set(network.config.class_names)
        raise TrainingError(
            f"The initial weights {path.name} know {len(other.config.class_names)} classes, this run has "
            f"{len(network.config.class_names)}; {len(differing)} are not in both"
            + (f", such as '{min(differing)}'." if differing else ", their order differs.")
        )
    stored = {name: one for name, one in other.state_dict().items() if not name.startswith(TRAINED_APART)}
    wanted = {name: one for name, one in network.state_dict().items() if not name.startswith(TRAINED_APART)}
    unfit = unfit_tensors(stored, wanted)
    if unfit:
        raise TrainingError(
            f"The initial weights {path.name} belong to a network with other parts: {len(unfit)} of {len(wanted)} "
            f"tensors do not fit, the first is '{unfit[0]}'."
        )
    network.load_state_dict(stored, strict=False)
