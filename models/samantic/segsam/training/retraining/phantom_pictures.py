"""Made-up pictures of every kind: the old answers are rehearsed on them where there are none of the old classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from samantic.datasets.phantoms import Phantom, make_abdomen, make_dermoscopy, make_head, make_ultrasound
from samantic.imaging import Volume
from samantic.segsam.training.retraining.slices import SliceReader, StudySlice, evenly

KINDS: tuple[tuple[Callable[[int], Phantom], tuple[int, ...]], ...] = (
    (make_abdomen, (20,)),
    (make_head, (30,)),
    (make_dermoscopy, (1, 2, 3)),
    (make_ultrasound, (1, 2, 3)),
)
"""CT, MR, dermoscopy, ultrasound, and the seeds of each."""


def phantom_slices(reader: SliceReader, count: int, without: Collection[str]) -> Iterator[StudySlice]:
    """About `count` slices in all of phantoms that show none of the classes `without`, as many of each kind (ours).

    A class that is new to a network would otherwise answer for whatever is unlike all that it was taught on: a network
    that had just learned the hippocampus called every lesion of the breast so.
    """
    of_each = max(1, count // len(KINDS))
    for make, seeds in KINDS if count else ():
        for seed in seeds[:of_each]:
            phantom = make(seed)
            if set(phantom.names.values()) & set(without):
                continue
            depth = phantom.image.shape[2]
            # Ends of a volume show little.
            inner = range(depth // 8, depth - depth // 8) if depth > 1 else range(1)
            volume = Volume(phantom.image, phantom.affine, phantom.modality, "photograph" if depth == 1 else "volume")
            indices = evenly(inner, of_each if depth > 1 else 1)
            yield from reader.of_phantom(phantom.id, volume, phantom.truth, indices)
