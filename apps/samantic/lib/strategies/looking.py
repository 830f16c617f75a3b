"""Strategies that look at the images first, with a model's eyes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.interfaces.tasks.infer_v2 import InferTask

from samantic.app.lib.infers.wire import RequestError, shown
from samantic.app.lib.strategies.eyes import Eyes, HasEyes
from samantic.app.lib.strategies.image_files import ImageFile
from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.strategy import LeasingStrategy, Pool, Ranking, Suggestion
from samantic.app.lib.strategies.summaries import Summaries, Unreadable
from samantic.app.lib.strategies.wishes import Wishes
from samantic.datasets.studies import class_of_value
from samantic.segsam.choosing import ImageSummary, SummaryOptions

BUDGET_S = 2.0
"""How long one request waits for images to be looked at; the rest is done behind its back."""

SPARE = 16
"""Further images in case that other clients lease some meanwhile."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a model made of a pool.

    free, leased, labelled: those images of each that were looked at; embeddings (N, D) of the free ones, covered (M, D)
    of the leased and the labelled ones.
    """

    pool: Pool
    of: Mapping[str, ImageSummary]
    free: tuple[str, ...]
    leased: tuple[str, ...]
    labelled: tuple[str, ...]

    @property
    def embeddings(self) -> np.ndarray:
        return self._stacked(self.free)

    @property
    def covered(self) -> np.ndarray:
        return self._stacked((*self.labelled, *self.leased))

    @property
    def uncertainties(self) -> np.ndarray:
        """Of the free images (N,)."""
        return np.array([self.uncertainty(image) for image in self.free])

    def uncertainty(self, image: str) -> float:
        """Of one image that was looked at by a model that can tell."""
        value = self.of[image].uncertainty
        assert value is not None
        return value

    def place(self, image: str) -> int:
        """How many unlabelled images, also those with other people, are more uncertain, plus one."""
        own = self.uncertainty(image)
        return 1 + sum(self.uncertainty(other) > own for other in (*self.free, *self.leased))

    @property
    def among(self) -> str:
        """Of how many images one speaks, in words."""
        count, looked = len(self.pool.unlabelled), len(self.free) + len(self.leased)
        return (
            f"{count} unlabelled images"
            if looked == count
            else f"the {looked} looked at so far of {count} unlabelled images"
        )

    @property
    def elsewhere(self) -> str:
        """How many are with other people, in words that end a sentence."""
        count = len(self.pool.leased)
        return f"; {count} of them {'is' if count == 1 else 'are'} with other people" if count else ""

    def _stacked(self, images: Sequence[str]) -> np.ndarray:
        size = len(next(iter(self.of.values())).embedding) if self.of else 0
        return np.array([self.of[image].embedding for image in images]).reshape(len(images), size)


class LookingStrategy(LeasingStrategy):
    """Orders the images that were looked at; the others follow by name, and the next request knows more.

    With `wait` every image is looked at first. `model` says with whose eyes, by default those of the first model that
    can. Source: ours.
    """

    needs_uncertainty = True

    def __init__(self, description: str, leases: Leases, tasks: Mapping[str, InferTask], summaries: Summaries) -> None:
        super().__init__(description, leases)
        self._tasks = tasks
        self._summaries = summaries

    @abstractmethod
    def order(self, seen: Seen, count: int) -> Sequence[Suggestion]:
        """Return the first `count` of the free images that were looked at; there is at least one."""

    def rank(self, pool: Pool, wishes: Wishes) -> Ranking:
        """As `order`, then the free images that were not looked at yet."""
        eyes = self._eyes(wishes.model)
        options = SummaryOptions(_classes_of(pool, eyes))
        files = {image: ImageFile.of(pool.store, image) for image in (*pool.free, *pool.labelled, *pool.leased)}
        looked = self._summaries.of(files, pool.store, eyes, options, None if wishes.wait else BUDGET_S)
        of = {image: one for image, one in looked.items() if isinstance(one, ImageSummary)}
        seen = Seen(
            pool, of, *(tuple(i for i in images if i in of) for images in (pool.free, pool.leased, pool.labelled))
        )
        ranked = list(self.order(seen, wishes.count + SPARE)) if seen.free else []
        rest = [image for image in pool.free if image not in looked]
        ranked += [Suggestion(image, 0.0, f"not looked at yet, the next by name; {seen.among}") for image in rest]
        skipped = {image: one.why for image, one in looked.items() if isinstance(one, Unreadable)}
        return Ranking(ranked, skipped)

    def _eyes(self, name: str | None) -> Eyes:
        able = {name: task.eyes() for name, task in self._tasks.items() if isinstance(task, HasEyes)}
        if name is not None and name not in able:
            raise RequestError(
                f"'model' is {shown(name)}, but it must be one of {', '.join(able) or '(none is there)'}."
            )
        # Of its own accord a strategy looks with eyes that see everything, if there are some.
        asked = [name] if name is not None else sorted(able, key=lambda task: not able[task].for_every_image)
        for task in asked:
            if able[task].knows_uncertainty or not self.needs_uncertainty:
                return able[task]
        raise RequestError(
            f"No prompt-free head says where the model {' or '.join(asked) or '(none is there)'} is uncertain; use the "
            "strategy random, first or diversity."
        )


def _classes_of(pool: Pool, eyes: Eyes) -> tuple[str, ...]:
    """The classes that the final labels use and the model knows; none of them means all."""
    used = {name for image in pool.labelled for name in _named(pool.store, image)}
    return tuple(name for name in eyes.class_names if name in used)


def _named(store: Datastore, image: str) -> list[str]:
    return list(class_of_value(store.get_label_info(image, DefaultLabelTag.FINAL.value) or {}).values())
