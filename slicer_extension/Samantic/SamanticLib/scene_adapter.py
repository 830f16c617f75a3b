"""Desktop Slicer's scene, as a session draws in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from SamanticLib.answers import ClassEntry
from SamanticLib.classes import terminology_entry
from SamanticLib.errors import SamanticError
from SamanticLib.geometry import Extent, IjkToRas, extent_shape, ras_to_ijk
from SamanticLib.label_files import write_label
from SamanticLib.layers import mask_in
from SamanticLib.nodes import ijk_to_local, volume_ijk_to_ras, volume_ijk_to_world, volume_shape, world_to_local
from SamanticLib.prompts import Prompts
from SamanticLib.scene_marks import Marks, UnsureMap
from SamanticLib.scene_segments import SegmentList
from SamanticLib.segmentation import OverwritePolicy, SegmentationLogic
from SamanticLib.segments import CLASS_TAG, TERMINOLOGY_TAG, stable_values, tag
from SamanticLib.session_ports import SceneImage, SceneSegment

STEPS_KEPT = 200


class DesktopScene:
    """`session_ports.SceneAdapter` on a MRML scene.

    load_volume(path): loads a file into the scene and returns its node. show(volume): puts it into the slice views.
    tell(text): says something in passing. Nodes that the person opened are never removed; images that were fetched from
    the server make room for the next one.
    """

    def __init__(
        self,
        scene: Any,
        load_volume: Callable[[Path], Any],
        show: Callable[[Any], None],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._scene = scene
        self._load_volume = load_volume
        self._show = show
        self._tell = tell
        self._logic = SegmentationLogic(scene)
        self._marks = Marks(scene)
        self._map = UnsureMap(scene)
        self._list = SegmentList()
        self._adopted: dict[str, str] = {}
        self._fetched: list[str] = []
        self._steps: list[tuple[int, bool]] = []
        self._taken_back: list[tuple[int, bool]] = []
        self._last_step = 0
        self._observed: tuple[Any, list[int]] = (None, [])
        self._busy = False
        self.image: SceneImage | None = None
        self.volume: Any = None
        self.segmentation: Any = None
        self.on_change: Callable[[], None] = lambda: None
        self.before_paste: Callable[[], None] = lambda: None
        scene.AddObserver(slicer.vtkMRMLScene.EndCloseEvent, lambda *_: self._forget_scene())

    def adopt(self, image_id: str, volume: Any) -> None:
        """Let a volume of the person's own stand for an image of the server; it is not loaded a second time."""
        self._adopted[image_id] = volume.GetID()

    def load_image(self, path: Path, image_id: str) -> SceneImage:
        """Show an image; one that the person adopted is used as it is. SamanticError for a file that holds none."""
        volume = self._scene.GetNodeByID(self._adopted.get(image_id, ""))
        fetched = volume is None
        if volume is None:
            volume = self._load_volume(path)
            if volume is None:
                raise SamanticError(
                    f"The image '{image_id}' cannot be shown: Slicer found no picture in its file; see its error log."
                )
            volume.SetName(image_id)
        shape, matrix = volume_shape(volume), volume_ijk_to_ras(volume)
        self._clear_image()
        self._fetched = [volume.GetID()] if fetched else []
        self.volume = volume
        self.image = SceneImage(image_id, shape, matrix, volume.GetImageData().GetNumberOfScalarComponents() >= 3)
        self.use_segmentation(self._logic.segmentation_for(volume))
        if fetched:
            self._fetched.append(self.segmentation.GetID())
        self._show(volume)
        return self.image

    def use_segmentation(self, segmentation: Any) -> None:
        """Draw into this segmentation from now on, as Segment Editor's effect asks for."""
        if segmentation is self.segmentation:
            return
        self._logic.attach(segmentation, self.volume)
        self.segmentation = segmentation
        self._steps, self._taken_back = [], []
        self._observe(segmentation.GetSegmentation())

    def segment_for(self, entry: ClassEntry) -> str:
        """Return the segment of a class; made where there is none."""
        return self._quietly(lambda: self._logic.segment_for(self._drawn(), entry))

    def tag_class(self, segment_id: str, name: str) -> None:
        """Note of which class a segment is, so that answers of this class are drawn into it."""
        self._quietly(lambda: self._drawn().GetSegmentation().GetSegment(segment_id).SetTag(CLASS_TAG, name))

    def class_of(self, segment_id: str, classes: Iterable[ClassEntry]) -> ClassEntry | None:
        """Return the class that a segment is of, by its tag or its terminology; None where that is none of these."""
        segment = self._drawn().GetSegmentation().GetSegment(segment_id)
        name, terminology = tag(segment, CLASS_TAG), tag(segment, TERMINOLOGY_TAG)
        known = tuple(classes)
        by_name = [entry for entry in known if name and entry.name == name]
        by_code = [entry for entry in known if terminology and terminology_entry(entry) == terminology]
        return next(iter(by_name or by_code), None)

    def segments(self) -> Sequence[SceneSegment]:
        """Return all segments in their order."""
        if self.segmentation is None or self.segmentation.GetScene() is None:
            return ()
        return self._list.of(self.segmentation)

    def crop(self, segment_id: str, extent: Extent) -> np.ndarray:
        """Return what a segment holds in an extent, bool (i, j, k); nothing for one that is not there any more."""
        segmentation = self._drawn()
        if segmentation.GetSegmentation().GetSegment(segment_id) is None:
            return np.zeros(extent_shape(extent), bool)
        return mask_in(segmentation, segment_id, ijk_to_local(self.volume, segmentation), extent)

    def paste(self, segment_id: str, mask: np.ndarray, extent: Extent, overlap: bool) -> int:
        """Let a segment hold this mask in this extent; one step of undo, whose number is returned."""
        policy = OverwritePolicy.ALLOW_OVERLAP if overlap else OverwritePolicy.PROTECT_OTHERS

        def paste() -> bool:
            self.before_paste()
            return self._logic.paste(self._drawn(), segment_id, mask, extent, policy).step is not None

        drew = self._quietly(paste)
        self._last_step += 1
        # An answer that changes no voxel is a step as well, so that undo takes its prompt back.
        self._steps = [*self._steps, (self._last_step, drew)][-STEPS_KEPT:]
        self._taken_back = []
        return self._last_step

    def undo(self) -> int | None:
        """Take one answer back and return its number; SamanticError where nothing of it can be."""
        if not self._steps:
            raise SamanticError("There is no answer to take back.")
        number, drew = self._steps.pop()
        if drew:
            self._said(self._quietly(self._logic.undo))
        self._taken_back.append((number, drew))
        return number

    def redo(self) -> int | None:
        """Draw the answer that was taken back last again and return its number; SamanticError as for undo."""
        if not self._taken_back:
            raise SamanticError("There is no answer to put back.")
        number, drew = self._taken_back.pop()
        if drew:
            self._said(self._quietly(self._logic.redo))
        self._steps.append((number, drew))
        return number

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer to take back."""
        return bool(self._steps) and (self._logic.can_undo or not self._steps[-1][1])

    @property
    def can_redo(self) -> bool:
        """Whether there is an answer to put back."""
        return bool(self._taken_back) and (self._logic.can_redo or not self._taken_back[-1][1])

    def write_labels(self, path: Path) -> Mapping[str, int]:
        """Write all segments that hold something as one label map and return class -> value, the one that stays.

        Segments of one class have one value. Raises SamanticError where segments of two classes hold the same voxel.
        """
        segmentation = self._drawn()
        stable = self._quietly(lambda: stable_values(segmentation))
        made = [segment for segment in self.segments() if not segment.is_empty]
        names: dict[str, int] = {}
        for segment in made:
            names.setdefault(segment.class_name, stable[segment.segment_id])
        values = {segment.segment_id: names[segment.class_name] for segment in made}
        labels = self._logic.label_volume(segmentation, self.volume, values)
        write_label(path, labels, None if path.suffix == ".png" else volume_ijk_to_ras(self.volume))
        return names

    def show_prompts(self, prompts: Prompts) -> None:
        """Draw the marks of the object."""
        self._marks.show(prompts, self.volume)

    def show_stroke(self, points_world: np.ndarray, closed: bool) -> None:
        """Draw the stroke (N, 3) that is being made, or nothing."""
        self._marks.show_stroke(points_world, closed)

    def show_map(self, values: np.ndarray | None, extent: Extent | None, largest: float) -> None:
        """Lay a map over the image, or take it away."""
        self._map.show(values, extent, largest, self.volume)

    def voxels(self, points_world: np.ndarray) -> np.ndarray:
        """Return places (N, 3) of the world as fractional voxels of the image, through any transform."""
        return ras_to_ijk(world_to_local(points_world, self.volume), volume_ijk_to_ras(self.volume))

    def ijk_to_world(self) -> IjkToRas:
        """Return voxel index -> world millimetres of the image."""
        return volume_ijk_to_world(self.volume)

    def _drawn(self) -> Any:
        if self.segmentation is None or self.segmentation.GetScene() is None:
            raise SamanticError("The segmentation was removed from the scene; open the image again.")
        if self.volume is None or self.volume.GetScene() is None:
            raise SamanticError("The image was removed from the scene; open it again.")
        return self.segmentation

    def _quietly(self, action: Callable[[], Any]) -> Any:
        """Do something in the scene that is not the person's doing."""
        before, self._busy = self._busy, True
        try:
            return action()
        finally:
            self._busy = before

    def _said(self, undone: Any) -> None:
        if undone.sentence:
            self._tell(undone.sentence)

    def _observe(self, inner: Any) -> None:
        observed, numbers = self._observed
        for number in numbers:
            observed.RemoveObserver(number)
        events = (inner.SourceRepresentationModified, inner.SegmentAdded, inner.SegmentRemoved)
        self._observed = inner, [inner.AddObserver(event, self._changed) for event in events]

    def _changed(self, *_: Any) -> None:
        if not self._busy:
            self.on_change()

    def _clear_image(self) -> None:
        self._map.show(None, None, 1.0, None)
        self._marks.show(Prompts(), None)
        self.segmentation = self.volume = self.image = None
        for node in map(self._scene.GetNodeByID, self._fetched):
            if node is not None:
                self._quietly(functools.partial(self._scene.RemoveNode, node))

    def _forget_scene(self) -> None:
        self.segmentation = self.volume = self.image = None
        self._adopted, self._fetched = {}, []
        self._steps, self._taken_back = [], []
