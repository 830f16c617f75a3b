"""The segments of a segmentation as a session sees them."""

from __future__ import annotations

from typing import Any

from vtk.util.numpy_support import vtk_to_numpy

from SamanticLib.layers import BINARY
from SamanticLib.segments import class_name
from SamanticLib.session_ports import SceneSegment

KEPT = 256


class SegmentList:
    """Lists segments; whether one is empty is looked up in its labelmap only after that has changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[Any, int, bool]] = {}

    def of(self, segmentation: Any) -> tuple[SceneSegment, ...]:
        """Return all segments of a node in their order."""
        inner, display = segmentation.GetSegmentation(), segmentation.GetDisplayNode()
        return tuple(self._segment(inner, str(segment_id), display) for segment_id in inner.GetSegmentIDs())

    def _segment(self, inner: Any, segment_id: str, display: Any) -> SceneSegment:
        segment = inner.GetSegment(segment_id)
        red, green, blue = (round(255 * value) for value in segment.GetColor())
        return SceneSegment(
            segment_id=segment_id,
            class_name=class_name(segment),
            name=str(segment.GetName()),
            rgb=(red, green, blue),
            is_empty=self._is_empty(segment, segment_id),
            is_visible=display is None or bool(display.GetSegmentVisibility(segment_id)),
        )

    def _is_empty(self, segment: Any, segment_id: str) -> bool:
        image, value = segment.GetRepresentation(BINARY), int(segment.GetLabelValue())
        if image is None:
            return True
        known = self._known.get((segment_id, value))
        if known is not None and known[0] is image and known[1] == image.GetMTime():
            return known[2]
        scalars = image.GetPointData().GetScalars()
        empty = scalars is None or not bool((vtk_to_numpy(scalars) == value).any())
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[(segment_id, value)] = (image, image.GetMTime(), empty)
        return empty
