"""The training loop of SEG-SAM on `accelerate`: any device, exact resume, moving average of the weights."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.utils import set_seed
from torch.optim.swa_utils import AveragedModel

from samantic.datasets.labelled_view import LabelledView
from samantic.imaging import atomic_path
from samantic.segsam.checkpoint import save_network
from samantic.segsam.config import SegSamConfig
from samantic.segsam.network import SegSam
from samantic.segsam.training.batches import BatchBuilder, TrainingBatch
from samantic.segsam.training.rounds import training_loss
from samantic.vocabulary import load_text_embeddings, load_vocabulary


@dataclass(frozen=True)
class FitOptions:
    """How long and how to train."""

    steps: int = 1500
    batch_size: int = 16
    objects_per_image: int = 2
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_share: float = 0.05
    average_decay: float = 0.998
    seed: int = 17
    mixed_precision: str = "no"
    checkpoint_minutes: float = 4.0


def fit(
    config: SegSamConfig,
    sets: Mapping[str, Sequence[LabelledView]],
    shares: dict[str, float],
    options: FitOptions,
    run: Path,
) -> SegSam:
    """Train a network and return its moving average; an interrupted run in the folder `run` goes on where it stopped.

    Writes `state.pt` (to resume), `segsam.safetensors` (the average so far), `metrics.csv` and `options.json`.
    """
    accelerator = Accelerator(mixed_precision=options.mixed_precision)
    set_seed(options.seed)
    network = SegSam(config, text_vectors(config.class_names)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(network, multi_avg_fn=_moving_average(options.average_decay))
    optimizer = torch.optim.AdamW(_parameter_groups(network, options.weight_decay), lr=options.learning_rate)
    network.to(accelerator.device)
    average.to(accelerator.device)
    optimizer = accelerator.prepare(optimizer)
    run.mkdir(parents=True, exist_ok=True)
    step = _resume(run, accelerator, network, average, optimizer)
    if accelerator.is_main_process:
        (run / "options.json").write_text(json.dumps({**asdict(options), "shares": shares}, indent=1))
    builder = BatchBuilder(config.class_names, load_vocabulary(), network.image_size, options.objects_per_image)
    names = list(sets)
    weights = np.array([shares[name] for name in names]) / sum(shares[name] for name in names)
    started, saved, first = time.monotonic(), time.monotonic(), step
    while step < options.steps:
        # Seeded by the step, so that a resumed run draws what an uninterrupted one would have drawn.
        random = np.random.default_rng((options.seed, step, accelerator.process_index))
        views = [_draw(sets[name], random) for name in random.choice(names, size=options.batch_size, p=weights)]
        batch = builder.build(views, random)
        if batch is not None:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, options)
            # Alignment means little before both decoders see something (first tenth of the run).
            alignment = min(1.0, step / max(1, 0.1 * options.steps))
            batch = _to_device(batch, accelerator.device)
            with accelerator.autocast():
                loss, parts = training_loss(network, batch, alignment, random)
            optimizer.zero_grad()
            accelerator.backward(loss)
            _share_gradients(accelerator, network)
            accelerator.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            average.update_parameters(network)
            _log(run, step, float(loss.detach()), parts, accelerator)
        step += 1
        if step % 20 == 0:
            rate = (time.monotonic() - started) / (step - first)
            left = rate * (options.steps - step) / 60
            accelerator.print(f"step {step}/{options.steps}  {rate:.2f} s a step  {left:.0f} min left", flush=True)
        if time.monotonic() - saved > 60 * options.checkpoint_minutes or step == options.steps:
            _save(run, step, accelerator, network, average, optimizer)
            saved = time.monotonic()
    return cast(SegSam, average.module).eval()


def text_vectors(class_names: Sequence[str]) -> torch.Tensor:
    """The packaged text embeddings of some classes, (K, 384)."""
    return torch.from_numpy(load_text_embeddings().of(class_names))


def learning_rate_at(step: int, options: FitOptions) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    warmup = max(1, round(options.warmup_share * options.steps))
    if step < warmup:
        return options.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, options.steps - warmup)
    return options.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _share_gradients(accelerator: Accelerator, network: SegSam) -> None:
    """Average the gradients over all processes; a step calls the network's parts, which a DDP wrapper cannot follow."""
    if accelerator.num_processes > 1:
        for parameter in network.parameters():
            gradient = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            parameter.grad = accelerator.reduce(gradient, reduction="mean")


def _moving_average(decay: float) -> Callable[[Any, Any, torch.Tensor | int], None]:
    """Exponential moving average whose decay grows to `decay`, so that the random start is soon forgotten."""

    @torch.no_grad()
    def update(averages: Any, parameters: Any, count: torch.Tensor | int) -> None:
        steps = float(count)
        torch._foreach_lerp_(list(averages), list(parameters), 1.0 - min(decay, (1.0 + steps) / (10.0 + steps)))

    return update


def _parameter_groups(network: SegSam, weight_decay: float) -> list[dict]:
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _draw(views: Sequence[LabelledView], random: np.random.Generator) -> LabelledView:
    return views[int(random.integers(len(views)))]


def _to_device(batch: TrainingBatch, device: torch.device) -> TrainingBatch:
    targets = type(batch.targets)(*(value.to(device) for value in vars(batch.targets).values()))
    images = batch.images.to(device, memory_format=torch.channels_last)
    return replace(batch, images=images, image_index=batch.image_index.to(device), targets=targets)


COLUMNS = ("step", "loss", "binary_0", "binary_1", "binary_2", "semantic", "presence", "alignment")


def _log(run: Path, step: int, loss: float, parts: dict[str, float], accelerator: Accelerator) -> None:
    if not accelerator.is_main_process:
        return
    values = {"step": step, "loss": round(loss, 4), **{name: round(value, 4) for name, value in parts.items()}}
    path = run / "metrics.csv"
    if not path.exists():
        path.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    with path.open("a", newline="", encoding="utf-8") as lines:
        csv.DictWriter(lines, COLUMNS).writerow(values)


def _forget_metrics_from(run: Path, step: int) -> None:
    """Drop the lines of steps that are about to be run again."""
    path = run / "metrics.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(header + "".join(line for line in lines if int(line.split(",")[0]) < step), encoding="utf-8")


def _save(
    run: Path,
    step: int,
    accelerator: Accelerator,
    network: SegSam,
    average: AveragedModel,
    optimizer: AcceleratedOptimizer,
) -> None:
    if not accelerator.is_main_process:
        return
    state = {
        "step": step,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with atomic_path(run / "state.pt") as temporary:
        torch.save(state, temporary)
    save_network(cast(SegSam, average.module), run / "segsam.safetensors")


def _resume(
    run: Path, accelerator: Accelerator, network: SegSam, average: AveragedModel, optimizer: AcceleratedOptimizer
) -> int:
    path = run / "state.pt"
    if not path.exists():
        return 0
    state = torch.load(path, map_location=accelerator.device, weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    if accelerator.is_main_process:
        _forget_metrics_from(run, int(state["step"]))
    accelerator.print(f"Resuming at step {state['step']}.")
    return int(state["step"])
