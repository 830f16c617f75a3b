"""The parameters of one `/infer/segsam_auto` request -> what to look for, where, how, and in which form to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.answer import ResultFormat
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.map_file import MAPS, read_map_format
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume
from samantic.segsam.automatic import AutomaticOptions, GridOptions
from samantic.segsam.automatic.options import Source

PROMPTS = ("foreground", "background", "roi", "boxes")
LARGEST_GRID = 32


@dataclass(frozen=True)
class AutomaticRequest:
    """One checked request; `map` is what the file is to hold."""

    options: AutomaticOptions
    window: str | None
    map: str
    form: ResultFormat


def read_automatic_request(params: Mapping[str, Any], volume: Volume, choice: ClassChoice) -> AutomaticRequest:
    """Read and check the parameters. Raises RequestError or UnknownClassError, each with one plain sentence."""
    for key in PROMPTS:
        if wire.parsed(params.get(key), key):
            raise RequestError(f"'{key}' is a prompt, and the automatic mode takes none: send it to segsam.")
    wanted = wire.one_of(params.get("map"), "map", MAPS)
    axis, slice_index = _axis_and_slice(params, volume)
    refine = params.get("refine")
    return AutomaticRequest(
        options=AutomaticOptions(
            classes=choice.asked(wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text")),
            source=cast(Source, wire.one_of(params.get("proposals"), "proposals", get_args(Source))),
            refine=None if refine in (None, "") else wire.flag(refine, "refine"),
            axes=None if axis is None else (axis,),
            slice_index=slice_index,
            grid=_grid(params),
            with_confidence=wanted == "confidence",
            with_uncertainty=wanted == "uncertainty",
        ),
        window=wire.text(params.get("window"), "window"),
        map=wanted,
        form=read_map_format(params, volume, wanted),
    )


def _axis_and_slice(params: Mapping[str, Any], volume: Volume) -> tuple[int | None, int | None]:
    axis = None
    if params.get("axis") not in (None, ""):
        axis = wire.whole_number(params["axis"], "axis", "0, 1 or 2 (the voxel axis across the slices)")
        if axis not in (0, 1, 2):
            raise RequestError(f"'axis' is {axis}, but it must be 0, 1 or 2 (the voxel axis across the slices).")
    if volume.kind == "photograph" and axis not in (None, 2):
        raise RequestError(f"'axis' is {axis}, but a photograph has only one view: leave 'axis' out or give 2.")
    if params.get("slice") in (None, ""):
        return axis, None
    across = 2 if axis is None else axis
    count = volume.shape_ijk[across]
    allowed = f"a slice along axis {across}, 0 to {count - 1}"
    index = wire.whole_number(params["slice"], "slice", allowed)
    if index == -1:  # how stock clients say "no slice"
        return axis, None
    if not 0 <= index < count:
        raise RequestError(f"'slice' is {index}, but it must be {allowed}.")
    return across, index


def _grid(params: Mapping[str, Any]) -> GridOptions:
    usual = GridOptions().points
    return GridOptions(points=wire.number_within(params.get("grid_points"), "grid_points", 1, LARGEST_GRID, usual))
