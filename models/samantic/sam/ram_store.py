"""The embeddings of recent slices in memory, least recently used first out."""

from __future__ import annotations

from collections import OrderedDict

from samantic.sam.half_precision import Tensors, bytes_of


class RamStore:
    """At most `budget_bytes` of embeddings; not thread-safe by itself, its owner holds a lock."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._entries: OrderedDict[str, Tensors] = OrderedDict()
        self._bytes = 0

    def __contains__(self, digest: str) -> bool:
        return digest in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """Bytes kept now."""
        return self._bytes

    def get(self, digest: str) -> Tensors | None:
        """The entry, now the most recently used one."""
        entry = self._entries.get(digest)
        if entry is not None:
            self._entries.move_to_end(digest)
        return entry

    def put(self, digest: str, tensors: Tensors) -> None:
        """Keeps the entry and drops the least recently used ones; an entry larger than the budget is not kept."""
        self.drop(digest)
        size = bytes_of(tensors)
        if size > self._budget_bytes:
            return
        while self._bytes + size > self._budget_bytes:
            self.drop(next(iter(self._entries)))
        self._entries[digest] = tensors
        self._bytes += size

    def drop(self, digest: str) -> None:
        """Forgets the entry, if there is one."""
        entry = self._entries.pop(digest, None)
        if entry is not None:
            self._bytes -= bytes_of(entry)

    def clear(self) -> None:
        """Forgets everything."""
        self._entries.clear()
        self._bytes = 0
