"""What all strategies share: images without a label that nobody else works on, in an order, and why."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.strategy import Strategy

from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.wishes import Wishes

MOST_NAMED = 100


@dataclass(frozen=True)
class Suggestion:
    """An image, the number that speaks for it, and why in words; `numbers` are further ones by name."""

    image: str
    weight: float
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All of it, with the image as `id`."""
        return {"id": self.image, "weight": round(self.weight, 6), "reason": self.reason, **self.numbers}


@dataclass(frozen=True)
class Pool:
    """What there is to choose from.

    unlabelled: all images without a label; free: those of them that nobody else holds; leased: those that somebody
    else does; labelled: the images with one. Each sorted.
    """

    unlabelled: tuple[str, ...]
    free: tuple[str, ...]
    leased: tuple[str, ...]
    labelled: tuple[str, ...]
    store: Datastore


@dataclass(frozen=True)
class Ranking:
    """Suggestions, the best one first, and image -> why for those that cannot be read."""

    suggestions: Sequence[Suggestion]
    skipped: Mapping[str, str] = field(default_factory=dict)


class LeasingStrategy(Strategy):
    """Gives every image to one client at a time: the best one is leased to who asks, until it is labelled.

    Answers MONAI Label's keys and `reason`, `weight` (the number that decided) and `lease_seconds`; with `n` above 1
    also `suggestions`, which are not leased; `skipped` where images cannot be read. Source: ours.
    """

    def __init__(self, description: str, leases: Leases) -> None:
        super().__init__(description)
        self._leases = leases

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        """Choose an image, None if there is none. Raises HTTPException 422 for what cannot be done."""
        try:
            wishes = Wishes.read(request)
            pool = self._pool(request, datastore, wishes.client)
            ranking = self.rank(pool, wishes) if pool.free else Ranking(())
        except RequestError as error:
            raise HTTPException(422, str(error)) from error
        for place, best in enumerate(ranking.suggestions):
            # Another client may have been faster since the pool was made.
            if self._leases.take(best.image, wishes.client):
                return self._answer(ranking, place, wishes)
        return None

    @abstractmethod
    def rank(self, pool: Pool, wishes: Wishes) -> Ranking:
        """Put the free images of a pool that is not empty in an order. Raises RequestError."""

    def _pool(self, request: Mapping[str, Any], store: Datastore, client: str) -> Pool:
        unlabelled = sorted(store.get_unlabeled_images(request.get("label_tag"), request.get("labels")))
        # Who submits a label gives the image back by that.
        self._leases.drop_all_but(set(unlabelled))
        held = self._leases.held()
        leased = tuple(image for image in unlabelled if held.get(image, client) != client)
        free = tuple(image for image in unlabelled if held.get(image, client) == client)
        labelled = tuple(sorted(set(store.list_images()) - set(unlabelled)))
        return Pool(tuple(unlabelled), free, leased, labelled, store)

    def _answer(self, ranking: Ranking, place: int, wishes: Wishes) -> dict[str, Any]:
        chosen = ranking.suggestions[place:]
        answer = {**chosen[0].as_json(), "lease_seconds": self._leases.life_s}
        if wishes.count > 1:
            answer["suggestions"] = [one.as_json() for one in chosen[: wishes.count]]
        if ranking.skipped:
            answer["skipped"] = dict(sorted(ranking.skipped.items())[:MOST_NAMED])
        return answer


def number_in_line(place: int) -> str:
    """1 -> "", 2 -> "2nd ", 3 -> "3rd ": what stands before "highest"."""
    if place == 1:
        return ""
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending} "
