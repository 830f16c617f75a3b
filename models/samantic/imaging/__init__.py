"""Volumes and photographs: read, window to 8 bits, slice along any axis, resample, write."""

from samantic.imaging.atomic import atomic_path, is_temporary, remove_leftovers
from samantic.imaging.dicom import DicomSeries, list_series
from samantic.imaging.errors import ImageReadError, ImageWriteError, ViewError, WindowError
from samantic.imaging.extent import crop_affine, crop_extent
from samantic.imaging.masks import read_mask
from samantic.imaging.overlay import overlay, overlay_png
from samantic.imaging.readers import image_suffix, read_volume
from samantic.imaging.resample import resample_labels_to, resample_to
from samantic.imaging.segments import SegmentInfo, read_segments
from samantic.imaging.slice_view import SliceView
from samantic.imaging.volume import Kind, Modality, Volume
from samantic.imaging.windowing import Window, to_uint8, window_for
from samantic.imaging.writers import default_mask_suffix, write_mask, write_volume

__all__ = [
    "DicomSeries",
    "ImageReadError",
    "ImageWriteError",
    "Kind",
    "Modality",
    "SegmentInfo",
    "SliceView",
    "ViewError",
    "Volume",
    "Window",
    "WindowError",
    "atomic_path",
    "crop_affine",
    "crop_extent",
    "default_mask_suffix",
    "image_suffix",
    "is_temporary",
    "list_series",
    "overlay",
    "overlay_png",
    "read_mask",
    "read_segments",
    "read_volume",
    "remove_leftovers",
    "resample_labels_to",
    "resample_to",
    "to_uint8",
    "window_for",
    "write_mask",
    "write_volume",
]
