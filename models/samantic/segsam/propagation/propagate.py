"""From prompted slices through the volume, both ways, along any axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from samantic.imaging import Volume, Window
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.propagation.options import PropagationOptions, StopReason
from samantic.segsam.propagation.predictor_protocol import Predictor
from samantic.segsam.propagation.prompted import PromptedSlice
from samantic.segsam.propagation.propagated import PropagatedVolume
from samantic.segsam.propagation.shapes import shape_between
from samantic.segsam.propagation.side_views import SideViews
from samantic.segsam.propagation.slice_answers import Found, SliceAnswers
from samantic.segsam.propagation.stopping import reason_to_stop

FULL = 255
"""A probability of 1 while one side of a gap waits in the labels for the other."""


def propagate(
    predictor: Predictor,
    volume: Volume,
    window: Window,
    prompted: Sequence[PromptedSlice],
    options: PropagationOptions,
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> PropagatedVolume:
    """Follow one object from slice to slice; each slice is prompted by the mask of the one before (ours).

    Between two prompted slices all slices are filled from both sides, weighted by distance; beyond the outer ones the
    object is followed until `options.limits` say that it has ended. Memory beyond the volume and the labels does not
    depend on the number of slices. `on_progress(done, total)` counts slices; `is_cancelled` is asked before every
    pass through the model, of which a slice takes two.
    Raises Cancelled, and ValueError for no prompted slice, two on one index and an index outside the volume.
    """
    return _Propagation(predictor, volume, window, options, on_progress, is_cancelled).run(prompted)


SURELY_INSIDE = 0.7
"""How far towards the end that was seen the next views from the side are taken."""


GRANTED = 2
"""Slices that go on at least once most views say so: the views cost as much as six slices."""


class _Propagation:
    """One run; holds the labels and at most three slices' answers."""

    def __init__(
        self,
        predictor: Predictor,
        volume: Volume,
        window: Window,
        options: PropagationOptions,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._answers = SliceAnswers(predictor, volume, window, options.axis, self._go_on)
        self._side_views = SideViews(predictor, volume, window, options.axis, self._go_on)
        self._options = options
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._count = volume.shape_ijk[options.axis]
        self._labels = np.zeros(volume.shape_ijk, np.uint8, order="F")
        self._confidence: dict[int, float] = {}
        self._spans: tuple[int, list[tuple[int, int]]] | None = None
        self._done = self._total = 0

    def run(self, prompted: Sequence[PromptedSlice]) -> PropagatedVolume:
        ordered = sorted(_checked(prompted, self._answers.view.shape, self._count), key=lambda one: one.index)
        lowest, highest = ordered[0].index, ordered[-1].index
        below, above = lowest * self._options.goes(-1), (self._count - 1 - highest) * self._options.goes(1)
        gaps = highest - lowest + 1 - len(ordered)
        self._total = len(ordered) + below + above + 2 * gaps
        stopped: dict[str, StopReason | None] = {"up": None, "down": None}
        earlier: Found | None = None
        for start in ordered:
            found, answer = self._answers.prompted(start, self._options.classes)
            if start is prompted[0]:
                prediction = answer
            self._keep(found)
            self._advance()
            if earlier is None and self._options.goes(-1):
                stopped["down"] = self._beyond(found, -1, below)
            if earlier is not None:
                self._fill(earlier, found)
            earlier = found
        assert earlier is not None
        if self._options.goes(1):
            stopped["up"] = self._beyond(earlier, 1, above)
        self._on_progress(self._total, self._total)
        return PropagatedVolume(self._labels, self._confidence, stopped, prediction)

    def _beyond(self, start: Found, step: int, room: int) -> StopReason:
        """Follow the object away from the prompted slices until it ends."""
        before, last = start, self._done + room
        reason: StopReason | None = None if start.area else "nothing found"
        looked_from = start.index
        reaches = _farthest_first(self._spans_at(start.index), step)
        # One view may be wrong, but an oblique end is seen by few.
        end = reaches[1 if len(reaches) > 2 else 0] if reaches else None
        for index in range(start.index + step, start.index + step * (room + 1), step):
            if reason is None and end is not None and (index - end) * step > 0:
                # An object that leaves those planes goes on in new ones; here most have to say so.
                looked_from += round(SURELY_INSIDE * (end - looked_from))
                known = min(self._confidence), max(self._confidence)
                reaches = _farthest_first(self._side_views.spans(self._labels, looked_from, known), step)
                end = reaches[len(reaches) // 2] if reaches else None
                if end is None or (index - end) * step > 0:
                    reason = "end seen from the side"
                else:
                    end = max(end, index + step * GRANTED, key=lambda one: step * one)
            if reason is not None:
                break
            found = self._from(before, index)
            reason = reason_to_stop(found, before, start, self._options.limits)
            if reason is None:
                self._keep(found)
            before = found
            self._advance()
        # Slices that need no answer any more are done as well.
        self._advance(last - self._done)
        return reason or "end of the image"

    def _spans_at(self, start: int) -> list[tuple[int, int]]:
        # Both directions begin with the same views, unless they begin on different slices.
        if self._spans is None or self._spans[0] != start:
            self._spans = start, self._side_views.spans(self._labels, start, (start, start))
        return self._spans[1]

    def _fill(self, lower: Found, upper: Found) -> None:
        """Fill the gap between two prompted slices from both sides; one pass waits in the labels for the other."""
        way = upper.index - lower.index
        qualities: dict[int, float] = {}
        before = lower
        for index in range(lower.index + 1, upper.index):
            before = self._towards(before, upper, index)
            self._answers.view.at(index).insert(self._labels, np.rint(FULL * before.probability).astype(np.uint8))
            qualities[index] = before.quality
            self._advance()
        before = upper
        for index in range(upper.index - 1, lower.index, -1):
            before = self._towards(before, lower, index)
            view, share = self._answers.view.at(index), (upper.index - index) / way
            waiting = view.extract(self._labels).astype(np.float32) / FULL
            mask = share * waiting + (1 - share) * before.probability > 0.5
            view.insert(self._labels, mask.astype(np.uint8))
            if mask.any():
                self._confidence[index] = share * qualities[index] + (1 - share) * before.quality
            self._advance()

    def _towards(self, before: Found, goal: Found, index: int) -> Found:
        """The object on a slice of a gap: prompted by the slice before, drawn towards the slice that it leads to."""
        share = 1 / (1 + abs(goal.index - index))
        shape = shape_between(before.mask, goal.mask, share)
        found = self._asked(index, shape, before)
        if found is not None and found.area:
            return found
        # The object is on both sides of the gap, so it is in it, even where the model does not see it.
        return replace(before, index=index, probability=shape.astype(np.float32), mask=shape, quality=0.0)

    def _from(self, before: Found, index: int) -> Found:
        found = self._asked(index, before.mask, before)
        assert found is not None  # the walk ends where nothing is found
        return found

    def _asked(self, index: int, mask: np.ndarray, before: Found) -> Found | None:
        if not mask.any():
            return None
        return self._answers.beside(index, mask, before.appearance, before.unprompted)

    def _keep(self, found: Found) -> None:
        if found.area:
            self._answers.view.at(found.index).insert(self._labels, found.mask.astype(np.uint8))
            self._confidence[found.index] = found.quality

    def _go_on(self) -> None:
        if self._is_cancelled():
            raise Cancelled("The propagation was cancelled.")

    def _advance(self, slices: int = 1) -> None:
        self._done += slices
        self._on_progress(self._done, self._total)


def _farthest_first(spans: list[tuple[int, int]], step: int) -> list[int]:
    return sorted((span[step > 0] for span in spans), key=lambda one: -step * one)


def _checked(prompted: Sequence[PromptedSlice], shape: tuple[int, int], count: int) -> Sequence[PromptedSlice]:
    if not prompted:
        raise ValueError("Nothing is prompted: propagation starts from at least one slice.")
    indices = [one.index for one in prompted]
    for one in prompted:
        if not 0 <= one.index < count:
            raise ValueError(f"Slice {one.index} lies outside the volume; use 0 to {count - 1}.")
        if indices.count(one.index) > 1:
            raise ValueError(f"Slice {one.index} is prompted twice; put its prompts together.")
        if one.mask is not None and one.mask.shape != shape:
            raise ValueError(f"The mask of slice {one.index} is {one.mask.shape}, but a slice is {shape}.")
    return prompted
