"""The scene that a session draws in: slicer-core's MRML scene, in trame-slicer's views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from SamanticLib.answers import ClassEntry
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent
from SamanticLib.label_files import write_label
from SamanticLib.layers import mask_in
from SamanticLib.nodes import ijk_to_local, volume_ijk_to_ras, volume_shape
from SamanticLib.prompts import Prompts
from SamanticLib.segmentation import OverwritePolicy, SegmentationLogic
from SamanticLib.segments import class_name, stable_values
from SamanticLib.session_ports import SceneImage, SceneSegment
from trame_slicer.core import SlicerApp
from undo_stack import UndoStack
from vtkmodules.util.numpy_support import vtk_to_numpy

from ..drafts.restoring import restored
from ..drafts.snapshot import Copied, copied, revision_of
from ..drafts.store import Draft
from .label_reading import read_label
from .marks import Marks
from .picture import ENDINGS, load_picture
from .undo import AnswerStep
from .unsure_map import UnsureMap

STEPS = 40
"""Of undo; a stroke of the Segment Editor keeps two copies of all labelmaps."""

MOST_REMEMBERED = 256


class WorkbenchScene:
    """`SamanticLib.session_ports.SceneAdapter` on a SlicerApp. Source: ours."""

    def __init__(self, slicer_app: SlicerApp) -> None:
        self._app = slicer_app
        self._logic = SegmentationLogic(slicer_app.scene)
        self._marks = Marks(slicer_app.scene)
        self._map = UnsureMap(slicer_app)
        self._image: SceneImage | None = None
        self._noted: int | SamanticError | None = None
        self._emptiness: dict[tuple[int, int, int], bool] = {}
        self.is_stepping = False
        self.volume: Any = None
        self.segmentation: Any = None
        self.undo_stack = UndoStack(undo_limit=STEPS)
        slicer_app.segmentation_editor.set_undo_stack(self.undo_stack)

    @property
    def image(self) -> SceneImage | None:
        """The image that is open."""
        return self._image

    def load_image(self, path: Path, image_id: str) -> SceneImage:
        """Show an image in place of the one before; SamanticError for a file that holds none."""
        if path.suffix.lower() in ENDINGS:
            volume = load_picture(self._app.scene, path)
        else:
            volume = next(iter(self._app.io_manager.load_volumes(str(path))), None)
        if volume is None or volume.GetImageData() is None:
            raise SamanticError(f"The image '{image_id}' cannot be shown: its file holds no picture that can be read.")
        self._forget()
        self.volume = volume
        self.volume.SetName(image_id)
        shape = volume_shape(self.volume)
        is_colour = self.volume.GetImageData().GetNumberOfScalarComponents() >= 3
        self._image = SceneImage(image_id, shape, volume_ijk_to_ras(self.volume), is_colour)
        self.segmentation = self._logic.segmentation_for(self.volume)
        self._app.segmentation_editor.set_active_segmentation(self.segmentation, self.volume)
        self._app.display_manager.show_volume_in_slice_background(self.volume)
        return self._image

    def segment_for(self, entry: ClassEntry) -> str:
        """Return the segment of a class; made where there is none."""
        segment_id = self._logic.segment_for(self.segmentation, entry)
        self._app.segmentation_editor.set_active_segment_id(segment_id)
        return segment_id

    def segments(self) -> Sequence[SceneSegment]:
        """Return all segments in the order in which they were made."""
        if self.segmentation is None:
            return ()
        inner, display = self.segmentation.GetSegmentation(), self.segmentation.GetDisplayNode()
        return tuple(
            self._segment(inner, segment_id, bool(display.GetSegmentVisibility(segment_id)))
            for segment_id in inner.GetSegmentIDs()
        )

    def crop(self, segment_id: str, extent: Extent) -> np.ndarray:
        """Return what a segment holds in an extent, bool (i, j, k); nothing for one that is not there any more."""
        if self.segmentation.GetSegmentation().GetSegment(segment_id) is None:
            return np.zeros([extent[2 * axis + 1] - extent[2 * axis] for axis in range(3)], bool)
        return mask_in(self.segmentation, segment_id, ijk_to_local(self.volume, self.segmentation), extent)

    def paste(self, segment_id: str, mask: np.ndarray, extent: Extent, overlap: bool) -> int | None:
        """Let a segment hold this mask in this extent; the number of the step of undo, None where nothing changed."""
        policy = OverwritePolicy.ALLOW_OVERLAP if overlap else OverwritePolicy.PROTECT_OTHERS
        pasted = self._logic.paste(self.segmentation, segment_id, mask, extent, policy)
        if pasted.step is not None:
            self.is_stepping = True
            self.undo_stack.push(AnswerStep(self._logic, pasted.step, self._note))
            self.is_stepping = False
        return pasted.step

    def undo(self) -> int | None:
        """Take one step back; the number of the answer that it took back, None for somebody else's step."""
        return self._step(self.undo_stack.undo)

    def redo(self) -> int | None:
        """Make one step again; the number of the answer that it drew, None for somebody else's step."""
        return self._step(self.undo_stack.redo)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self.undo_stack.can_undo())

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to make again."""
        return bool(self.undo_stack.can_redo())

    def write_labels(self, path: Path) -> Mapping[str, int]:
        """Write all segments that hold something as one label map; return class -> value.

        Raises SamanticError, with nothing written, where two segments hold the same voxel, as a lesion and a structure
        within it may: a label has one value for each.
        """
        made = [segment for segment in self.segments() if not segment.is_empty]
        stable = stable_values(self.segmentation)
        values = {segment.segment_id: stable[segment.segment_id] for segment in made}
        labels = self._logic.label_volume(self.segmentation, self.volume, values)
        write_label(path, labels, None if path.suffix == ".png" else volume_ijk_to_ras(self.volume))
        return {segment.class_name: values[segment.segment_id] for segment in made}

    def copied(self) -> Copied:
        """Copy what the segments are now, to be kept while the person goes on."""
        return copied(self.segmentation, self.volume)

    @property
    def revision(self) -> tuple[Any, ...]:
        """Another value after every change of the segments."""
        return () if self.segmentation is None else revision_of(self.segmentation)

    @property
    def voxels(self) -> np.ndarray:
        """The image as it lies in memory, (N,) or (N, bands)."""
        return vtk_to_numpy(self.volume.GetImageData().GetPointData().GetScalars())

    def restore(self, draft: Draft) -> None:
        """Let the segments be those of a draft; SamanticError, and all is as it was, for one that is damaged.

        Refused where something is drawn already. There is nothing to undo afterwards.
        """
        if any(not segment.is_empty for segment in self.segments()):
            raise SamanticError("Something is drawn on this image already; submit it, or open the image again.")
        node, before = restored(self._app.scene, draft, self.volume), self.segmentation
        self._clear_steps()
        self._logic.attach(node, self.volume)
        self.segmentation = node
        self._app.segmentation_editor.set_active_segmentation(node, self.volume)
        self._app.scene.RemoveNode(before)

    def read_label(self, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
        """Return label values (i, j, k) of a file and where they lie (4, 4), None for a picture's."""
        return read_label(self._app, path)

    def show_prompts(self, prompts: Prompts) -> None:
        """Draw the marks of the object."""
        self._marks.show(prompts, self._image)

    def show_map(self, values: np.ndarray | None, extent: Extent | None, largest: float) -> None:
        """Lay a map over the image, or take it away."""
        self._map.show(values, extent, largest, self.volume)

    def _segment(self, inner: Any, segment_id: str, visible: bool) -> SceneSegment:
        segment = inner.GetSegment(segment_id)
        red, green, blue = (round(255 * value) for value in segment.GetColor())
        return SceneSegment(
            segment_id=segment_id,
            class_name=class_name(segment),
            name=segment.GetName(),
            rgb=(red, green, blue),
            is_empty=self._is_empty(segment),
            is_visible=visible,
        )

    def _is_empty(self, segment: Any) -> bool:
        """Whether a segment holds no voxel; asked of the labelmap only where it has changed."""
        image = segment.GetRepresentation("Binary labelmap")
        key = (id(image), image.GetMTime() if image is not None else 0, int(segment.GetLabelValue()))
        if key not in self._emptiness:
            if len(self._emptiness) > MOST_REMEMBERED:
                self._emptiness.clear()
            self._emptiness[key] = not _holds(image, int(segment.GetLabelValue()))
        return self._emptiness[key]

    def _note(self, happened: int | SamanticError) -> None:
        self._noted = happened

    def _step(self, step: Callable[[], None]) -> int | None:
        self._noted = None
        self.is_stepping = True
        try:
            step()
        finally:
            self.is_stepping = False
        if isinstance(self._noted, SamanticError):
            raise self._noted
        return self._noted

    def _forget(self) -> None:
        self._map.show(None, None, 1.0, None)
        self._marks.show(Prompts(), None)
        self._clear_steps()
        scene = self._app.scene
        for node in (self.segmentation, self.volume):
            if node is not None:
                scene.RemoveNode(node)
        self.segmentation = self.volume = None

    def _clear_steps(self) -> None:
        self.is_stepping = True
        self.undo_stack.clear()
        self.is_stepping = False
        self._logic.forget_steps()


def _holds(image: Any, value: int) -> bool:
    scalars = None if image is None else image.GetPointData().GetScalars()
    return scalars is not None and bool((vtk_to_numpy(scalars) == value).any())
