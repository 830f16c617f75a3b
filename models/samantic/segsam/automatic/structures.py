"""What was found, structure by structure, and what the SO head thinks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from samantic.imaging import SliceView
from samantic.segsam.automatic.passes import Run, decoded
from samantic.segsam.automatic.regions import Region, regions_of
from samantic.segsam.predictor import ImageFeatures, SegSamPredictor


@dataclass(frozen=True)
class Structure:
    """All voxels of one class: how many, the half-open bounds (lower, upper) ijk, and their mean confidence.

    `slice_index` along the axis on which it is largest; there the SO head was asked what the largest part is:
    `opinion`, how probable that is among all classes (`opinion_confidence`), and whether it is `unsure` (None from a
    model without a calibration). `opinion` is "" where the model cannot name.
    """

    class_name: str
    value: int
    voxels: int
    lower_ijk: tuple[int, int, int]
    upper_ijk: tuple[int, int, int]
    confidence: float
    slice_index: int
    opinion: str = ""
    opinion_confidence: float = 0.0
    unsure: bool | None = None


@dataclass(frozen=True, eq=False)
class _Found:
    structure: Structure
    region: Region


def structures_of(
    labels: np.ndarray,
    confidence: np.ndarray,
    class_names: Sequence[str],
    view: SliceView,
    predictor: SegSamPredictor,
    features: Callable[[SliceView], ImageFeatures],
    run: Run,
) -> tuple[Structure, ...]:
    """Describe the structures in labels (I, J, K), in the order of their values; `view` is of any slice of the axis."""
    found = []
    for value, around in enumerate(ndimage.find_objects(labels), start=1):
        if around is None:
            continue
        mask = labels[around] == value
        per_slice = mask.sum(axis=tuple(axis for axis in range(3) if axis != view.axis))
        index = around[view.axis].start + int(per_slice.argmax())
        structure = Structure(
            class_name=class_names[value - 1],
            value=value,
            voxels=int(mask.sum()),
            lower_ijk=_corner(one.start for one in around),
            upper_ijk=_corner(one.stop for one in around),
            confidence=float(confidence[around][mask].mean(dtype=np.float64)),
            slice_index=index,
        )
        seen = view.at(index)
        picture = np.where(seen.extract(labels) == value, value, 0).astype(np.uint8)
        found.append(_Found(structure, regions_of(picture, seen.extract(confidence))[0]))
    return tuple(_with_opinions(found, view, predictor, features, run))


def _with_opinions(
    found: Sequence[_Found],
    view: SliceView,
    predictor: SegSamPredictor,
    features: Callable[[SliceView], ImageFeatures],
    run: Run,
) -> list[Structure]:
    named = {}
    for index in sorted({one.structure.slice_index for one in found}):
        here = [one for one in found if one.structure.slice_index == index]
        seen = view.at(index)
        prompts = [one.region.prompts(seen.shape) for one in here]
        for one, answer in zip(here, decoded(predictor, features(seen), prompts, run), strict=True):
            named[one.structure.value] = replace(
                one.structure,
                opinion=answer.predicted_class,
                opinion_confidence=answer.class_confidence,
                unsure=answer.unsure,
            )
    return [named[one.structure.value] for one in found]


def _corner(bounds: Iterable[int]) -> tuple[int, int, int]:
    i, j, k = bounds
    return i, j, k
