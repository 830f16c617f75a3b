"""What the server remembers of a person's clicks: bounded, expiring, and nobody else's."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from samantic.prompts import PromptSet
from samantic.segsam import LookLogits

DEFAULT_ENTRIES = 2048
DEFAULT_LIFE_S = 3600.0

Extent = tuple[int, int, int, int, int, int]
"""Half-open voxel bounds (x0, x1, y0, y1, z0, z1)."""


@dataclass(frozen=True)
class ObjectKey:
    """One object that one person works on in one view of one image."""

    owner: str
    image: str
    view: str
    name: str


@dataclass(frozen=True)
class PromptSummary:
    """Which prompts an answer came from, so that a later request can be recognised as their continuation."""

    positive: frozenset[object]
    negative: frozenset[object]
    boxes: tuple[object, ...]

    @classmethod
    def of(cls, prompts: PromptSet) -> PromptSummary:
        """Summarise points, scribbles and boxes; a mask prompt is not part of it, it starts anew."""
        positive: set[object] = {point.ijk for point in prompts.points if point.positive}
        negative: set[object] = {point.ijk for point in prompts.points if not point.positive}
        for scribble in prompts.scribbles:
            (positive if scribble.positive else negative).update(("scribble", voxel) for voxel in scribble.ijk)
        return cls(
            frozenset(positive), frozenset(negative), tuple((box.lower_ijk, box.upper_ijk) for box in prompts.boxes)
        )

    def extends(self, earlier: PromptSummary) -> bool:
        """Whether every earlier prompt is still there and something was added; a box may be added, not changed."""
        return (
            self != earlier
            and self.positive >= earlier.positive
            and self.negative >= earlier.negative
            and (self.boxes == earlier.boxes or not earlier.boxes)
        )


@dataclass(frozen=True, eq=False)
class Remembered:
    """The last answer for an object: its prompts, what it was refined from, its logits and the voxels it touched.

    weights_hash: of the network that gave it; another one starts anew, but knows which voxels to clear.
    """

    prompts: PromptSummary
    started_from: LookLogits | None
    low_res_logits: LookLogits | None
    extent: Extent | None
    weights_hash: str


class Refinements:
    """Last answers by ObjectKey; the least recently used go first, and none outlives `life_s` seconds unused.

    Source: ours.
    """

    def __init__(
        self,
        max_entries: int = DEFAULT_ENTRIES,
        life_s: float = DEFAULT_LIFE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._life_s = life_s
        self._clock = clock
        self._entries: OrderedDict[ObjectKey, tuple[float, Remembered]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: ObjectKey) -> Remembered | None:
        """Return the last answer for an object, or None if there is none or it has expired."""
        with self._lock:
            self._expire()
            entry = self._entries.get(key)
            return entry[1] if entry else None

    def remember(self, key: ObjectKey, answer: Remembered) -> None:
        """Keep an answer in place of the one before."""
        with self._lock:
            self._expire()
            self._entries[key] = (self._clock(), answer)
            self._entries.move_to_end(key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

    def forget(self, owner: str, image: str) -> None:
        """Drop everything that one person did in one image."""
        with self._lock:
            for key in [key for key in self._entries if key.owner == owner and key.image == image]:
                del self._entries[key]

    def __len__(self) -> int:
        with self._lock:
            self._expire()
            return len(self._entries)

    def _expire(self) -> None:
        # Entries are in the order of their last answer, so the oldest stand in front.
        oldest_allowed = self._clock() - self._life_s
        while self._entries:
            key, (answered_at, _) = next(iter(self._entries.items()))
            if answered_at >= oldest_allowed:
                return
            del self._entries[key]


def start_of(prompts: PromptSummary, earlier: Remembered | None, weights_hash: str) -> LookLogits | None:
    """The low-resolution logits that an answer of these weights is refined from, None to start anew.

    Repeating a request repeats its answer, so it starts from what it started from the first time.
    """
    if earlier is None or earlier.weights_hash != weights_hash:
        return None
    if prompts == earlier.prompts:
        return earlier.started_from
    return earlier.low_res_logits if prompts.extends(earlier.prompts) else None
