"""The parameters of a round that is told by numbers alone: what to start from, and how to learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.trainers.parameters import CURRENT, chosen_options, given_parameters, initial_of
from samantic.training import SettingsError
from samantic.training.model_store import BUNDLED

OTHERS = ("initial", "val_ids", "device")

Options = TypeVar("Options")


@dataclass(frozen=True)
class RoundRequest(Generic[Options]):
    """One checked request; initial: "current", "bundled" or a version."""

    options: Options
    initial: str = CURRENT


@dataclass(frozen=True)
class RoundParameters(Generic[Options]):
    """The options of a model's round, by the names of those that are whole numbers and of those that are numbers."""

    options: Callable[..., Options]
    whole_numbers: tuple[str, ...]
    numbers: tuple[str, ...]

    def config(self) -> dict[str, Any]:
        """Return the parameters and their defaults as `/info/` shows them and stock clients let people change them."""
        usual = self.options()
        numbers = {name: getattr(usual, name) for name in (*self.whole_numbers, *self.numbers)}
        return {"initial": [CURRENT, BUNDLED], **numbers, "val_ids": ""}

    def read(self, params: Mapping[str, Any]) -> RoundRequest[Options]:
        """Read and check the parameters of a training. Raises RequestError with one plain sentence."""
        given = given_parameters(params, (*self.whole_numbers, *self.numbers, *OTHERS))
        try:
            options = self.options(**chosen_options(given, self.whole_numbers, self.numbers))
        except SettingsError as error:
            raise RequestError(str(error)) from error
        return RoundRequest(options, initial_of(given))
