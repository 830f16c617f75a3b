"""Strategies that look at no image."""

from __future__ import annotations

import random

from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.strategy import LeasingStrategy, Pool, Ranking, Suggestion
from samantic.app.lib.strategies.wishes import Wishes


class First(LeasingStrategy):
    """The images in the order of their names."""

    def __init__(self, leases: Leases) -> None:
        super().__init__("The first image without a label, by name", leases)

    def rank(self, pool: Pool, wishes: Wishes) -> Ranking:  # noqa: ARG002
        """By name; the weight is 0, nothing was weighed."""
        return Ranking([Suggestion(image, 0.0, _first(number, pool)) for number, image in enumerate(pool.free)])


class Random(LeasingStrategy):
    """The images in a random order, the same one for the same images and `seed`."""

    def __init__(self, leases: Leases) -> None:
        super().__init__("An image without a label, at random; 'seed' makes it repeatable", leases)

    def rank(self, pool: Pool, wishes: Wishes) -> Ranking:
        """At random; the weight is the probability."""
        order = list(pool.free)
        # One order of all images: which of them are leased at the moment does not change that of the others.
        places = {image: place for place, image in enumerate(_shuffled(pool.unlabelled, wishes.seed))}
        order.sort(key=places.__getitem__)
        seed = "" if wishes.seed is None else f" (seed {wishes.seed})"
        reason = f"chosen at random among {len(order)} free of {len(pool.unlabelled)} unlabelled images{seed}"
        return Ranking([Suggestion(image, 1 / len(order), reason) for image in order])


def _first(number: int, pool: Pool) -> str:
    which = "the first" if number == 0 else f"number {number + 1}"
    return f"{which} by name of {len(pool.free)} free of {len(pool.unlabelled)} unlabelled images"


def _shuffled(images: tuple[str, ...], seed: int | None) -> list[str]:
    shuffled = list(images)
    random.Random(seed).shuffle(shuffled)
    return shuffled
