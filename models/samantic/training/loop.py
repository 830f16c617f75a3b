"""The training loop on `accelerate`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from torch import nn

from samantic.training.errors import TrainingError, TrainingStopped
from samantic.training.memory_format import faster_memory_format
from samantic.training.metrics_log import MetricsLog
from samantic.training.optimiser import adamw, moving_average
from samantic.training.options import FitOptions
from samantic.training.processes import StepVote, check_same_step, share_step, start_alike, working_together
from samantic.training.progress import ProgressReport
from samantic.training.run_folder import Learner, identity_of, resume, save_state, write_description
from samantic.training.schedule import learning_rate_at
from samantic.training.stopping import StopRequest
from samantic.training.task import ShowsPredictions, TrainingTask
from samantic.training.to_device import to_device

IDLE_STEPS = 50
"""So many steps in a row without learning end a run: nothing that comes after will help it."""


def fit(task: TrainingTask, options: FitOptions, run: Path) -> nn.Module:
    """Train the task's network and return its moving average, in evaluation mode.

    A run that was cut off goes on in the folder `run` where it stopped, and ends with the weights it would have had.
    The folder holds `state.pt` (to resume), the task's weights (the average so far), `metrics.csv`, `tensorboard/`,
    `sheets/` and `options.json`. A step whose loss or gradient is no finite number changes no weights and is counted.
    TrainingStopped after SIGTERM or Ctrl-C, when the state is written; TrainingError where the folder belongs to
    another run, the device cannot do what is asked, or `IDLE_STEPS` steps in a row taught nothing.
    """
    return _Run(task, options, run).to_the_end()


@dataclass(frozen=True)
class _StepResult:
    learned: bool
    metrics: dict[str, float]
    stop: bool


class _Run:
    def __init__(self, task: TrainingTask, options: FitOptions, run: Path) -> None:
        self.task, self.options, self.folder = task, options, run
        self.accelerator = _accelerator(options.mixed_precision)
        network, device = task.network, self.accelerator.device
        network.to(device=device, memory_format=faster_memory_format(network, device)).train()  # type: ignore[call-overload]
        start_alike(self.accelerator, network)
        average = moving_average(network, options.average_decay).to(self.accelerator.device)
        average.eval()
        optimizer = self.accelerator.prepare(adamw(network, options))
        self.learner = Learner(network, average, optimizer, self.accelerator.scaler)
        self.identity = identity_of(options, task.identity(), self.accelerator.num_processes)
        run.mkdir(parents=True, exist_ok=True)
        self.step = resume(run, self.learner, self.identity, self.accelerator.device)
        self.idle = 0

    def to_the_end(self) -> nn.Module:
        with working_together(self.accelerator):
            check_same_step(self.accelerator, self.step)
            self._to_the_last_step()
        return self.learner.average.module.eval()

    def _to_the_last_step(self) -> None:
        main = self.accelerator.is_main_process
        with ProgressReport(self.step, self.options.steps, main) as report, StopRequest() as request:
            if self.step:
                report.say(f"Resuming after step {self.step} of {self.options.steps}.")
            log = None
            if main:
                write_description(self.folder, self.options, self.task.identity(), self.accelerator.num_processes)
                log = MetricsLog(self.folder, self.step, report.say)
            try:
                self._train(report, log, request)
            finally:
                if log is not None:
                    log.close()

    def _train(self, report: ProgressReport, log: MetricsLog | None, request: StopRequest) -> None:
        saved = time.monotonic()
        while self.step < self.options.steps:
            result = self._one_step(request)
            self._count_idle(result, report)
            if log is not None and result.metrics:
                log.write(self.step, result.metrics)
            self.step += 1
            report.done(self.step, result.metrics.get("loss") if result.learned else None)
            last = self.step == self.options.steps
            if last or result.stop or time.monotonic() - saved >= 60 * self.options.checkpoint_minutes:
                self._save(log)
                saved = time.monotonic()
            if last or (self.options.sheet_every and self.step % self.options.sheet_every == 0):
                self._show_predictions()
            if result.stop and not last:
                raise TrainingStopped(self.step, self.options.steps, request.signal_number)

    def _one_step(self, request: StopRequest) -> _StepResult:
        accelerator, network, optimizer = self.accelerator, self.learner.network, self.learner.optimizer
        key = (self.options.seed, self.step, accelerator.process_index)
        # Seeded by the step, torch's own generators too: a resumed run draws what an uninterrupted one would have.
        set_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        batch = self.task.draw(self.step, np.random.default_rng(key))
        loss, metrics = None, {}
        if batch is not None:
            batch = to_device(batch, accelerator.device)
            with accelerator.autocast():
                loss, parts = self.task.loss(batch, self.step, np.random.default_rng((*key, 1)))
            metrics = {"loss": float(loss.detach()), **parts}
        optimizer.zero_grad()
        finite = loss is not None and math.isfinite(metrics["loss"])
        if finite:
            accelerator.backward(loss)
        broken = loss is not None and not finite
        vote = share_step(accelerator, network, StepVote(int(finite), int(broken), int(bool(request.signal_number))))
        learned = False
        if vote.learned and not vote.broken:
            rate = learning_rate_at(self.step, self.options)
            for group in optimizer.param_groups:
                group["lr"] = rate
            norm = float(accelerator.clip_grad_norm_(network.parameters(), self.options.gradient_norm))
            # With fp16 the scaler leaves such a step out by itself and tries a smaller scale.
            if math.isfinite(norm) or self.learner.scaler is not None:
                optimizer.step()
                learned = not optimizer.step_was_skipped
            if learned:
                self.learner.average.update_parameters(network)
            if metrics:
                metrics.update(learning_rate=rate, gradient_norm=norm)
        # Several processes stop after the same step; a single one need not wait for the next vote.
        stop = vote.stop if accelerator.num_processes > 1 else request.signal_number
        return _StepResult(learned, metrics, bool(stop))

    def _count_idle(self, result: _StepResult, report: ProgressReport) -> None:
        self.idle = 0 if result.learned else self.idle + 1
        if not result.learned and result.metrics:
            report.say(
                f"Step {self.step + 1} was left out: its loss or gradient is no finite number ({self.idle} in a row)."
            )
        if self.idle >= IDLE_STEPS:
            raise TrainingError(
                f"{self.idle} steps in a row taught nothing: either the loss is no finite number (try a lower "
                "learning_rate, or mixed_precision bf16 or no), or the data show no object that is large enough."
            )

    def _save(self, log: MetricsLog | None) -> None:
        if log is None:
            return
        log.make_durable()
        save_state(self.folder, self.step, self.learner, self.identity)
        self.task.save_weights(self.learner.average.module, self.folder / self.task.weights_name)

    def _show_predictions(self) -> None:
        if self.accelerator.is_main_process and isinstance(self.task, ShowsPredictions):
            (self.folder / "sheets").mkdir(exist_ok=True)
            average = self.learner.average.module.eval()
            self.task.prediction_sheet(average, self.folder / "sheets" / f"step-{self.step}.png")


def _accelerator(mixed_precision: str) -> Accelerator:
    # The library keeps one precision for the life of a process; a server trains one model after the other.
    AcceleratorState._reset_state()
    try:
        # Processes that torchrun starts on a machine without an accelerator only find each other when told so.
        accelerator = Accelerator(mixed_precision=mixed_precision, cpu=not torch.accelerator.is_available())
    except (ValueError, RuntimeError) as error:
        raise TrainingError(f"mixed_precision {mixed_precision} does not work on this machine: {error}") from error
    if mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise TrainingError("mixed_precision fp16 needs a GPU, and this run is on the CPU: use no or bf16.")
    return accelerator
