"""The few threads in which networks run, however many clients are waiting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class ModelThreads:
    """One thread for encoder passes and one for decoder passes.

    Every thread that runs a network gets worker threads of its own for as long as it lives, as many as there are
    cores; run from each of a server's request threads they would fight for the cores and take memory without bound.
    A decoder pass does not wait for another image's encoder pass. Source: ours.
    """

    def __init__(self) -> None:
        self._encoder = ThreadPoolExecutor(1, "segsam-encoder")
        self._decoder = ThreadPoolExecutor(1, "segsam-decoder")

    def encode(self, job: Callable[[], Result]) -> Result:
        """Run an encoder pass after those that wait already, and return its result."""
        return self._encoder.submit(job).result()

    def decode(self, job: Callable[[], Result]) -> Result:
        """Run a decoder pass after those that wait already, and return its result."""
        return self._decoder.submit(job).result()
