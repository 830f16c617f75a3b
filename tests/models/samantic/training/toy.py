"""A network of a few weights on the training loop, with dropout, so that torch's own random numbers matter.

    python toy.py RUN [STEPS] [SECONDS A STEP]

trains it in the folder RUN, writes the last weights to RUN/network-PROCESS.pt and leaves 3 when it was stopped.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from samantic.training import FitOptions, TrainingStopped, fit


@dataclass
class ToyTask:
    """Learns whether a small picture is bright on its left; `losses` overrides the loss of some steps."""

    weights_name = "toy.pt"
    network: nn.Module = field(default_factory=lambda: toy_network(0))
    losses: Mapping[int, float] = field(default_factory=dict)
    nothing_at: tuple[int, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    pause: float = 0.0
    drawn: list[int] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)

    def identity(self) -> Mapping[str, Any]:
        return {"kind": "toy", **self.extra}

    def draw(self, step: int, random: np.random.Generator) -> dict[str, torch.Tensor] | None:
        self.drawn.append(step)
        time.sleep(self.pause)
        if step in self.nothing_at:
            return None
        images = torch.from_numpy(random.random((4, 1, 6, 6)).astype(np.float32))
        left = torch.from_numpy((random.random(4) < 0.5).astype(np.float32))
        images[..., :3] += left[:, None, None, None]
        return {"images": images, "left": left}

    def loss(
        self, batch: dict[str, torch.Tensor], step: int, random: np.random.Generator
    ) -> tuple[torch.Tensor, dict[str, float]]:
        logits = self.network(batch["images"])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), batch["left"])
        if step in self.losses:
            loss = loss * self.losses[step]
        parts = {"accuracy": float(((logits > 0) == (batch["left"] > 0.5)).float().mean())}
        return loss, parts if step < 3 else {**parts, "late": float(random.random())}

    def save_weights(self, network: nn.Module, path: Path) -> None:
        torch.save(network.state_dict(), path)

    def prediction_sheet(self, network: nn.Module, path: Path) -> None:
        assert not network.training
        path.write_bytes(b"a picture")
        self.sheets.append(path.name)


def toy_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(144, 1))


def main() -> None:
    run, steps, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    torch.set_num_threads(1)
    options = FitOptions(steps=steps, learning_rate=1e-2, checkpoint_minutes=60)
    process = int(os.environ.get("RANK", "0"))
    # Another start in every process: the loop must make them alike.
    network = toy_network(process)
    try:
        fit(ToyTask(network, nothing_at=(2,) if process else (), pause=pause), options, run)
    except TrainingStopped:
        sys.exit(3)
    torch.save(network.state_dict(), run / f"network-{process}.pt")


if __name__ == "__main__":
    main()
