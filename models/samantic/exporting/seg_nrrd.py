"""3D Slicer's segmentations, each beside its image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from samantic.exporting.class_values import unique_names
from samantic.exporting.label_names import meant_class
from samantic.exporting.studies import LabelledStudy
from samantic.imaging import SegmentInfo, write_mask, write_volume
from samantic.imaging.segments import PALETTE
from samantic.vocabulary import terminology_string


def write_seg_nrrd(
    folder: Path, studies: Sequence[LabelledStudy], done: Callable[[LabelledStudy], None]
) -> dict[str, list[str]]:
    """Write images/* and segmentations/*.seg.nrrd with names, colours and SNOMED CT codes; return image id -> files.

    Label values stay exactly as they were saved. Source: Slicer's segmentation storage node, version 5.
    """
    for part in ("images", "segmentations"):
        (folder / part).mkdir()
    names = unique_names(study.image_id for study in studies)
    written = {}
    for study in studies:
        volume = study.volume()
        labels = study.labels(volume)
        suffix = ".png" if volume.kind == "photograph" else ".nrrd"
        image = f"images/{names[study.image_id]}{suffix}"
        label = f"segmentations/{names[study.image_id]}.seg.nrrd"
        write_volume(folder / image, volume, durable=False)
        write_mask(folder / label, labels, volume, _segments(study), durable=False)
        written[study.image_id] = [image, label]
        done(study)
    return written


def _segments(study: LabelledStudy) -> list[SegmentInfo]:
    segments = []
    for number, (value, name) in enumerate(sorted(study.names.items())):
        meant = meant_class(name)
        if meant is None:
            segments.append(SegmentInfo(value, name, PALETTE[number % len(PALETTE)]))
        else:
            segments.append(SegmentInfo(value, meant.label, meant.colour_rgb, terminology_string(meant)))
    return segments
