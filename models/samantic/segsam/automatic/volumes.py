"""A whole volume, or a photograph, without a prompt: slice by slice, consistent in three dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from samantic.imaging import SliceView, Volume, Window
from samantic.segsam.automatic.axis_maps import AxisMaps
from samantic.segsam.automatic.drawing import Drawn
from samantic.segsam.automatic.habits import habits_for
from samantic.segsam.automatic.options import AutomaticError, AutomaticOptions
from samantic.segsam.automatic.passes import Passes, head_logits, own_passes
from samantic.segsam.automatic.slices import Drawer, remove_islands
from samantic.segsam.automatic.structures import Structure, structures_of
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.familiarity import ImageFamiliarity
from samantic.segsam.predictor import ImageFeatures, SegSamPredictor

MAP_BYTES = 512 * 1024**2
"""Of the head's maps along other axes, which all must be there at once; beyond it one axis has to do."""

ISOTROPIC = 1.5
"""Largest over smallest spacing up to which slices along every axis show the same thing as well."""

FEWEST_SLICES = 8

SMOOTHING_MM = 1.0
"""Standard deviation of the Gaussian across slices."""


@dataclass(frozen=True, eq=False)
class AutomaticVolume:
    """`labels` (I, J, K) uint8: 0 nothing, n the class `class_names[n - 1]`.

    `confidence` and `uncertainty` (I, J, K) float16 in 0 to 1 as in `Drawn`, None if nobody asked. `axes` that the
    volume was cut along; `source` of the proposals, "head" or "grid"; `familiarity` of the middle slice.
    """

    labels: np.ndarray
    class_names: tuple[str, ...]
    confidence: np.ndarray | None
    uncertainty: np.ndarray | None
    structures: tuple[Structure, ...]
    axes: tuple[int, ...]
    source: str
    refined: bool
    familiarity: ImageFamiliarity | None


def segment_volume(
    predictor: SegSamPredictor,
    volume: Volume,
    window: Window,
    options: AutomaticOptions,
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    passes: Passes | None = None,
) -> AutomaticVolume:
    """Find and name what is in a volume; photographs are volumes of one slice.

    `on_progress(done, total)` after every slice along every axis; `is_cancelled` is asked before every pass of a
    network. `passes`: how to get at the networks, by default in this thread. Raises Cancelled, and AutomaticError for a
    class that the model does not know, for a source that it does not have, and for an axis that a photograph lacks.
    """
    work = _Work(predictor, volume, options, passes or own_passes(predictor, volume, window), on_progress, is_cancelled)
    return work.result()


def usual_axes(volume: Volume, map_bytes: int) -> tuple[int, ...]:
    """The axes that a volume is cut along if nobody says: the one whose slices are finest, then the others.

    Those follow where the voxels are about as long as wide and the head's maps, `map_bytes` a slice, leave room.
    """
    if volume.kind == "photograph":
        return (2,)
    spacing = np.round(volume.spacing_mm, 2)
    first = max((2, 1, 0), key=lambda axis: spacing[axis])
    others = tuple(axis for axis in (2, 1, 0) if axis != first)
    alike = spacing.max() <= ISOTROPIC * spacing.min() and min(volume.shape_ijk) >= FEWEST_SLICES
    fits = sum(volume.shape_ijk[axis] for axis in others) * map_bytes <= MAP_BYTES
    return (first, *others) if alike and fits else (first,)


