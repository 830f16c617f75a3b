"""Training on what was submitted, watched epoch by epoch, and the versions that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from SamanticLib.answers import ModelVersion, TrainingState
from SamanticLib.cancellation import current_cancellation
from SamanticLib.errors import Cancelled
from SamanticLib.session_core import SessionCore

LOOK_S = 1.0
LOOK_AGAIN_S = 3.0


class Learning:
    """A training of the server's, which goes on whatever a person does meanwhile. Source: ours."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core

    def train(self, model: str, **params: Any) -> None:
        """Start a training on all submitted labels."""
        core = self._core
        client = core.server
        core.now.training = TrainingState("queued", model)
        core.quiet()

        def refused(_: Exception) -> None:
            core.now.training = None

        core.run("train", lambda: client.train(model, **params), lambda _: self._watch(model, LOOK_S), refused)

    def stop(self) -> None:
        """Stop the training; nothing of it is published."""
        core = self._core
        # The watch sees that it has ended, and says so.
        core.run("train", core.server.stop_training, lambda _: None)

    def look(self, model: str, said: str = "") -> None:
        """Look which versions of a model there are. said: the sentence that is shown, which a failure must not hide."""
        core = self._core
        client = core.server

        def found(versions: Sequence[ModelVersion]) -> None:
            core.now.versions = tuple(versions)

        def missed(error: Exception) -> None:
            if not isinstance(error, Cancelled):
                core.say("error", f"{said} The versions of {model} cannot be listed: {error}".strip())

        core.run("train", lambda: client.versions(model), found, missed, tell=False)

    def roll_back(self, model: str, version: str) -> None:
        """Let the server answer with another version of a model."""
        core = self._core
        client = core.server

        def done(_: Any) -> None:
            said = f"From now on {model} answers with version {version}."
            core.say("good", said)
            self.look(model, said)

        core.run("train", lambda: client.roll_back(model, version), done)

    def _watch(self, model: str, wait_s: float) -> None:
        core = self._core
        client = core.server

        def look() -> TrainingState:
            if current_cancellation().wait(wait_s):
                raise Cancelled("The training is not watched any more.")
            return client.training()

        def seen(state: TrainingState) -> None:
            core.now.training = state
            if state.running:
                self._watch(model, LOOK_S)
                return
            kind, said = _outcome(state)
            core.say(kind, said)
            self.look(model, said)

        def unanswered(_: Exception) -> None:
            self._watch(model, LOOK_AGAIN_S)

        core.run("train", look, seen, unanswered, tell=False)


def _outcome(state: TrainingState) -> tuple[str, str]:
    if state.state == "done" and state.published:
        dice = "" if state.dice_after is None else f", Dice {state.dice_after:.2f} on images that were held out"
        return "good", f"The model has learned: version {state.published} answers from now on{dice}."
    if state.state == "done":
        return "info", "The model did not get better on the images that were held out, so it stays as it was."
    if state.state == "stopped":
        return "info", "The training was stopped; the model is as it was."
    return "error", state.detail or "The training failed; the server's log says why."
