"""Intensities -> 8 bits: CT by preset, MR and ultrasound by percentile, colour untouched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samantic.imaging.errors import WindowError
from samantic.imaging.volume import Volume

LUNG = (-1000.0, 200.0)
SOFT_TISSUE = (-160.0, 240.0)
BONE = (-200.0, 1000.0)
BRAIN = (0.0, 80.0)

PRESETS: dict[str, tuple[tuple[float, float], ...]] = {
    "ct": (LUNG, SOFT_TISSUE, BONE),
    "soft_tissue": (SOFT_TISSUE,),
    "lung": (LUNG,),
    "bone": (BONE,),
    "brain": (BRAIN,),
}


@dataclass(frozen=True)
class Window:
    """How intensities become 8 bits.

    ranges: one (lowest, highest) pair, shared by all output channels, or three, one per channel; none: 8-bit colour is
    taken as it is. Source: ours.
    """

    name: str
    ranges: tuple[tuple[float, float], ...]

    @property
    def key(self) -> str:
        """Text that is equal exactly if two windows treat intensities alike."""
        return ":".join([self.name, *(f"{low!r},{high!r}" for low, high in self.ranges)])


def window_for(volume: Volume, preset: str | None = None) -> Window:
    """The window of an image: that of `preset`, or the usual one of its modality.

    preset: "ct" (three channels: lung -1000..200 HU, soft tissue -160..240, bone -200..1000), "soft_tissue", "lung",
    "bone", "brain" (0..80), "percentile" (0.5..99.5 of the whole image) or "rgb". Without it: colour of 8 bits "rgb",
    CT "ct", everything else "percentile". Raises WindowError for an unknown preset or one that does not suit the
    image. Source: ours.
    """
    if preset is None:
        preset = _usual(volume)
    if preset == "percentile":
        return Window("percentile", (volume.intensity_percentiles,))
    if preset == "rgb":
        if not _is_8_bit_colour(volume):
            raise WindowError("the window 'rgb' is for 8-bit colour images; use 'percentile' for this one")
        return Window("rgb", ())
    if preset not in PRESETS:
        allowed = ", ".join([*PRESETS, "percentile", "rgb"])
        raise WindowError(f"there is no window '{preset}'; choose one of {allowed}")
    if volume.is_rgb:
        raise WindowError(f"the window '{preset}' is for CT; a colour image takes 'rgb' or 'percentile'")
    return Window(preset, PRESETS[preset])


def to_uint8(view_array: np.ndarray, window: Window) -> np.ndarray:
    """Windows a slice (rows, cols) or (rows, cols, 3) to (rows, cols, 3) uint8.

    Values below a range become 0, above it 255, between them linear and rounded. Raises WindowError if the array and
    the window do not go together. Source: ours.
    """
    colour = view_array.ndim == 3 and view_array.shape[2] == 3
    if view_array.ndim != 2 and not colour:
        raise WindowError(f"a slice is (rows, cols) or (rows, cols, 3), not {view_array.shape}")
    if not window.ranges:
        if not colour or view_array.dtype != np.uint8:
            raise WindowError(f"the window '{window.name}' needs 8-bit colour, not {view_array.dtype} values")
        return np.array(view_array)
    if colour and len(window.ranges) != 1:
        raise WindowError(f"the window '{window.name}' is for single-channel images, and this one has colour")
    channels = [_scaled(view_array, low, high) for low, high in window.ranges]
    if colour:
        return channels[0]
    return np.stack(channels if len(channels) == 3 else channels * 3, axis=-1)


def _usual(volume: Volume) -> str:
    if _is_8_bit_colour(volume):
        return "rgb"
    return "ct" if volume.modality == "CT" and not volume.is_rgb else "percentile"


def _is_8_bit_colour(volume: Volume) -> bool:
    return volume.is_rgb and volume.array.dtype == np.uint8


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    # A flat image has an empty range; it comes out black instead of dividing by zero.
    width = high - low if high > low else 1.0
    with np.errstate(over="ignore"):  # values at the end of the type become infinite, and then 0 or 255
        scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255.0 / width)
    return np.rint(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)
