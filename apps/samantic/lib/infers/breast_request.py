"""The parameters of one `/infer/breast` request -> what the file is to hold, and in which form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.answer import ResultFormat
from samantic.app.lib.infers.besadiff_request import KINDS
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.map_file import FRACTIONS, read_map_format
from samantic.app.lib.infers.request import axis_and_slice
from samantic.app.lib.infers.wire import RequestError
from samantic.breast.diagnosis import LESION
from samantic.imaging import Volume
from samantic.vocabulary import load_vocabulary

MAPS = ("labels", "confidence", "attention")
PROMPTS = ("foreground", "background", "roi", "boxes", "label", LESION)


@dataclass(frozen=True)
class BreastRequest:
    """One checked request; `map` is what the file is to hold."""

    map: str
    form: ResultFormat
    window: str | None


def read_breast_request(params: Mapping[str, Any], volume: Volume) -> BreastRequest:
    """Read and check the parameters. Raises RequestError or UnknownClassError, each with one sentence."""
    check_ultrasound(volume)
    axis_and_slice(params, volume)
    ClassChoice(load_vocabulary(), (LESION,)).asked(
        wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text")
    )
    given = next((key for key in PROMPTS if wire.parsed(params.get(key), key)), None)
    if given is not None:
        raise RequestError(f"'{given}' is a prompt, and breast reads the whole picture by itself; use segsam for it.")
    wanted = wire.one_of(params.get("map"), "map", MAPS)
    return BreastRequest(
        map=wanted,
        form=read_map_format(params, volume, wanted, (".png", *FRACTIONS)),
        window=wire.text(params.get("window"), "window"),
    )


def check_ultrasound(volume: Volume) -> None:
    """RequestError unless the image is one picture that may be an ultrasound: grey, or stored in 8-bit colour.

    Whether a grey picture is one cannot be read off its file; the answer says if it looks like none.
    """
    count = volume.shape_ijk[2]
    stored_in_colour = volume.is_rgb and volume.array.dtype == "uint8"
    if count == 1 and (volume.modality == "US" or stored_in_colour):
        return
    slices = "one slice" if count == 1 else f"{count} slices"
    raise RequestError(
        f"This is {KINDS[volume.modality]} image of {slices}, and breast reads single pictures of breast ultrasound; "
        "use segsam or segsam_auto for it."
    )
