"""Why a training run ended before its last step."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """A run cannot begin, go on or be resumed; the message says why and what to do."""


class TrainingStopped(RuntimeError):  # noqa: N818  nothing went wrong: somebody asked for it
    """A run was asked to stop, wrote its state and goes on when it is started again; `signal_number` is who asked."""

    def __init__(self, step: int, steps: int, signal_number: int) -> None:
        super().__init__(f"Stopped after step {step} of {steps}. Start the same run again and it goes on from there.")
        self.step, self.signal_number = step, signal_number
