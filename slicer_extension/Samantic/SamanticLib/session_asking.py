"""Prompts and answers: what a person shows the model of one object, and what it draws of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from SamanticLib.answers import ClassEntry, SegmentAnswer
from SamanticLib.geometry import Extent, extent_slices
from SamanticLib.prompts import LabelCrop, Prompts
from SamanticLib.session_core import ObjectNow, Plane, SessionCore
from SamanticLib.session_files import write_crop
from SamanticLib.session_geometry import check_lies_in
from SamanticLib.session_models import FREE_TEXT
from SamanticLib.session_object import ObjectLayer, with_answer
from SamanticLib.session_ports import SceneImage


class Asking:
    """From a click to voxels. Source: ours."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core

    def choose(self, entry: ClassEntry, model: str) -> None:
        """Begin an object of a class; the one before is accepted as it is."""
        self.accept()
        now = self._core.now
        now.object = ObjectNow(chosen=entry)
        now.model = model
        now.accepted = False
        self._core.quiet()

    def add(self, prompts: Prompts, plane: Plane) -> None:
        """Take prompts that one more mark was made among; ask where that is wanted."""
        core, now = self._core, self._core.now
        if now.object.chosen is None or now.image is None:
            core.say("error", "Choose a class first, so that the mask gets its name.")
            return
        if now.progress is not None:
            core.say("error", "The model is at work on this object; wait for it, or cancel it.")
            return
        core.update(prompts=replace(prompts, axis=plane[0], slice=plane[1]))
        now.pending, now.submitted = True, False
        now.clicks += 1
        core.scene.show_prompts(core.now.object.prompts)
        if now.live:
            self.ask()

    def ask(self) -> None:
        """Ask the model about the prompts of the slice that was marked last."""
        core, now = self._core, self._core.now
        image, before = now.image, now.object
        if image is None or before.chosen is None or before.prompts.empty:
            core.say("error", "Nothing says where to look; click on the object, draw a box or a scribble.")
            return
        plane = (before.prompts.axis or 0, before.prompts.slice or 0)
        question, start = self._question(image, before, plane)
        params = {**question.to_params(), "multimask": _is_ambiguous(question)}
        if before.chosen.domain == FREE_TEXT:
            params["text"] = before.chosen.label
        asked = replace(before, planes=_with_plane(before.planes, plane), start_masks=start)
        self._send(image, asked, params, question.label_crop(), None if image.is_flat else plane)

    def outline(self) -> None:
        """Let a model that needs no prompt draw the object by itself."""
        now = self._core.now
        if now.image is None or now.object.chosen is None:
            self._core.say("error", "Choose a class first, so that the mask gets its name.")
            return
        self._send(now.image, now.object, {}, None, None)

    def take_reading(self, number: int) -> None:
        """Draw another reading of an ambiguous prompt in place of the answer; one step of undo."""
        now = self._core.now
        before = now.object
        if now.image is None or not 0 <= number < len(before.readings):
            return
        reading = before.readings[number]
        if reading.extent_ijk is not None:
            plane = None if now.image.is_flat else (before.prompts.axis or 0, before.prompts.slice or 0)
            self._draw(before, replace(before, reading=number), reading.mask != 0, reading.extent_ijk, plane)

    def draw_answer(self, before: ObjectNow, after: ObjectNow, answer: SegmentAnswer, plane: Plane | None) -> None:
        """Draw an answer; on one slice, or in place of all that was drawn of the object."""
        image = self._core.now.image
        if image is None:
            return
        if answer.empty or answer.extent_ijk is None:
            # What is there stays: a click that finds nothing is no reason to take somebody's mask away.
            self._core.now.object = after
            return
        check_lies_in(answer, image)
        self._draw(before, after, answer.mask != 0, answer.extent_ijk, plane)

    def accept(self) -> None:
        """Keep what is drawn of the object; the next one begins."""
        core, now = self._core, self._core.now
        if now.object.layer is None and not now.pending:
            return
        core.worker.cancel("click")
        now.accepted = now.accepted or now.object.layer is not None
        now.object = ObjectNow()
        now.pending = now.asking = False
        core.scene.show_prompts(now.object.prompts)
        core.quiet()

    def undo(self) -> None:
        """Take back the last mark that was not answered, or the last step of the scene."""
        core, now = self._core, self._core.now
        core.worker.cancel("click")
        now.asking = False
        if now.pending:
            core.update(prompts=now.object.prompts.without_last())
            now.pending = not now.object.prompts.empty and now.object.answer is None
        else:
            memory = core.memory(core.scene.undo())
            if memory is not None:
                now.object = memory[0]
                now.pending = False
            core.touched()
        core.scene.show_prompts(now.object.prompts)

    def redo(self) -> None:
        """Make the last step that was taken back again."""
        core, now = self._core, self._core.now
        memory = core.memory(core.scene.redo())
        if memory is not None:
            now.object = memory[1]
            now.pending = False
        core.touched()
        core.scene.show_prompts(now.object.prompts)

    def crop_of_planes(self, axis: int) -> LabelCrop | None:
        """Return what the segment holds of the object now on the slices that were asked about, None for nothing."""
        now = self._core.now.object
        if now.layer is None:
            return None
        held = np.array(self._core.scene.crop(now.segment_id, now.layer.extent_ijk), bool)
        held &= ~now.layer.under | now.layer.drawn
        wanted = np.zeros(held.shape[axis], bool)
        first, count = now.layer.extent_ijk[2 * axis], held.shape[axis]
        indices = [index - first for along, index in now.planes if along == axis and 0 <= index - first < count]
        wanted[indices] = True
        shape = [1, 1, 1]
        shape[axis] = count
        held &= wanted.reshape(shape)
        return LabelCrop(held, now.layer.extent_ijk) if held.any() else None

    def _send(
        self,
        image: SceneImage,
        asked: ObjectNow,
        params: Mapping[str, Any],
        crop: LabelCrop | None,
        plane: Plane | None,
    ) -> None:
        core, now = self._core, self._core.now
        client, model, began = core.server, now.model, time.monotonic()
        now.asking = True
        core.quiet()

        def work() -> SegmentAnswer:
            with write_crop(core.folder, crop, image) as path:
                return client.segment(model, image.image_id, dict(params), path)

        def answered(answer: SegmentAnswer) -> None:
            now.asking = False
            if now.image is not image or now.object.chosen is not asked.chosen:
                return
            now.pending = False
            before = replace(now.object, prompts=now.object.answered)
            readings = answer.candidates if len(answer.candidates) > 1 else ()
            milliseconds = 1000 * (time.monotonic() - began)
            after = replace(
                asked,
                answered=asked.prompts,
                answer=answer,
                readings=readings,
                reading=-1,
                milliseconds=milliseconds,
                layer=now.object.layer,
                segment_id=now.object.segment_id,
            )
            self.draw_answer(before, after, answer, plane)

        def failed(_: Exception) -> None:
            now.asking = False

        core.run("click", work, answered, failed)

    def _question(
        self, image: SceneImage, before: ObjectNow, plane: Plane
    ) -> tuple[Prompts, tuple[tuple[Plane, LabelCrop], ...]]:
        """The prompts on one slice; where it was drawn on without any of them, what is drawn is where to start."""
        prompts = _on_plane(before.prompts, plane)
        starts = dict(before.start_masks)
        layer = before.layer
        if plane not in starts and plane not in before.planes and layer is not None and not image.is_flat:
            drawn = _plane_of(layer, plane)
            if drawn is not None:
                starts[plane] = drawn
        if plane in starts:
            prompts = prompts.with_mask(starts[plane])
        return prompts, tuple(starts.items())

    def _draw(self, before: ObjectNow, after: ObjectNow, mask: np.ndarray, extent: Extent, plane: Plane | None) -> None:
        core = self._core
        if after.chosen is None or core.now.image is None:
            return
        segment_id = after.segment_id or core.scene.segment_for(after.chosen)

        def read(area: Extent) -> np.ndarray:
            return core.scene.crop(segment_id, area)

        layer, pasted, area = with_answer(after.layer, mask, extent, plane, read)
        step = core.scene.paste(segment_id, pasted, area, overlap=core.now.image.is_colour)
        core.now.object = replace(after, segment_id=segment_id, layer=layer.seen(read))
        if step is not None:
            core.remember(step, before, core.now.object)
            core.touched()


