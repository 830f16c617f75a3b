"""A case of a data set -> labelled views, and what is wrong with its files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from samantic.datasets.development_sets import slices
from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.layouts.case import Case, DatasetError, Depth, LabelFile, Problem
from samantic.datasets.layouts.stored_grid import read_channel, stored_grid
from samantic.imaging import ImageReadError, SliceView, Volume, read_mask, to_uint8, window_for

NAMED_VALUES = 8  # unknown values that a message names


def views_of(case: Case) -> Iterator[LabelledView]:
    """Yield the picture of a case, or every slice of its volume that shows a label, along all three axes.

    Labels stored with flipped or permuted axes are turned to the image's. Raises DatasetError for files that cannot be
    read, do not lie on the image's voxels or hold values without a meaning. Source: ours.
    """
    names = case.class_names
    try:
        volume = read_channel(case.image, case.channel, case.modality)
        labels = np.zeros(volume.shape_ijk, np.int16)
        for file in case.labels:
            _add(labels, file, _stored_labels(file, case.image, volume), names)
    except ImageReadError as error:
        raise DatasetError(
            f"The image {case.image_id} cannot be used: {error}. `samantic datasets check` lists all problems."
        ) from error
    if volume.kind == "photograph":
        view = SliceView.of(volume, 2, 0)
        picture = to_uint8(view.extract(volume.array), window_for(volume))
        yield LabelledView(case.image_id, case.domain, picture, view.extract(labels), names, view.spacing_yx_mm)
    else:
        yield from slices(case.image_id, case.domain, volume, labels, names)


def problems_of(case: Case, folder: Path, depth: Depth) -> list[Problem]:
    """Return what is wrong with the files of one case, down to `depth`; paths are relative to `folder`."""
    where = case.image.relative_to(folder)
    try:
        grid = stored_grid(case.image)
        if depth is Depth.everything:
            read_channel(case.image, case.channel, case.modality)
    except ImageReadError as error:
        return [Problem(where, str(error))]
    if case.channel >= grid.channels:
        return [Problem(where, f"has {grid.channels} channels; the channel {case.channel} is missing")]
    found = []
    for file in case.labels:
        try:
            _check_shape(file.path, case.image)
            if depth is not Depth.headers:
                _stored_labels(file, case.image, grid.blank())
        except ImageReadError as error:
            found.append(Problem(file.path.relative_to(folder), str(error)))
    return found


def _stored_labels(file: LabelFile, image: Path, reference: Volume) -> np.ndarray:
    """The values as stored, (I, J, K), in the grid of the image; ImageReadError if one of them has no meaning."""
    _check_shape(file.path, image)
    stored = read_mask(file.path, reference)
    unknown = sorted(set(np.unique(stored).tolist()) - set(file.names) - {0})
    if unknown:
        named = ", ".join(map(str, unknown[:NAMED_VALUES])) + (" ..." if len(unknown) > NAMED_VALUES else "")
        allowed = ", ".join(map(str, file.names))
        raise ImageReadError(f"'{file.path.name}' holds the label values {named}; known are 0, {allowed}")
    return stored


def _check_shape(labels: Path, image: Path) -> None:
    # read_mask takes a mask of a part of the image; a data set's label file covers the whole of it.
    own, whole = (stored_grid(path).shape_ras for path in (labels, image))
    if own != whole:
        sizes = [" x ".join(map(str, shape)) for shape in (own, whole)]
        raise ImageReadError(f"'{labels.name}' has {sizes[0]} voxels and its image {sizes[1]}; they must be equal")


def _add(labels: np.ndarray, file: LabelFile, stored: np.ndarray, names: tuple[str, ...]) -> None:
    """Write the numbers of the classes, 1 for the first of `names`, where this file labels them."""
    numbers = np.zeros(max(file.names) + 1, np.int16)
    for value, name in file.names.items():
        numbers[value] = 0 if name is None else names.index(name) + 1
    given = numbers[stored]
    np.copyto(labels, given, where=given > 0)
