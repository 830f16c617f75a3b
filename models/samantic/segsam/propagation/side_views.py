"""How far an object reaches across the slices, seen from the side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samantic.imaging import SliceView, Volume, Window, to_uint8
from samantic.segsam.propagation.predictor_protocol import Predictor
from samantic.segsam.view_prompts import ViewPrompts

PLACES = (0.2, 0.5, 0.8)
"""Where in the object's cross-section the views across it lie, as shares of its pixels."""

THICKEST = 3.0
"""Slice distance over pixel spacing; beyond that a view from the side shows steps, not an object."""

DEPTH = 40
"""Slices shown on either side: a picture of all would take more memory the more there are."""

LOOKS_BACK = 12
"""Slices on which a view from the side has to agree with what is known."""

AGREEMENT = 0.7
"""Dice with what is known of the object in that view; below it, the view shows something else as well."""


class SideViews:
    """Clicks on an object in pictures across the propagation's slices, where its ends are borders in the picture.

    From slice to slice, an object that ends beside one that looks alike goes on without any sign: each mask suggests
    the next. From the side the network has never seen that suggestion (ours).
    """

    def __init__(
        self, predictor: Predictor, volume: Volume, window: Window, axis: int, go_on: Callable[[], None]
    ) -> None:
        self._predictor, self._volume, self._window, self._axis, self._go_on = predictor, volume, window, axis, go_on
        spacing = volume.spacing_mm
        others = [other for other in range(3) if other != axis]
        self._across = [other for other in others if spacing[axis] <= THICKEST * min(spacing[o] for o in others)]

    def spans(self, labels: np.ndarray, index: int, known: tuple[int, int]) -> list[tuple[int, int]]:
        """The lowest and the highest slice of the object on slice `index` of `labels` (I, J, K), in each view.

        Only of views that agree with the labels on the slices `known`, the first and the last one.
        """
        first = max(0, index - DEPTH)
        part = tuple(slice(first, index + DEPTH + 1) if axis == self._axis else slice(None) for axis in range(3))
        image, labels, here = self._volume.array[part], labels[part], index - first
        low, high = max(known[0], index - LOOKS_BACK) - first, min(known[1], index + LOOKS_BACK) - first
        cross_section = _voxels_on(labels, self._axis, here)
        spans = []
        for across in self._across:
            for click in _clicks(cross_section, self._axis, across):
                found = self._seen(image, across, click)
                drawn = _voxels_on(labels, across, int(click[across]))
                if _agree(_between(found, self._axis, low, high), _between(drawn, self._axis, low, high), labels):
                    spans.append((first + int(found[:, self._axis].min()), first + int(found[:, self._axis].max())))
        return spans

    def _seen(self, image: np.ndarray, across: int, click: np.ndarray) -> np.ndarray:
        """The voxels (N, 3) of the object under a click, in the view of a part of the image across an axis."""
        self._go_on()
        i, j, k = image.shape[:3]
        view = SliceView((i, j, k), self._volume.affine, across, int(click[across]))
        picture = to_uint8(view.extract(image), self._window)
        features = self._predictor.encode(picture, view.spacing_yx_mm)
        self._go_on()
        prompts = ViewPrompts(view.to_view(click[None]), np.ones(1, np.int64))
        rows_and_columns = np.argwhere(self._predictor.decode(features, [prompts])[0].mask)
        return view.to_ijk(rows_and_columns[:, ::-1])


def _clicks(cross_section: np.ndarray, axis: int, across: int) -> list[np.ndarray]:
    """Voxels (3,) in the middle of an object's cross-section (N, 3), at several places along the axis `across`."""
    if not len(cross_section):
        return []
    (along,) = {0, 1, 2} - {axis, across}
    coordinates = cross_section[:, across]
    places = sorted({int(np.quantile(coordinates, share, method="nearest")) for share in PLACES})
    lines = [cross_section[coordinates == place] for place in places]
    return [line[np.argsort(line[:, along])[len(line) // 2]] for line in lines]


def _between(voxels: np.ndarray, axis: int, low: int, high: int) -> np.ndarray:
    return voxels[(voxels[:, axis] >= low) & (voxels[:, axis] <= high)]


def _agree(found: np.ndarray, drawn: np.ndarray, labels: np.ndarray) -> bool:
    """Whether what was found in a view is what is drawn there; voxels (N, 3) on the same slices."""
    shared = int((labels[tuple(found.T)] > 0).sum())
    return shared > 0 and 2 * shared >= AGREEMENT * (len(found) + len(drawn))


def _voxels_on(labels: np.ndarray, axis: int, index: int) -> np.ndarray:
    """The voxels (N, 3) of the object on one slice."""
    return np.insert(np.argwhere(np.take(labels, index, axis=axis) > 0), axis, index, axis=1)
