"""The peer that BESA-Diff is measured against: MONAI's U-Net of the same size, trained on the same pictures.

    SAMANTIC_DATA=... python benchmarks/unet_baseline.py RUN --steps N

Residual units, instance normalisation, Dice and cross entropy: the usual choice. It sees the same augmentation, is
averaged over the last steps as the segmenter is, and `--steps` makes it train as long in seconds on the same core.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from samantic.besadiff.distance_maps import signed_distance
from samantic.besadiff.squares import stretched
from samantic.besadiff.training.augmentation import moved, recoloured
from samantic.datasets.development_sets import data_folder, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.training import FitOptions, fit

SIDE = 128
CHANNELS = (20, 40, 80, 160, 320)
"""2.54 million parameters; the segmenter has 2.51."""


def unet() -> UNet:
    """Photographs (B, 3, 128, 128) in 0 to 1 -> logits (B, 1, 128, 128)."""
    return UNet(2, 3, 1, CHANNELS, (2, 2, 2, 2), num_res_units=2)


class UnetTask:
    """The U-Net learns lesions from photographs (a `TrainingTask`)."""

    weights_name = "unet.safetensors"

    def __init__(self, views: Sequence[LabelledView], options: FitOptions) -> None:
        self.network = unet()
        self._options, self._loss = options, DiceCELoss(sigmoid=True)
        self._images = torch.stack([stretched(view.image, SIDE) for view in views])
        self._distances = torch.stack([signed_distance(view.labels > 0, SIDE)[None] for view in views])

    def identity(self) -> Mapping[str, Any]:
        return {"pictures": len(self._images), "channels": list(CHANNELS)}

    def draw(self, step: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ARG002
        chosen = random.integers(len(self._images), size=self._options.batch_size)
        images, distances = moved(self._images[chosen].float() / 255, self._distances[chosen], random)
        return recoloured(images, random), distances

    def loss(
        self,
        batch: tuple[torch.Tensor, torch.Tensor],
        step: int,  # noqa: ARG002
        random: np.random.Generator,  # noqa: ARG002
    ) -> tuple[torch.Tensor, dict[str, float]]:
        images, distances = batch
        return self._loss(self.network(images).float(), (distances > 0).float()), {}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)


def load_unet(path: Path) -> UNet:
    """The trained network."""
    network = unet()
    network.load_state_dict(load_file(path))
    return network.eval()


@torch.no_grad()
def probability_of(network: UNet, image: np.ndarray) -> np.ndarray:
    """A photograph (rows, cols, 3) uint8 -> probabilities (rows, cols) float32."""
    logits = network(stretched(image, SIDE)[None].float() / 255)
    whole = functional.interpolate(torch.sigmoid(logits), size=image.shape[:2], mode="bilinear")
    return whole[0, 0].numpy()


def train(run: Path, steps: int, seed: int) -> None:
    options = FitOptions(
        steps=steps,
        batch_size=16,
        learning_rate=2e-3,
        weight_decay=0.02,
        warmup_share=0.03,
        average_decay=0.995,
        seed=seed,
        mixed_precision="bf16",
    )
    set_seed(seed)
    fit(UnetTask(list(isic2017(data_folder(), "train")), options), options, run)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, default=17)
    arguments = parser.parse_args()
    train(arguments.run, arguments.steps, arguments.seed)
