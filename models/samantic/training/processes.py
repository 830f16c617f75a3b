"""What several processes of one run tell each other: the same weights, the average gradient, and when to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast
from torch import nn

from samantic.training.errors import TrainingError, TrainingStopped


@dataclass(frozen=True)
class StepVote:
    """How many processes had a loss, how many had one that is no number, and how many were asked to stop."""

    learned: int
    broken: int
    stop: int


@contextmanager
def working_together(accelerator: Accelerator) -> Iterator[None]:
    """Processes that end or are stopped wait for one another at the end of the block, and take their group down.

    The threads of a group that is still up when its interpreter exits can abort the process (SIGABRT).
    """
    try:
        try:
            yield
        except TrainingStopped:
            accelerator.wait_for_everyone()
            raise
        accelerator.wait_for_everyone()
    finally:
        if accelerator.num_processes > 1:
            accelerator.state.destroy_process_group()
            # The next run of this process finds no group and makes one.
            AcceleratorState._reset_state(reset_partial_state=True)


def start_alike(accelerator: Accelerator, network: nn.Module) -> None:
    """Give every process the weights of the first."""
    if accelerator.num_processes > 1:
        for tensor in [*network.parameters(), *network.buffers()]:
            tensor.data.copy_(broadcast(tensor.data.contiguous()))


def check_same_step(accelerator: Accelerator, step: int) -> None:
    """TrainingError unless every process resumes at the same step."""
    steps = accelerator.gather(torch.tensor([step], device=accelerator.device)).tolist()
    if len(set(steps)) > 1:
        raise TrainingError(
            f"The processes would resume at different steps ({', '.join(map(str, sorted(set(steps))))}): all of them "
            "must see the same run folder."
        )


def share_step(accelerator: Accelerator, network: nn.Module, vote: StepVote) -> StepVote:
    """Average the gradients over the processes that had a loss, in place, and count the votes of all.

    A step calls the network's parts, which the wrapper of DistributedDataParallel cannot follow. One exchange carries
    gradients and votes, so that a process with nothing to learn from does not leave the others waiting.
    """
    if accelerator.num_processes == 1:
        return vote
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    used = torch.tensor([float(parameter.grad is not None) for parameter in parameters], device=accelerator.device)
    counts = torch.tensor([vote.learned, vote.broken, vote.stop], dtype=torch.float32, device=accelerator.device)
    flat = torch.cat([*(gradient.reshape(-1).float() for gradient in gradients), used, counts])
    flat = accelerator.reduce(flat, reduction="sum")
    counts = flat[-3:]
    learned = max(1.0, float(counts[0]))
    used = flat[-3 - len(parameters) : -3]
    offset = 0
    for parameter, count in zip(parameters, used.tolist(), strict=True):
        part = flat[offset : offset + parameter.numel()].view(parameter.shape) / learned
        offset += parameter.numel()
        # Without a gradient anywhere a parameter rests, as it does in a single process.
        parameter.grad = part.to(parameter.dtype) if count else None
    return StepVote(*(int(count) for count in counts.tolist()))