class _Work:
    """One request at work."""

    def __init__(
        self,
        predictor: SegSamPredictor,
        volume: Volume,
        options: AutomaticOptions,
        passes: Passes,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._predictor, self._volume, self._options, self._passes = predictor, volume, options, passes
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._classes = options.value_order(predictor.class_names)
        self._uses_head = options.uses_head(predictor.network.prompt_free_head is not None)
        self._habits = habits_for(volume)
        self._refine = self._uses_head and (self._habits.refine if options.refine is None else options.refine)
        self._axes = self._chosen_axes()
        self._indices = self._chosen_slices()
        self._total = len(self._indices) + sum(volume.shape_ijk[axis] for axis in self._axes[1:])
        self._done = 0
        self._recent: dict[int, ImageFeatures] = {}
        self._familiarity: ImageFamiliarity | None = None

    def result(self) -> AutomaticVolume:
        shape = self._volume.shape_ijk
        # In the order of image files, so that writing needs no copy.
        labels = np.zeros(shape, np.uint8, order="F")
        whole = Drawn(labels, np.zeros(shape, np.float16), np.zeros(shape, np.float16))
        view = SliceView.of(self._volume, self._axes[0], 0)
        drawer = Drawer(
            predictor=self._predictor,
            classes=self._classes,
            options=self._options,
            habits=self._habits,
            refine=self._refine,
            run=self._passes.run,
            check=self._check,
        )
        draw = self._slices_by_head(drawer) if self._uses_head else self._slices_by_grid(drawer)
        for index, drawn in zip(self._indices, draw, strict=True):
            seen = view.at(index)
            seen.insert(whole.labels, drawn.labels)
            seen.insert(whole.confidence, drawn.confidence)
            seen.insert(whole.uncertainty, drawn.uncertainty)
        remove_islands(whole, self._habits.share_of_largest)
        self._check()
        structures = structures_of(
            whole.labels,
            whole.confidence,
            self._classes,
            view,
            self._predictor,
            self._passes.features,
            self._passes.run,
        )
        return AutomaticVolume(
            labels=whole.labels,
            class_names=self._classes,
            confidence=whole.confidence if self._options.with_confidence else None,
            uncertainty=whole.uncertainty if self._options.with_uncertainty else None,
            structures=structures,
            axes=self._axes,
            source="head" if self._uses_head else "grid",
            refined=self._refine,
            familiarity=self._familiarity,
        )

    def _slices_by_head(self, drawer: Drawer) -> Iterator[Drawn]:
        stacks = [self._stack(axis) for axis in self._axes]
        view = SliceView.of(self._volume, self._axes[0], 0)
        for index in self._indices:
            maps = [stacks[0].own(index), *(stack.seen_from(view.at(index)) for stack in stacks[1:])]
            yield drawer.by_head(maps, partial(self._recent.__getitem__, index))
            self._recent.pop(index, None)
            stacks[0].drop_before(index + 1)

    def _slices_by_grid(self, drawer: Drawer) -> Iterator[Drawn]:
        view = SliceView.of(self._volume, self._axes[0], 0)
        for index in self._indices:
            yield drawer.by_grid(self._features(view.at(index)))

    def _stack(self, axis: int) -> AxisMaps:
        view = SliceView.of(self._volume, axis, 0)
        transform = self._predictor.network.input_transform(view.shape, view.spacing_yx_mm)

        def head(index: int) -> torch.Tensor:
            features = self._features(view.at(index))
            if self._refine and axis == self._axes[0]:
                self._recent[index] = features
            return self._passes.run(lambda: head_logits(self._predictor, features, self._classes))

        return AxisMaps(view, transform, head, SMOOTHING_MM if len(self._indices) > 1 else 0.0)

    def _features(self, view: SliceView) -> ImageFeatures:
        self._check()
        features = self._passes.features(view)
        if view.axis == self._axes[0] and view.index == self._indices[len(self._indices) // 2]:
            self._familiarity = self._predictor.familiarity(features)
        self._done += 1
        self._on_progress(self._done, self._total)
        return features

    def _check(self) -> None:
        if self._is_cancelled():
            raise Cancelled("The automatic segmentation was cancelled.")

    def _chosen_slices(self) -> range:
        count, only = self._volume.shape_ijk[self._axes[0]], self._options.slice_index
        if only is None:
            return range(count)
        if not 0 <= only < count:
            raise AutomaticError(f"There is no slice {only} along axis {self._axes[0]}; use 0 to {count - 1}.")
        return range(only, only + 1)

    def _chosen_axes(self) -> tuple[int, ...]:
        map_bytes = 2 * (len(self._classes) + 1) * (self._predictor.image_size // 4) ** 2
        axes = self._options.axes or usual_axes(self._volume, map_bytes)
        if self._volume.kind == "photograph" and axes != (2,):
            raise AutomaticError("A photograph has only one view: leave the axes out.")
        if not self._uses_head or self._options.slice_index is not None:
            return axes[:1]
        needed = sum(self._volume.shape_ijk[axis] for axis in axes[1:]) * map_bytes
        if needed > MAP_BYTES:
            raise AutomaticError(
                f"Along the axes {', '.join(map(str, axes))} the maps of {len(self._classes)} classes take "
                f"{needed >> 20} MiB, and {MAP_BYTES >> 20} are allowed; name one axis or fewer classes."
            )
        return axes
