"""The prompt-free head on the training loop that all models share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.checkpoint import file_hash, load_calibration, load_network, save_network
from samantic.segsam.network import SegSam
from samantic.segsam.prompt_free_head import PromptFreeHead
from samantic.segsam.training.augmentation import picture_of
from samantic.segsam.training.batches import as_another_patient
from samantic.segsam.training.drawn_sets import DrawnSets
from samantic.segsam.training.fit import after
from samantic.segsam.training.known_classes import KnownClasses
from samantic.segsam.training.looks import SYNTHESIS_SHARE
from samantic.segsam.training.parts import with_part
from samantic.segsam.training.prompt_free_loss import MapTargets, prompt_free_loss, shares_of
from samantic.segsam.training.prompt_free_sheet import write_map_sheet
from samantic.training import FitOptions, fit
from samantic.vocabulary import load_vocabulary


@dataclass(frozen=True, eq=False)
class MapBatch:
    """`images` (B, 3, S, S) in 0 to 255; `shares` and `known` as in `MapTargets`."""

    images: torch.Tensor
    shares: torch.Tensor
    known: torch.Tensor


def fit_prompt_free(
    segsam: Path,
    sets: Mapping[str, Sequence[LabelledView]],
    shares: Mapping[str, float],
    options: FitOptions,
    run: Path,
    *,
    width: int = 32,
    shown: Sequence[LabelledView] = (),
) -> SegSam:
    """Train a head on `sets`, drawn by `shares`, and return the SEG-SAM weights `segsam` with it.

    The weights are `segsam.safetensors` in the folder `run`; all but the head are those of `segsam`, whose own head,
    if it has one of this width, is the start, and so is its calibration. See `samantic.training.fit`.
    """
    set_seed(options.seed)
    start = load_network(segsam)
    network = start if start.config.prompt_free_width == width else with_head(start, new_head(start, width), width)
    task = PromptFreeTask(network, sets, shares, options, segsam, shown)
    return with_head(network, cast(PromptFreeHead, fit(task, options, run)), width)


def new_head(segsam: SegSam, width: int) -> PromptFreeHead:
    """A head of random weights for a network's feature maps and classes."""
    encoder = segsam.encoder
    return PromptFreeHead(
        len(segsam.config.class_names),
        encoder.embedding_dim,  # type: ignore[arg-type]
        encoder.skip_channels,  # type: ignore[arg-type]
        width,
    )


def with_head(segsam: SegSam, head: PromptFreeHead, width: int) -> SegSam:
    """The same SEG-SAM network with another prompt-free head."""
    config = dataclasses.replace(segsam.config, prompt_free_width=width)
    return with_part(segsam, config, "prompt_free_head", head)


class PromptFreeTask:
    """A prompt-free head learns where every class is from labelled views (a `TrainingTask`); the encoder is frozen."""

    weights_name = "segsam.safetensors"

    def __init__(
        self,
        segsam: SegSam,
        sets: Mapping[str, Sequence[LabelledView]],
        shares: Mapping[str, float],
        options: FitOptions,
        segsam_file: Path,
        shown: Sequence[LabelledView] = (),
    ) -> None:
        if segsam.prompt_free_head is None or segsam.config.prompt_free_width is None:
            raise ValueError("The SEG-SAM network has no prompt-free head to train.")
        self.network = segsam.prompt_free_head
        self._segsam, self._width = segsam.requires_grad_(False), segsam.config.prompt_free_width
        self.network.requires_grad_(True)
        self._sets, self._options, self._shown = DrawnSets(sets, shares), options, shown
        self._calibration = load_calibration(segsam_file)
        self._manifest = after(segsam_file, self._sets.manifest())
        self._index_of = {name: index for index, name in enumerate(segsam.config.class_names)}
        self._known = KnownClasses(segsam.config.class_names, load_vocabulary())
        self._grid = _grid_of(segsam)
        self._identity = {"width": self._width, **self._sets.identity, "segsam": file_hash(segsam_file)}

    def identity(self) -> Mapping[str, Any]:
        return self._identity

    def draw(self, step: int, random: np.random.Generator) -> MapBatch:  # noqa: ARG002
        views = self._sets.draw(self._options.batch_size, random)
        drawn = [self._picture(as_another_patient(view, random, SYNTHESIS_SHARE), random) for view in views]
        images, shares, known = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        return MapBatch(images, shares, known)

    def loss(
        self,
        batch: MapBatch,
        step: int,  # noqa: ARG002
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        with torch.no_grad():
            features = self._segsam.to(batch.images.device).encode(batch.images)
        return prompt_free_loss(self.network(features), MapTargets(batch.shares, batch.known)), {}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        complete = with_head(self._segsam, cast(PromptFreeHead, network), self._width)
        save_network(complete, path, calibration=self._calibration, manifest=self._manifest)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        if self._shown:
            write_map_sheet(with_head(self._segsam, cast(PromptFreeHead, network), self._width), self._shown, path)

    def _picture(
        self, view: LabelledView, random: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        encoder = self._segsam.encoder
        picture = picture_of(view, self._segsam.image_size, random, encoder.placement, encoder.border)  # type: ignore[arg-type]
        # A class that the network does not know is background to it.
        channels = torch.tensor([0, *(self._index_of.get(name, -1) + 1 for name in view.class_names)])
        shares = shares_of(picture.labels, channels, len(self._index_of) + 1, self._grid)
        return picture.image, shares, torch.from_numpy(self._known.of(view))


def _grid_of(segsam: SegSam) -> int:
    """Side of the head's maps."""
    return segsam.image_size // 4 if segsam.encoder.skip_channels else int(segsam.encoder.embedding_size)  # type: ignore[arg-type]
