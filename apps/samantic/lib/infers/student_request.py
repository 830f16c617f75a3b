"""The parameters of one `/infer/student…` request -> what the file is to hold, and in which form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.answer import ResultFormat
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.map_file import FRACTIONS, MAPS, read_map_format
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume
from samantic.student import StudentConfig
from samantic.student.suitability import unsuitable
from samantic.vocabulary import load_vocabulary

PROMPTS = ("foreground", "background", "roi", "boxes", "label")
NO_SLICE = (None, "", -1, "-1")


@dataclass(frozen=True)
class StudentRequest:
    """One checked request; `map` is what the file is to hold, `axes` along which to look, None for the usual ones."""

    map: str
    form: ResultFormat
    window: str | None
    axes: tuple[int, ...] | None


def read_student_request(params: Mapping[str, Any], volume: Volume, config: StudentConfig) -> StudentRequest:
    """Read and check the parameters. Raises RequestError or UnknownClassError, each with one sentence."""
    why = unsuitable(config, volume)
    if why is not None:
        raise RequestError(f"The image {why}, which this student is for; use segsam or segsam_auto for it.")
    given = next((key for key in PROMPTS if wire.parsed(params.get(key), key)), None)
    if given is not None:
        raise RequestError(f"'{given}' is a prompt, and a student reads the image by itself; use segsam for it.")
    if params.get("slice") not in NO_SLICE and volume.kind != "photograph":
        raise RequestError("'slice' names a single slice, and a student segments the whole image; leave it out.")
    ClassChoice(load_vocabulary(), config.class_names).asked(
        wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text")
    )
    wanted = wire.one_of(params.get("map"), "map", MAPS)
    extensions = (".png", *FRACTIONS) if volume.kind == "photograph" else FRACTIONS
    return StudentRequest(
        map=wanted,
        form=read_map_format(params, volume, wanted, extensions),
        window=wire.text(params.get("window"), "window"),
        axes=_axes(params),
    )


def _axes(params: Mapping[str, Any]) -> tuple[int, ...] | None:
    if params.get("axis") in (None, ""):
        return None
    allowed = "0, 1 or 2 (the voxel axis across the slices)"
    axis = wire.whole_number(params["axis"], "axis", allowed)
    if axis not in (0, 1, 2):
        raise RequestError(f"'axis' is {axis}, but it must be {allowed}.")
    return (axis,)
