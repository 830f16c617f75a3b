"""One encoder pass per slice: embeddings are kept in memory and on disk, and computed once however many ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from samantic.sam.disk_store import DiskStore
from samantic.sam.embedding_key import EmbeddingKey
from samantic.sam.half_precision import Tensors, packed, unpacked
from samantic.sam.prefetch import Prefetcher
from samantic.sam.ram_store import RamStore

Compute = Callable[[], Tensors]

_MIB = 1024 * 1024


@dataclass(frozen=True)
class CacheStatistics:
    """Counts since the cache was made, and what it holds now."""

    ram_hits: int = 0
    disk_hits: int = 0
    computed: int = 0
    joined: int = 0
    failed: int = 0
    ram_entries: int = 0
    ram_bytes: int = 0
    disk_entries: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True)
class _Flight:
    """A computation in progress, which others can join."""

    thread_id: int
    outcome: Future[Tensors] = field(default_factory=Future)


class EmbeddingCache:
    """Image embeddings by `EmbeddingKey`: memory, then disk, then the encoder; safe for threads and processes.

    `folder` is None for memory only. Both stores drop what was used least recently and never exceed their budgets;
    an entry larger than a budget is not kept there.
    """

    def __init__(self, folder: Path | None, ram_bytes: int = 512 * _MIB, disk_bytes: int = 4096 * _MIB) -> None:
        self._lock = threading.Lock()
        self._ram = RamStore(ram_bytes)
        self._disk = None if folder is None else DiskStore(folder, disk_bytes)
        self._flights: dict[str, _Flight] = {}
        self._prefetcher = Prefetcher()
        self._counts = CacheStatistics()

    def __enter__(self) -> EmbeddingCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get_or_compute(self, key: EmbeddingKey, compute: Compute) -> Tensors:
        """The embedding as fresh float32 tensors on the CPU, the same to the last bit wherever it came from.

        Whoever asks for a key that is being computed, also by prefetching, waits for that one computation. What
        `compute` raises reaches all who wait, and the next request computes again.
        """
        with self._prefetcher.held():
            return unpacked(self._get(key, compute))

    def prefetch(self, jobs: Sequence[tuple[EmbeddingKey, Compute]]) -> None:
        """Computes these in the background, in order, starting none while a request is waiting.

        A newer call replaces what an older one has not started yet.
        """
        self._prefetcher.replace([partial(self._prepare, key, compute) for key, compute in jobs])

    def hold_prefetch(self) -> AbstractContextManager[None]:
        """No prefetching is started inside; for the decoder pass of a click, which follows `get_or_compute`."""
        return self._prefetcher.held()

    def wait_for_prefetch(self, timeout_s: float | None = None) -> bool:
        """Waits until nothing is left to prefetch; false where that took longer."""
        return self._prefetcher.idle(timeout_s)

    def source(self, key: EmbeddingKey) -> Literal["ram", "disk"] | None:
        """Where the embedding would come from now; None where the encoder would have to run."""
        with self._lock:
            if key.digest in self._ram:
                return "ram"
        return "disk" if self._disk is not None and key.digest in self._disk else None

    @property
    def statistics(self) -> CacheStatistics:
        """A snapshot."""
        disk_entries, disk_bytes = (0, 0) if self._disk is None else self._disk.usage()
        with self._lock:
            return replace(
                self._counts,
                ram_entries=len(self._ram),
                ram_bytes=self._ram.bytes,
                disk_entries=disk_entries,
                disk_bytes=disk_bytes,
            )

    def clear(self) -> int:
        """Forgets everything, in memory, on disk and still to prefetch; returns how many files were removed."""
        self._prefetcher.replace([])
        with self._lock:
            self._ram.clear()
        return 0 if self._disk is None else self._disk.clear()

    def close(self) -> None:
        """Ends prefetching, after the pass in progress; the cache itself stays usable."""
        self._prefetcher.close()

    def _prepare(self, key: EmbeddingKey, compute: Compute) -> None:
        if self.source(key) != "ram":
            self._get(key, compute)

    def _get(self, key: EmbeddingKey, compute: Compute) -> Tensors:
        digest = key.digest
        with self._lock:
            entry = self._ram.get(digest)
            if entry is not None:
                self._count("ram_hits")
                return entry
            flight = self._flights.get(digest)
            if flight is None:
                mine = self._flights[digest] = _Flight(threading.get_ident())
            else:
                self._count("joined")
        if flight is None:
            return self._fly(mine, digest, compute)
        if flight.thread_id == threading.get_ident():
            raise RuntimeError("computing an embedding asked for that same embedding")
        return flight.outcome.result()

    def _fly(self, flight: _Flight, digest: str, compute: Compute) -> Tensors:
        try:
            entry = None if self._disk is None else self._disk.get(digest)
            computed = entry is None
            if entry is None:
                entry = packed(compute())
            with self._lock:
                self._ram.put(digest, entry)
                self._count("computed" if computed else "disk_hits")
            # Those who wait are answered before the disk is.
            flight.outcome.set_result(entry)
            if computed and self._disk is not None:
                self._disk.put(digest, entry)
        except BaseException as error:
            if not flight.outcome.done():
                with self._lock:
                    self._count("failed")
                flight.outcome.set_exception(error)
            raise
        finally:
            with self._lock:
                self._flights.pop(digest, None)
        return entry

    def _count(self, name: str) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + 1})
