"""What a client asks of `POST /activelearning/{strategy}`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.request import owner_of
from samantic.app.lib.infers.wire import RequestError

MOST_SUGGESTIONS = 100


@dataclass(frozen=True)
class Wishes:
    """`client` who asks; `seed` for the random order; `wait` for every image to be looked at; `model` whose uncertainty
    counts; `count` suggestions."""

    client: str
    seed: int | None
    wait: bool
    model: str | None
    count: int

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> Wishes:
        """Read the parameters; RequestError says in one sentence what is wrong with one."""
        seed = request.get("seed")
        count = wire.whole_number(request.get("n") or 1, "n", f"a whole number from 1 to {MOST_SUGGESTIONS}")
        if not 1 <= count <= MOST_SUGGESTIONS:
            raise RequestError(f"'n' is {count}, but it must be a whole number from 1 to {MOST_SUGGESTIONS}.")
        return cls(
            client=client_of(request),
            seed=None if seed is None else wire.whole_number(seed, "seed", "a whole number"),
            wait=wire.flag(request.get("wait"), "wait"),
            model=wire.text(request.get("model"), "model"),
            count=count,
        )


def client_of(request: Mapping[str, Any]) -> str:
    """Who holds a lease: the session or client id, as for clicks, else the address."""
    return owner_of(request) or f"address {request.get('client_address') or ''}".strip()
