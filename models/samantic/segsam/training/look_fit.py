"""The look network on the training loop that all models share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.checkpoint import file_hash, load_manifest, load_network, save_network
from samantic.segsam.look_network import LookNetwork
from samantic.segsam.manifest import TrainingManifest
from samantic.segsam.network import SegSam
from samantic.segsam.training.drawn_sets import DrawnSets
from samantic.segsam.training.look_rounds import look_loss
from samantic.segsam.training.looks import LookBatch, draw_looks
from samantic.segsam.training.parts import with_part
from samantic.segsam.training.sheet import write_prediction_sheet
from samantic.training import FitOptions, fit


def fit_look(
    segsam: Path,
    sets: Mapping[str, Sequence[LabelledView]],
    shares: Mapping[str, float],
    options: FitOptions,
    run: Path,
    *,
    look_size: int = 128,
    look_width: int = 24,
    shown: Sequence[LabelledView] = (),
) -> SegSam:
    """Train a look network on `sets`, drawn by `shares`, and return the SEG-SAM weights `segsam` with it.

    The weights are `segsam.safetensors` in the folder `run`; all but the look network are those of `segsam`, whose own
    look network, if it has one of this shape, is the start. See `samantic.training.fit`.
    """
    set_seed(options.seed)
    start = load_network(segsam)
    config = dataclasses.replace(start.config, look_size=look_size, look_width=look_width)
    network = start if config == start.config else with_look(start, LookNetwork(look_size, look_width))
    task = LookTask(network, sets, shares, options, file_hash(segsam), shown, load_manifest(segsam))
    return with_look(network, cast(LookNetwork, fit(task, options, run)))


def with_look(segsam: SegSam, look_network: LookNetwork) -> SegSam:
    """The same SEG-SAM network with another look network."""
    width = look_network.stem.out_channels
    config = dataclasses.replace(segsam.config, look_size=look_network.image_size, look_width=width)
    return with_part(segsam, config, "look_network", look_network)


class LookTask:
    """A look network learns from labelled views, prompted by a simulated annotator (a `TrainingTask`)."""

    weights_name = "segsam.safetensors"

    def __init__(
        self,
        segsam: SegSam,
        sets: Mapping[str, Sequence[LabelledView]],
        shares: Mapping[str, float],
        options: FitOptions,
        segsam_hash: str,
        shown: Sequence[LabelledView] = (),
        earlier: TrainingManifest | None = None,
    ) -> None:
        if segsam.look_network is None:
            raise ValueError("The SEG-SAM network has no look network to train.")
        self.network = segsam.look_network
        self._segsam, self._sets, self._options, self._shown = segsam, DrawnSets(sets, shares), options, shown
        self._manifest = None if earlier is None else self._sets.manifest().with_earlier(earlier)
        self._identity = {
            "look_network": {"size": segsam.config.look_size, "width": segsam.config.look_width},
            **self._sets.identity,
            "segsam": segsam_hash,
        }

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> LookBatch | None:  # noqa: ARG002
        views = self._sets.draw(self._options.batch_size, random)
        return draw_looks(views, self.network.image_size, self.network.low_resolution_size, random)

    def loss(
        self,
        batch: LookBatch,
        step: int,  # noqa: ARG002
        random: np.random.Generator,
    ) -> tuple[torch.Tensor, dict[str, float]]:
        return look_loss(self.network, batch, random)

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_network(with_look(self._segsam, cast(LookNetwork, network)), path, manifest=self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_prediction_sheet(with_look(self._segsam, cast(LookNetwork, network)), self._shown, path)
