"""Colours as DICOM stores them: CIELab of the ICC connection space, in whole numbers of 16 bits."""

from __future__ import annotations

import numpy as np

# Linear sRGB -> XYZ for the white of the ICC connection space, D50 (ICC.1:2010, Bradford adaptation of IEC 61966-2-1).
_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_WHITE = _TO_XYZ.sum(axis=1)
_KNEE = 6 / 29


def cielab_of_rgb(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the CIELab value of an sRGB colour (red, green, blue in 0..255) as in Recommended Display CIELab Value.

    L* 0..100 becomes 0..65535, a* and b* -128..127 the same. Source: DICOM PS3.3 C.10.7.1.1.
    """
    fractions = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(fractions <= 0.04045, fractions / 12.92, ((fractions + 0.055) / 1.055) ** 2.4)
    ratio = _TO_XYZ @ linear / _WHITE
    x, y, z = np.where(ratio > _KNEE**3, np.cbrt(ratio), ratio / (3 * _KNEE**2) + 4 / 29)
    lightness, green_red, blue_yellow = 116 * y - 16, 500 * (x - y), 200 * (y - z)
    scaled = np.array([lightness / 100, (green_red + 128) / 255, (blue_yellow + 128) / 255]) * 65535
    first, second, third = (int(value) for value in np.clip(np.rint(scaled), 0, 65535))
    return first, second, third
