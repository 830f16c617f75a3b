"""DICOM Segmentation objects: each label on the slices of the series that it was drawn on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from highdicom.content import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from samantic import __version__
from samantic.exporting.cielab import cielab_of_rgb
from samantic.exporting.class_values import unique_names
from samantic.exporting.dicom_slices import DicomSliceError, labels_on_slices, source_slices
from samantic.exporting.errors import ExportError
from samantic.exporting.label_names import meant_class
from samantic.exporting.studies import LabelledStudy
from samantic.imaging.segments import PALETTE
from samantic.vocabulary import Code

TISSUE = Code("SCT", "85756007", "Tissue")
"""Category and type of what the vocabulary does not know, as 3D Slicer calls a segment that nobody has named."""

AI = Code("DCM", "123109", "Artificial Intelligence")
SERIES_NUMBER = 1000
LONGEST = 64  # characters of a DICOM long string (PS3.5 6.2)


def write_dicom_seg(
    folder: Path, studies: Sequence[LabelledStudy], done: Callable[[LabelledStudy], None]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Write segmentations/*.dcm; return image id -> files, and image id -> why it was left out.

    Raises ExportError where none of the images can be written. Source: DICOM PS3.3 A.51 (Segmentation IOD).
    """
    (folder / "segmentations").mkdir()
    names = unique_names(study.image_id for study in studies)
    written: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for study in studies:
        file = f"segmentations/{names[study.image_id]}.dcm"
        try:
            segmentation_of(study).save_as(folder / file)
            written[study.image_id] = [file]
        except DicomSliceError as error:
            left_out[study.image_id] = str(error)
        done(study)
    if not written:
        image_id, why = next(iter(left_out.items()))
        raise ExportError(f"None of the labels can be written as DICOM SEG; of '{image_id}': {why}")
    return written, left_out


def segmentation_of(study: LabelledStudy) -> Segmentation:
    """Return the label of one image as a DICOM Segmentation: one segment for each class that is drawn.

    Raises DicomSliceError with a sentence where the image is no DICOM series, or its slices do not fit the label.
    """
    if study.source is None:
        raise DicomSliceError("it is not a DICOM series; a DICOM SEG refers to the slices that it was drawn on.")
    volume = study.volume()
    labels = study.labels(volume)
    drawn = [int(value) for value in np.unique(labels) if value]
    if not drawn:
        raise DicomSliceError("nothing is drawn, and a DICOM SEG has at least one segment.")
    # Values that mean the same are one segment; they keep the order of the values.
    classes = list(dict.fromkeys(study.names[value] for value in drawn))
    table = np.zeros(drawn[-1] + 1, np.uint8 if len(classes) < 256 else np.uint16)
    for value in drawn:
        table[value] = 1 + classes.index(study.names[value])
    slices = source_slices(study.source)
    frames = labels_on_slices(table[labels], volume.affine, slices)
    kind, algorithm = _algorithm(study.notes.get("provenance"))
    return Segmentation(
        source_images=slices,
        pixel_array=frames,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _described(number, name, kind, algorithm) for number, name in enumerate(classes, start=1)
        ],
        series_instance_uid=generate_uid(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Samantic",
        manufacturer_model_name="samantic export",
        software_versions=__version__,
        device_serial_number="0",
        series_description="Segmentation",
        content_label="SEGMENTATION",
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )


def _described(
    number: int, name: str, kind: SegmentAlgorithmTypeValues, algorithm: AlgorithmIdentificationSequence | None
) -> SegmentDescription:
    meant = meant_class(name)
    description = SegmentDescription(
        segment_number=number,
        segment_label=(name if meant is None else meant.label)[:LONGEST],
        segmented_property_category=_concept(TISSUE if meant is None else meant.category),
        segmented_property_type=_concept(TISSUE if meant is None else meant.type),
        algorithm_type=kind,
        algorithm_identification=algorithm,
        anatomic_regions=None if meant is None or meant.region is None else [_concept(meant.region)],
    )
    colour = PALETTE[(number - 1) % len(PALETTE)]
    if meant is not None:
        colour = meant.colour_rgb
        _modify(
            description.SegmentedPropertyTypeCodeSequence, "SegmentedPropertyTypeModifierCodeSequence", meant.modifier
        )
        if meant.region is not None:
            _modify(description.AnatomicRegionSequence, "AnatomicRegionModifierSequence", meant.region_modifier)
    description.RecommendedDisplayCIELabValue = list(cielab_of_rgb(colour))
    return description


def _modify(sequence: Any, keyword: str, code: Code | None) -> None:
    if code is not None:
        setattr(sequence[0], keyword, pydicom.Sequence([_concept(code)]))


def _concept(code: Code) -> CodedConcept:
    return CodedConcept(code.value, code.scheme, code.meaning[:LONGEST])


def _algorithm(record: Any) -> tuple[SegmentAlgorithmTypeValues, AlgorithmIdentificationSequence | None]:
    """Return how a label came about, after the record beside it.

    A label that a model wrote is automatic; one that a person submitted is semi-automatic where a model had answered
    about the image, otherwise manual. Without a record it is called semi-automatic by an algorithm "not recorded":
    nobody can say that no model had a part in it.
    """
    record = record if isinstance(record, Mapping) else {}
    software = record.get("software")
    version = str(software.get("version", "")) if isinstance(software, Mapping) else ""
    if record.get("kind") == "model":
        found = _identified(record.get("model"), record.get("weights_hash"), version)
        return SegmentAlgorithmTypeValues.AUTOMATIC, found
    if record.get("kind") == "submission":
        draft = record.get("draft")
        if not isinstance(draft, Mapping):
            return SegmentAlgorithmTypeValues.MANUAL, None
        models = [one for one in draft.get("models") or () if isinstance(one, Mapping)]
        if models:
            return SegmentAlgorithmTypeValues.SEMIAUTOMATIC, _identified(
                models[-1].get("model"), models[-1].get("weights_hash"), version
            )
    return SegmentAlgorithmTypeValues.SEMIAUTOMATIC, _identified(None, None, version)


def _identified(model: Any, weights: Any, version: str) -> AlgorithmIdentificationSequence:
    return AlgorithmIdentificationSequence(
        name=str(model or "not recorded")[:LONGEST],
        family=_concept(AI),
        version=(version or "not recorded")[:LONGEST],
        source="Samantic",
        parameters={"weights": str(weights)} if weights else None,
    )
