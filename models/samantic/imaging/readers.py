"""Any file that people have -> one `Volume`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from samantic.imaging.dicom import read_dicom
from samantic.imaging.errors import ImageReadError
from samantic.imaging.metaimage import read_metaimage
from samantic.imaging.nifti import read_nifti
from samantic.imaging.nrrd import read_nrrd
from samantic.imaging.photographs import read_photograph
from samantic.imaging.raw_image import RawImage
from samantic.imaging.volume import MODALITIES, Modality, Volume

VOLUME_READERS: dict[str, Callable[[Path], RawImage]] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".seg.nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}
READERS: dict[str, Callable[[Path], RawImage]] = {
    **VOLUME_READERS,
    ".dcm": read_dicom,
    ".png": read_photograph,
    ".jpg": read_photograph,
    ".jpeg": read_photograph,
    ".bmp": read_photograph,
}
PHOTOGRAPHS = (".png", ".jpg", ".jpeg", ".bmp")
CT_BELOW = -200  # Hounsfield air; no other modality stores such values


def read_volume(path: Path | str, modality: Modality | None = None, series_uid: str | None = None) -> Volume:
    """Reads NIfTI, NRRD, MetaImage, a DICOM file or folder, PNG, JPEG or BMP; the suffix decides, in any case.

    modality: as known to the caller; otherwise as the header says, otherwise guessed: a photograph with colour is
    "RGB" and a gray one "US"; a colour volume "RGB", one with values below -200 "CT", any other "MR". A gray photograph
    that the caller calls "RGB" gets three equal channels. series_uid: which series of a DICOM folder to take.
    Non-finite values become the lowest finite one; 64-bit values become 32-bit ones.
    Raises ImageReadError, one plain sentence, for every file that is not a whole image. Source: ours.
    """
    path = Path(path)
    if modality is not None and modality not in MODALITIES:
        raise ImageReadError(f"the modality '{modality}' does not exist; use one of {', '.join(MODALITIES)}")
    raw = read_dicom(path, series_uid) if path.is_dir() else read_raw(path)
    photograph = image_suffix(path) in PHOTOGRAPHS
    array = _tidy(path, raw.array)
    if photograph and modality == "RGB" and array.ndim == 3:
        array = np.stack([array] * 3, axis=-1)
    try:
        return Volume(
            array,
            raw.affine,
            modality or raw.modality or _guess(array, photograph),
            "photograph" if photograph else "volume",
        )
    except ValueError as error:
        raise ImageReadError(f"'{path.name}' is not an image: {error}") from error


def read_raw(path: Path, readers: Mapping[str, Callable[[Path], RawImage]] = READERS) -> RawImage:
    """Reads exactly what a file says, by its suffix; ImageReadError if it is no readable file. Source: ours."""
    if not path.exists():
        raise ImageReadError(f"there is no file '{path.name}'")
    if not path.is_file():
        raise ImageReadError(f"'{path.name}' is not a regular file")
    reader = readers.get(image_suffix(path))
    if reader is None:
        allowed = ", ".join(readers)
        raise ImageReadError(f"'{path.name}' has no suffix of an image that is read; use one of {allowed}")
    if path.stat().st_size == 0:
        raise ImageReadError(f"'{path.name}' is empty")
    try:
        return reader(path)
    except OSError as error:
        raise ImageReadError(f"'{path.name}' cannot be read ({error.strerror or error})") from error
    except MemoryError as error:
        raise ImageReadError(f"'{path.name}' does not fit into memory") from error


def image_suffix(path: Path | str) -> str:
    """The suffix that decides about the format, in lower case: ".nii.gz" and ".seg.nrrd" count as one. Source: ours."""
    name = Path(path).name.lower()
    for compound in (".nii.gz", ".seg.nrrd"):
        if name.endswith(compound):
            return compound
    return Path(name).suffix


def _tidy(path: Path, array: np.ndarray) -> np.ndarray:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f":
        return _finite(path, array.astype(np.float32, copy=False))
    if kind == "b":
        return array.astype(np.uint8)
    if size <= 2:
        return array
    lowest, highest = int(array.min()), int(array.max())
    for smaller in (np.int16, np.int32):
        if np.iinfo(smaller).min <= lowest and highest <= np.iinfo(smaller).max:
            return array.astype(smaller, copy=False)
    return array.astype(np.float32)


def _finite(path: Path, array: np.ndarray) -> np.ndarray:
    finite = np.isfinite(array)
    if finite.all():
        return array
    if not finite.any():
        raise ImageReadError(f"'{path.name}' holds no finite value")
    # Scanners and registrations mark the outside by NaN; the lowest value shows it as background.
    return np.where(finite, array, array[finite].min())


def _guess(array: np.ndarray, photograph: bool) -> Modality:
    if array.ndim == 4:
        return "RGB"
    if photograph:
        return "US"
    return "CT" if array.min() < CT_BELOW else "MR"
