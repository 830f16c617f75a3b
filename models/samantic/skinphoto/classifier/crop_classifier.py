"""A small network that tells one disease from the others in a crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from segmentation_models_pytorch.encoders import get_encoder
from torch import nn
from torch.nn import functional

from samantic.skinphoto.classifier.pictures import LabelledPicture
from samantic.training import FitOptions, TrainingError, learning_rate_at
from samantic.training.optimiser import adamw


@dataclass(frozen=True)
class CropClassifierOptions:
    """Pictures are seen as squares of `side` pixels by an `encoder` of segmentation-models-pytorch."""

    encoder: str = "timm-mobilenetv3_small_100"
    side: int = 96
    fit: FitOptions = FitOptions(steps=300, batch_size=16, learning_rate=2e-3)  # noqa: RUF009  frozen


class CropClassifier(nn.Module):
    """Pictures (B, 3, S, S) in 0 to 1 -> logits (B,) of the disease. Source: ours."""

    def __init__(self, options: CropClassifierOptions) -> None:
        super().__init__()
        self.options = options
        self.encoder = get_encoder(options.encoder, in_channels=3, depth=5, weights=None)
        self.head = nn.Linear(self.encoder.out_channels[-1], 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(4 * pictures - 2)[-1].mean(dim=(2, 3)))[:, 0]

    @torch.inference_mode()
    def probabilities(self, pictures: Sequence[LabelledPicture]) -> np.ndarray:
        """How likely each picture shows the disease, (N,) float32; the network is left in evaluation mode."""
        self.eval()
        found = [self(_batch([picture], self.options.side)).sigmoid() for picture in pictures]
        return torch.cat(found).float().numpy() if found else np.zeros(0, np.float32)


def fit_classifier(pictures: Sequence[LabelledPicture], options: CropClassifierOptions) -> CropClassifier:
    """Train on pictures of both classes, each class as often as the other.

    TrainingError: one of the classes has no picture.
    """
    kinds = [[one for one in pictures if one.is_disease is wanted] for wanted in (False, True)]
    if not all(kinds):
        raise TrainingError("A classifier needs pictures of the disease and of others to learn from.")
    torch.manual_seed(options.fit.seed)
    network = CropClassifier(options).train()
    optimiser = adamw(network, options.fit)
    for step in range(options.fit.steps):
        random = np.random.default_rng((options.fit.seed, step))
        chosen = [
            kinds[place % 2][int(random.integers(len(kinds[place % 2])))] for place in range(options.fit.batch_size)
        ]
        batch = torch.rot90(_batch(chosen, options.side), int(random.integers(4)), (2, 3))
        if random.random() < 0.5:
            batch = batch.flip(3)
        gain = torch.from_numpy(random.normal(1, 0.1, (len(batch), 3, 1, 1)).astype(np.float32))
        truth = torch.tensor([float(one.is_disease) for one in chosen])
        loss = functional.binary_cross_entropy_with_logits(network((batch * gain).clamp(0, 1)), truth)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate_at(step, options.fit)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def _batch(pictures: Sequence[LabelledPicture], side: int) -> torch.Tensor:
    squares = np.stack([picture.square(side) for picture in pictures])
    return torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 255
