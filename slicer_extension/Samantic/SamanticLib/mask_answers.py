"""An answer of two parts, JSON and an NRRD file -> a mask that lies where the server says it lies, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from SamanticLib.answers import Candidate, MapAnswer, SegmentAnswer, StructureFound
from SamanticLib.errors import BadAnswer
from SamanticLib.fields import Fields
from SamanticLib.multipart import parts_of
from SamanticLib.nrrd import MAX_BYTES, NrrdImage, read_nrrd
from SamanticLib.transport import Reply

FARTHEST_OFF = 0.1
"""Of a voxel; files keep about seven digits."""

LARGEST_OF_MAP = {"confidence": 1.0, "uncertainty": 1.0, "variance": 0.25}


def two_parts(reply: Reply) -> tuple[Any, bytes]:
    """Return the JSON and the file of a multipart answer. Raises BadAnswer where one is missing."""
    if "multipart/" not in reply.content_type:
        reply.json()
        raise BadAnswer("The server answered without a mask. Ask again, or tell who runs the server.")
    parts = parts_of(reply.content, reply.content_type)
    if "params" not in parts or "image" not in parts:
        raise BadAnswer(f"The server's answer has the parts {', '.join(parts)}; 'params' and 'image' were to come.")
    return Reply(parts["params"], "application/json").json(), parts["image"]


def segment_answer(result: Any, file: bytes, image_id: str) -> SegmentAnswer:
    """Return the mask and what is said of it.

    Raises BadAnswer where the file has another size than `written_extent`, where something is drawn that `extent` does
    not hold or the other way round, where a value has no name, and for another image than `image_id`.
    """
    fields = _of_image(result, image_id)
    image, written = _image_at_extent(fields, file)
    mask, names = image.values, _label_names(fields)
    if mask.dtype.kind != "u":
        raise BadAnswer("A mask came with fractions; whole numbers were to come.")
    _check_drawn(mask, written, fields.extent("extent"), names)
    if written is None:
        mask = np.zeros((0, 0, 0), np.uint8)
    return SegmentAnswer(
        mask=mask,
        extent_ijk=written,
        label_names=names,
        predicted_class=fields.optional_text("predicted_class"),
        class_confidence=fields.optional_number("class_confidence"),
        unsure=fields.flag("unsure"),
        out_of_domain=fields.flag("out_of_domain"),
        class_probabilities=fields.numbers("class_probabilities"),
        presence=fields.numbers("presence"),
        quality=fields.optional_number("quality"),
        candidates=_candidates(fields),
        slice=fields.optional_whole("slice"),
        axis=fields.optional_whole("axis"),
        empty=fields.extent("extent") is None,
        propagation=fields.raw.get("propagation") and fields.fields("propagation").raw,
        model=fields.text("model", ""),
        weights_hash=fields.text("weights_hash", ""),
        latencies=fields.numbers("latencies"),
        boundary_confidence=fields.optional_number("boundary_confidence"),
        structures=tuple(_structure(one) for one in fields.each("structures")),
        image_id=image_id,
        ijk_to_ras=None if written is None else image.ijk_to_ras,
        raw=fields.raw,
    )


def check_lies_on(answer: SegmentAnswer | MapAnswer, ijk_to_ras: np.ndarray) -> None:
    """Check that an answer's own geometry is that of the image (4, 4) here: its voxels lie on those of `extent_ijk`.

    An answer without voxels or geometry passes. Raises BadAnswer where a corner is off by more than a tenth of a voxel,
    as when the image was loaded here with other axes than at the server.
    """
    if answer.extent_ijk is None or answer.ijk_to_ras is None:
        return
    i0, i1, j0, j1, k0, k1 = answer.extent_ijk
    lower = np.array([i0, j0, k0, 0.0])
    corners = np.array([[i, j, k, 1] for i in (0, i1 - i0) for j in (0, j1 - j0) for k in (0, k1 - k0)], np.float64)
    found = corners @ (np.linalg.inv(np.asarray(ijk_to_ras, np.float64)) @ answer.ijk_to_ras).T
    off = float(np.abs(found - corners - lower).max())
    if off > FARTHEST_OFF:
        what = "map" if isinstance(answer, MapAnswer) else "mask"
        raise BadAnswer(
            f"The {what} lies {off:.1f} voxels away from where the image '{answer.image_id}' has it; it was not used. "
            "Is the image that is open the one of the server?"
        )


def map_answer(result: Any, file: bytes, image_id: str, kind: str) -> MapAnswer:
    """Return a map of fractions. kind: what was asked for, "uncertainty" or "confidence". Raises BadAnswer."""
    fields = _of_image(result, image_id)
    if fields.text("map", kind) != kind:
        raise BadAnswer(f"A map of {kind} was to come, but one of {fields.text('map')} came.")
    image, written = _image_at_extent(fields, file)
    # The variance of masks of 0 and 1 is at most a quarter; besadiff's map of uncertainty is one.
    of_members = kind == "uncertainty" and "mean_variance" in fields.raw
    largest = LARGEST_OF_MAP["variance" if of_members else kind]
    values = image.values
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        raise BadAnswer(f"A map of {kind} came with values that are no numbers.")
    if values.min() < -1e-4 or values.max() > largest + 1e-4:
        raise BadAnswer(f"A map of {kind} came with values from {values.min():g} to {values.max():g}, past {largest}.")
    return MapAnswer(
        values=values if written is not None else np.zeros((0, 0, 0), np.float32),
        extent_ijk=written,
        kind=kind,
        largest=largest,
        model=fields.text("model", ""),
        weights_hash=fields.text("weights_hash", ""),
        image_id=image_id,
        ijk_to_ras=None if written is None else image.ijk_to_ras,
        raw=fields.raw,
    )


def _of_image(result: Any, image_id: str) -> Fields:
    fields = Fields(result, "the answer")
    if fields.text("image", image_id) != image_id:
        raise BadAnswer(f"The answer is about the image '{fields.text('image')[:80]}', not about '{image_id}'.")
    return fields


def _image_at_extent(fields: Fields, file: bytes) -> tuple[NrrdImage, tuple[int, int, int, int, int, int] | None]:
    if "written_extent" not in fields.raw:
        raise BadAnswer("The answer does not say where its mask lies ('written_extent' is missing).")
    written = fields.extent("written_extent")
    if written is None:  # a crop of nothing is one empty voxel
        image = read_nrrd(file, (1, 1, 1))
        return image, None
    i0, i1, j0, j1, k0, k1 = written
    shape = (i1 - i0, j1 - j0, k1 - k0)
    if shape[0] * shape[1] * shape[2] > MAX_BYTES:
        raise BadAnswer(f"A mask of {' x '.join(map(str, shape))} voxels was announced, which is more than is read.")
    return read_nrrd(file, shape), written


def _label_names(fields: Fields) -> dict[str, int]:
    names = fields.fields("label_names")
    values = {name: names.whole(name) for name in names.raw}
    if any(not 0 < value <= 65535 for value in values.values()) or len(set(values.values())) < len(values):
        raise BadAnswer(f"The answer names the values of its mask '{str(values)[:80]}', which cannot be.")
    return values


def _check_drawn(
    mask: np.ndarray,
    written: tuple[int, int, int, int, int, int] | None,
    said: tuple[int, int, int, int, int, int] | None,
    names: Mapping[str, int],
) -> None:
    drawn = _bounds(mask, written or (0, 1, 0, 1, 0, 1))
    if drawn != said:
        raise BadAnswer(
            f"The answer says it drew in {_voxels(said)}, but its mask does in {_voxels(drawn)}; it was not used."
        )
    if drawn is None:
        return
    unnamed = set(np.flatnonzero(np.bincount(mask.ravel(order="K")))) - {0, *names.values()}
    if unnamed:
        raise BadAnswer(f"The mask holds the value {min(unnamed)}, which the answer does not name; it was not used.")


def _bounds(mask: np.ndarray, lower: tuple[int, int, int, int, int, int]) -> tuple[int, int, int, int, int, int] | None:
    bounds: list[int] = []
    for axis in range(3):
        there = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(there):
            return None
        bounds += [int(there[0]) + lower[2 * axis], int(there[-1]) + 1 + lower[2 * axis]]
    i0, i1, j0, j1, k0, k1 = bounds
    return i0, i1, j0, j1, k0, k1


def _voxels(extent: tuple[int, int, int, int, int, int] | None) -> str:
    return "no voxel" if extent is None else f"the voxels {list(extent)}"


def _candidates(fields: Fields) -> tuple[Candidate, ...]:
    """The alternatives of the first object; with several objects each has a list of its own."""
    lists = fields.raw.get("candidates") or []
    if not isinstance(lists, list):
        raise BadAnswer("The answer has alternatives that are no list.")
    first = Fields({"candidates": lists[0]}, "the alternatives") if lists else fields
    return tuple(_candidate(one) for one in first.each("candidates")) if lists else ()


def _candidate(fields: Fields) -> Candidate:
    extent, runs = fields.extent("extent"), fields.raw.get("runs") or []
    quality = fields.optional_number("quality") or 0.0
    if extent is None:
        return Candidate(quality, np.zeros((0, 0, 0), bool), None)
    i0, i1, j0, j1, k0, k1 = extent
    shape = (i1 - i0, j1 - j0, k1 - k0)
    count = shape[0] * shape[1] * shape[2]
    good = isinstance(runs, list) and all(isinstance(run, int) and 0 <= run <= count for run in runs)
    if not good or sum(runs) != count or count > MAX_BYTES:
        raise BadAnswer("The answer has an alternative whose runs do not fill its extent.")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return Candidate(quality, flat.reshape(shape, order="F"), extent)


def _structure(fields: Fields) -> StructureFound:
    return StructureFound(
        class_name=fields.text("class"),
        value=fields.whole("value"),
        voxels=fields.whole("voxels"),
        extent_ijk=fields.extent("extent"),
        confidence=fields.optional_number("confidence"),
        predicted_class=fields.optional_text("predicted_class"),
        class_confidence=fields.optional_number("class_confidence"),
        unsure=fields.flag("unsure"),
    )