def _is_ambiguous(prompts: Prompts) -> bool:
    marks = len(prompts.positive_ijk) + len(prompts.negative_ijk) + len(prompts.boxes_ijk)
    return marks == 1 and prompts.scribble is None and prompts.mask is None


def _with_plane(planes: tuple[Plane, ...], plane: Plane) -> tuple[Plane, ...]:
    return (*(other for other in planes if other != plane), plane)


def _on_plane(prompts: Prompts, plane: Plane) -> Prompts:
    axis, index = plane
    scribble = prompts.scribble
    if scribble is not None:
        scribble = _cut(scribble.values, scribble.extent_ijk, plane)
    return Prompts(
        positive_ijk=tuple(point for point in prompts.positive_ijk if point[axis] == index),
        negative_ijk=tuple(point for point in prompts.negative_ijk if point[axis] == index),
        boxes_ijk=tuple(box for box in prompts.boxes_ijk if box[2 * axis] <= index < box[2 * axis + 1]),
        scribble=scribble,
        slice=index,
        axis=axis,
    )


def _plane_of(layer: ObjectLayer, plane: Plane) -> LabelCrop | None:
    return _cut(layer.drawn, layer.extent_ijk, plane)


def _cut(values: np.ndarray, extent: Extent, plane: Plane) -> LabelCrop | None:
    axis, index = plane
    if not extent[2 * axis] <= index < extent[2 * axis + 1]:
        return None
    ends = list(extent)
    ends[2 * axis : 2 * axis + 2] = [index, index + 1]
    slab: Extent = tuple(ends)  # type: ignore[assignment]
    cut = values[extent_slices(slab, extent)]
    return LabelCrop(cut, slab) if cut.any() else None
