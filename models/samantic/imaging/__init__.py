"""Volumes and photographs: read, window to 8 bits, slice along any axis, resample, write."""

from samantic.imaging.atomic import atomic_path, is_temporary, remove_leftovers
from samantic.imaging.dicom import DicomSeries, list_series
from samantic.imaging.errors import ImageReadError, ImageWriteError, ViewError, WindowError
from samantic.imaging.readers import image_suffix, read_volume
from samantic.imaging.slice_view import SliceView
from samantic.imaging.volume import Kind, Modality, Volume
from samantic.imaging.windowing import Window, to_uint8, window_for

__all__ = [
    "DicomSeries",
    "ImageReadError",
    "ImageWriteError",
    "Kind",
    "Modality",
    "SliceView",
    "ViewError",
    "Volume",
    "Window",
    "WindowError",
    "atomic_path",
    "image_suffix",
    "is_temporary",
    "list_series",
    "read_volume",
    "remove_leftovers",
    "to_uint8",
    "window_for",
]
