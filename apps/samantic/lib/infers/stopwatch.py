"""How long each stage of an answer takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Milliseconds by stage, and since the beginning."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._stages[name] = self._stages.get(name, 0.0) + 1000 * (time.perf_counter() - began)

    @property
    def latencies(self) -> dict[str, float]:
        """Milliseconds of every stage so far and, as `total`, since the beginning."""
        stages = self._stages | {"total": 1000 * (time.perf_counter() - self._began)}
        return {name: round(milliseconds, 2) for name, milliseconds in stages.items()}
