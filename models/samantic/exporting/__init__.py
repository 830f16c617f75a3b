"""Labelled studies in the formats of others: nnU-Net, COCO, 3D Slicer's and DICOM's segmentations."""

from samantic.exporting.errors import ExportError
from samantic.exporting.run import FORMATS, Exported, export

__all__ = ["FORMATS", "ExportError", "Exported", "export"]
