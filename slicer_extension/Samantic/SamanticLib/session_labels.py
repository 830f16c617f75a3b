"""A label that was submitted, drawn into the scene again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Optional

import numpy as np

from SamanticLib.answers import ClassEntry, SegmentAnswer, SubmittedLabel
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import extent_of_mask, extent_slices
from SamanticLib.session_core import SessionCore
from SamanticLib.session_geometry import check_lies_in
from SamanticLib.session_models import described
from SamanticLib.session_ports import SceneAdapter, SceneImage
from SamanticLib.session_state import Progress

ReadLabel = Callable[[Path], tuple[np.ndarray, Optional[np.ndarray]]]
"""Reads a file of label values (i, j, k) and where they lie (4, 4), None for a picture's; SamanticError otherwise."""


class Labels:
    """From the server's final label of the open image to segments. Source: ours."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core

    def load(self, read: ReadLabel) -> None:
        """Fetch the submitted label and draw it; refused where something is drawn already."""
        core, now = self._core, self._core.now
        image = now.image
        if image is None or now.progress is not None or _is_drawn_on(core.scene):
            core.say("error", "A label is loaded onto an image on which nothing is drawn; open the image again.")
            return
        client, folder = core.server, core.folder
        now.progress = Progress("Fetching the label")
        core.quiet()

        def fetched(label: SubmittedLabel) -> None:
            now.progress = None
            if now.image is image and not _is_drawn_on(core.scene):
                names = draw_label(core.scene, image, label, read, now.vocabulary)
                core.say("good", f"Loaded: {', '.join(names)} of {image.image_id}.")

        def failed(_: Exception) -> None:
            now.progress = None

        core.run("job", lambda: client.submitted_label(image.image_id, folder), fetched, failed)


def draw_label(
    scene: SceneAdapter,
    image: SceneImage,
    label: SubmittedLabel,
    read: ReadLabel,
    vocabulary: Iterable[ClassEntry],
) -> tuple[str, ...]:
    """Draw each class of a label into its segment and return what was drawn, in words.

    Raises SamanticError, with nothing drawn, where the label does not lie on the voxels of the image, or a value in it
    has no class.
    """
    values, ijk_to_ras = read(label.path)
    if values.shape != tuple(image.shape_ijk):
        raise SamanticError(
            f"The label of '{image.image_id}' has {' x '.join(map(str, values.shape))} voxels, but the image "
            f"{' x '.join(map(str, image.shape_ijk))}; it was not used."
        )
    i, j, k = image.shape_ijk
    check_lies_in(SegmentAnswer(values, (0, i, 0, j, 0, k), {}, image_id=image.image_id, ijk_to_ras=ijk_to_ras), image)
    drawn = [int(value) for value in np.unique(values) if value]
    unnamed = [value for value in drawn if value not in label.classes]
    if unnamed:
        raise SamanticError(f"The label of '{image.image_id}' holds the value {unnamed[0]}, which has no name.")
    by_class: dict[str, list[int]] = {}
    for value in drawn:
        by_class.setdefault(label.classes[value], []).append(value)
    known = {entry.name: entry for entry in vocabulary}
    entries = [known.get(name) or described(name) for name in by_class]
    for entry, own in zip(entries, by_class.values()):
        mask = np.isin(values, own)
        extent = extent_of_mask(mask)
        if extent is not None:
            scene.paste(scene.segment_for(entry), mask[extent_slices(extent)], extent, overlap=False)
    return tuple(entry.label for entry in entries)


def _is_drawn_on(scene: SceneAdapter) -> bool:
    return any(not segment.is_empty for segment in scene.segments())
