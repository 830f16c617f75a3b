"""Who draws a segmentation is told once that it has changed; surfaces that are shown follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import slicer

from SamanticLib.layers import BINARY

SURFACE = "Closed surface"


def shown_surfaces(segmentation: Any) -> Mapping[str, Any]:
    """Return segment id -> surface of a segmentation node, empty where surfaces are not shown.

    To be called before labelmaps change: Slicer drops the surfaces of all segments when one does.
    """
    inner = segmentation.GetSegmentation()
    if not inner.ContainsRepresentation(SURFACE):
        return {}
    return {segment_id: inner.GetSegment(segment_id).GetRepresentation(SURFACE) for segment_id in inner.GetSegmentIDs()}


def redraw(segmentation: Any, images: Sequence[Any], changed: Iterable[str], surfaces: Mapping[str, Any]) -> None:
    """Tell everybody that labelmaps have changed; surfaces of the `changed` segments are made again, others put back.

    surfaces: what was shown before.
    """
    inner = segmentation.GetSegmentation()
    for image in {id(image): image for image in images}.values():
        scalars = image.GetPointData().GetScalars()
        if scalars is not None:
            scalars.Modified()
        image.Modified()
    if surfaces:
        for segment_id, surface in {**surfaces, **_surfaces(inner, set(changed))}.items():
            if surface is not None:
                inner.GetSegment(segment_id).AddRepresentation(SURFACE, surface)
    segmentation.Modified()


def _surfaces(inner: Any, segment_ids: set[str]) -> dict[str, Any]:
    # A conversion always makes the surfaces of all segments; in a segmentation of their own these are few.
    alone = slicer.vtkSegmentation()
    alone.SetSourceRepresentationName(BINARY)
    alone.DeserializeConversionParameters(inner.SerializeAllConversionParameters())
    for segment_id in sorted(segment_ids):
        # Only the labelmap is shared: Slicer's way of copying a segment copies all of a labelmap with it.
        source, segment = inner.GetSegment(segment_id), slicer.vtkSegment()
        segment.DeepCopyMetadata(source)
        segment.AddRepresentation(BINARY, source.GetRepresentation(BINARY))
        segment.SetLabelValue(source.GetLabelValue())
        alone.AddSegment(segment, segment_id)
    alone.CreateRepresentation(SURFACE, True)
    return {segment_id: alone.GetSegment(segment_id).GetRepresentation(SURFACE) for segment_id in segment_ids}
