"""Images and their labels as pictures: what a round learns from and is measured on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.studies import LabelledImage
from samantic.imaging import ImageReadError, SliceView, Volume, read_mask, read_volume, to_uint8, window_for
from samantic.segsam.training.retraining.slices import chosen_slices, evenly
from samantic.student.config import StudentConfig
from samantic.student.suitability import unsuitable
from samantic.training import TrainingError

EMPTY_SHARE = 0.2
"""Of a volume's slices that show nothing."""


@dataclass(frozen=True, eq=False)
class Material:
    """Views by the id of their image: `learned` from and `validation`; `unlabelled` pictures, of so many images.

    `left_out` says in one line each what is not used, and why.
    """

    learned: dict[str, list[LabelledView]] = field(default_factory=dict)
    validation: dict[str, list[LabelledView]] = field(default_factory=dict)
    unlabelled: list[np.ndarray] = field(default_factory=list)
    unlabelled_images: int = 0
    left_out: tuple[str, ...] = ()


class PictureReader:
    """Reads images as the pictures that a student sees, at most `slices` of a volume."""

    def __init__(self, config: StudentConfig, slices: int, go_on: Callable[[], None]) -> None:
        """`go_on` is called before each image, and may raise."""
        self._config, self._slices, self._go_on = config, slices, go_on
        self.left_out: list[str] = []

    def labelled(self, images: Sequence[LabelledImage], most: int) -> dict[str, list[LabelledView]]:
        """The views of at most `most` images; those that cannot be used are told of in `left_out`."""
        chosen = [images[index] for index in evenly(range(len(images)), most)]
        if len(chosen) < len(images):
            self.left_out.append(
                f"{len(images) - len(chosen)} of {len(images)} images are left out: {most} are enough."
            )
        found = {}
        for image in chosen:
            self._go_on()
            try:
                found[image.image_id] = self._views(image)
            except ImageReadError as error:
                self.left_out.append(f"'{image.image_id}' is left out: {error}.")
        return found

    def unlabelled(self, paths: Sequence[Path], most: int) -> tuple[list[np.ndarray], int]:
        """The pictures of at most `most` images without a label, and of how many images they are."""
        pictures, count = list[np.ndarray](), 0
        for index in evenly(range(len(paths)), most):
            self._go_on()
            try:
                volume = self._suitable(paths[index])
            except ImageReadError:
                # Nobody said that it was for this student.
                continue
            count += 1
            for axis, some in self._by_axis(volume):
                for place in evenly(range(volume.shape_ijk[axis]), some):
                    pictures.append(_picture(volume, SliceView.of(volume, axis, place)))
        return pictures, count

    def _views(self, image: LabelledImage) -> list[LabelledView]:
        names = self._config.class_names
        missing = sorted(set(names) - set(image.class_of_value.values()))
        if missing:
            raise ImageReadError(f"its label does not say where {', '.join(missing)} is, or that it is nowhere")
        volume = self._suitable(image.image)
        stored = read_mask(image.label, volume)
        labels = np.zeros(stored.shape, np.int16)
        for value, name in image.class_of_value.items():
            if name in names:
                labels[stored == value] = names.index(name) + 1
        views = []
        for axis, count in self._by_axis(volume):
            shows = labels.any(axis=tuple({0, 1, 2} - {axis}))
            for index in chosen_slices(shows, count, EMPTY_SHARE):
                view = SliceView.of(volume, axis, index)
                picture = _picture(volume, view)
                key = f"{image.image_id}/{view.key}"
                views.append(
                    LabelledView(key, self._config.domain, picture, view.extract(labels), names, view.spacing_yx_mm)
                )
        return views

    def _by_axis(self, volume: Volume) -> list[tuple[int, int]]:
        """Each axis that is cut, and into how many slices at most."""
        axes = (2,) if volume.shape_ijk[2] == 1 else self._config.axes
        return [(axis, max(1, self._slices // len(axes))) for axis in axes]

    def _suitable(self, path: Path) -> Volume:
        volume = read_volume(path)
        why = unsuitable(self._config, volume)
        if why is not None:
            raise ImageReadError(f"it {why}")
        return volume


def material_of(
    views: dict[str, list[LabelledView]],
    held_out: Collection[str],
    unlabelled: tuple[list[np.ndarray], int],
    left_out: Sequence[str],
) -> Material:
    """Sort views by their image; without any `held_out` id, what is learned from is measured on as well.

    TrainingError: nothing is left to learn from.
    """
    learned = {image_id: some for image_id, some in views.items() if image_id not in held_out}
    if not learned:
        reasons = " ".join(left_out) or "no image with a label of the student's classes is left for training."
        raise TrainingError(f"There is nothing to learn from: {reasons}")
    validation = {image_id: some for image_id, some in views.items() if image_id in held_out} or learned
    return Material(learned, validation, *unlabelled, left_out=tuple(left_out))


def _picture(volume: Volume, view: SliceView) -> np.ndarray:
    return to_uint8(view.extract(volume.array), window_for(volume))
