"""The parameters of one `/infer/skin_photo` request -> which classes, how many crops, and in which form to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.answer import ResultFormat
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.map_file import FRACTIONS, read_map_format
from samantic.app.lib.infers.request import axis_and_slice, points_per_label
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume
from samantic.skinphoto.classes import CLASS_NAMES
from samantic.skinphoto.crop_search import MOST
from samantic.vocabulary import load_vocabulary

MAPS = ("labels", "confidence")
MOST_CROPS = 100
PROMPTS = ("foreground", "background", "roi", "boxes")


@dataclass(frozen=True)
class SkinPhotoRequest:
    """One checked request; `classes` in the order of their values, `crops` how many at most."""

    classes: tuple[str, ...]
    crops: int
    map: str
    form: ResultFormat
    window: str | None


def read_skin_photo_request(params: Mapping[str, Any], volume: Volume) -> SkinPhotoRequest:
    """Read and check the parameters. Raises RequestError or UnknownClassError, each with one sentence."""
    check_ordinary_photograph(volume)
    axis_and_slice(params, volume)
    choice = ClassChoice(load_vocabulary(), CLASS_NAMES)
    asked = choice.asked(wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text"))
    prompted = next((key for key in PROMPTS if wire.parsed(params.get(key), key)), None)
    prompted = prompted or next(iter(points_per_label(params, True, choice)), None)
    if prompted is not None:
        raise RequestError(f"skin_photo looks at the whole photograph and takes no '{prompted}'; use segsam for it.")
    wanted = wire.one_of(params.get("map"), "map", MAPS)
    return SkinPhotoRequest(
        classes=asked or CLASS_NAMES,
        crops=wire.number_within(params.get("crops"), "crops", 1, MOST_CROPS, MOST),
        map=wanted,
        form=read_map_format(params, volume, wanted, (".png", *FRACTIONS)),
        window=wire.text(params.get("window"), "window"),
    )


def check_ordinary_photograph(volume: Volume) -> None:
    """RequestError unless the image is one picture from a PNG, JPEG or BMP, with or without colour."""
    if volume.kind != "photograph":
        what = f"a {volume.modality} image of {volume.shape_ijk[2]} slices"
        raise RequestError(f"This is {what}, and skin_photo finds skin in ordinary photographs; use segsam for it.")
