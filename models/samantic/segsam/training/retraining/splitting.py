"""Which images a round learns from and which it is measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable


def held_out_ids(
    ids: Iterable[str], share: float, learned_before: Collection[str] = (), given: frozenset[str] | None = None
) -> frozenset[str]:
    """The ids of the validation images: about `share` of all, at least one of two or more.

    An id decides by itself, so that an image never changes sides when others are added, and what the weights have
    learned from before is never held out. `given` ids take the place of all that. A single image is not held out:
    nothing would be left to learn from.
    """
    ids = set(ids)
    if given is not None:
        return frozenset(ids & given)
    if len(ids) < 2:
        return frozenset()
    free = sorted(ids - set(learned_before), key=position)
    chosen = [image_id for image_id in free if position(image_id) < share] or free[:1]
    return frozenset(chosen[:-1] if len(chosen) == len(ids) else chosen)


def position(image_id: str) -> float:
    """A number in 0 to 1 that an id always has."""
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") / 2**64
