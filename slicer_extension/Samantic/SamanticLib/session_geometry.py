"""Whether an answer lies on the image that is open; a wrong mask that looks right is the worst that can happen."""

from __future__ import annotations

import numpy as np

from SamanticLib.answers import MapAnswer, SegmentAnswer
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import common_extent
from SamanticLib.mask_answers import check_lies_on
from SamanticLib.session_ports import SceneImage


def check_lies_in(answer: SegmentAnswer | MapAnswer, image: SceneImage) -> None:
    """Raise SamanticError where an answer reaches out of an image, BadAnswer where its voxels are not the image's.

    An answer without an extent passes.
    """
    if answer.extent_ijk is None:
        return
    i, j, k = image.shape_ijk
    if common_extent(answer.extent_ijk, (0, i, 0, j, 0, k)) != answer.extent_ijk:
        raise SamanticError("The answer does not fit the image; nothing of it was used. Open the image again.")
    if not (image.is_flat and _is_of_pixels(answer)):
        check_lies_on(answer, image.ijk_to_ras)


def _is_of_pixels(answer: SegmentAnswer | MapAnswer) -> bool:
    """Whether this is of a photograph: a server lays its pixels 1 mm apart, Slicer as its dots per inch say."""
    return answer.ijk_to_ras is not None and np.array_equal(answer.ijk_to_ras[:3, :3], np.diag([-1.0, -1.0, 1.0]))
