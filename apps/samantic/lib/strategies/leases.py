"""Who works on which image now, so that two people are never given the same one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

LIFE_S = 1800.0
MOST_LEASES = 10_000
MOST_OF_ONE = 8
"""Images that one client may hold: who asks for more has left the oldest behind."""


@dataclass(frozen=True)
class Lease:
    """An image that a client works on until `ends`, seconds of the clock."""

    client: str
    ends: float


class Leases:
    """Leases by image, in memory: a lease ends by itself, with the label, or when its client gives it back.

    Bounded: a client holds at most `most_of_one` images, all together at most `most`; the oldest go first.
    Source: ours.
    """

    def __init__(
        self,
        life_s: float = LIFE_S,
        most: int = MOST_LEASES,
        most_of_one: int = MOST_OF_ONE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._life_s = life_s
        self._most = most
        self._most_of_one = most_of_one
        self._clock = clock
        self._leases: dict[str, Lease] = {}  # the oldest first
        self._lock = threading.Lock()

    @property
    def life_s(self) -> float:
        """Seconds that a lease lives unless it is renewed."""
        return self._life_s

    def take(self, image: str, client: str) -> bool:
        """Lease an image or renew the lease; false where another client holds it."""
        with self._lock:
            self._expire()
            held = self._leases.get(image)
            if held is not None and held.client != client:
                return False
            self._put(image, client)
            mine = [other for other, lease in self._leases.items() if lease.client == client]
            for oldest in mine[: max(0, len(mine) - self._most_of_one)]:
                del self._leases[oldest]
            while len(self._leases) > self._most:
                del self._leases[next(iter(self._leases))]
            return True

    def renew(self, image: str, client: str) -> bool:
        """Let a lease begin anew; false where this client does not hold it."""
        with self._lock:
            self._expire()
            held = self._leases.get(image)
            if held is None or held.client != client:
                return False
            self._put(image, client)
            return True

    def release(self, image: str, client: str) -> bool:
        """Give an image back; false where this client does not hold it."""
        with self._lock:
            self._expire()
            held = self._leases.get(image)
            if held is None or held.client != client:
                return False
            del self._leases[image]
            return True

    def drop_all_but(self, images: Collection[str]) -> None:
        """End the leases of images that nobody has to label any more."""
        with self._lock:
            for image in [image for image in self._leases if image not in images]:
                del self._leases[image]

    def held(self) -> dict[str, str]:
        """Image -> the client that holds it."""
        with self._lock:
            self._expire()
            return {image: lease.client for image, lease in self._leases.items()}

    def _put(self, image: str, client: str) -> None:
        self._leases.pop(image, None)
        self._leases[image] = Lease(client, self._clock() + self._life_s)

    def _expire(self) -> None:
        now = self._clock()
        for image in [image for image, lease in self._leases.items() if lease.ends <= now]:
            del self._leases[image]
