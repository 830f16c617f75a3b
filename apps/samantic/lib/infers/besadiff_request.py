"""The parameters of one `/infer/besadiff` request -> how to sample, from which prompts, and in which form to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samantic.app.lib.infers import wire
from samantic.app.lib.infers.answer import ResultFormat
from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.label_upload import uploaded_label
from samantic.app.lib.infers.map_file import FRACTIONS, MAPS, read_map_format
from samantic.app.lib.infers.request import InferRequest, axis_and_slice, points_per_label, read_request
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume
from samantic.vocabulary import load_vocabulary

LESION = "skin_lesion"
MOST_MEMBERS, MOST_STEPS = 20, 50
MEMBERS, STEPS = 5, 4
LARGEST_SEED = 2**31 - 1
KINDS = {"CT": "a CT", "MR": "an MR", "US": "an ultrasound", "RGB": "a colour", "unknown": "an"}
PROMPTS = ("foreground", "background", "roi", "boxes")


@dataclass(frozen=True)
class BesaDiffRequest:
    """One checked request; `map` is what the file is to hold, `prompted` what points at the lesion, if anything.

    `refine`: SAM redraws what the ensemble found; prompts are never refined again.
    """

    members: int
    steps: int
    seed: int
    refine: bool
    map: str
    form: ResultFormat
    window: str | None
    prompted: InferRequest | None


def read_besadiff_request(params: Mapping[str, Any], volume: Volume) -> BesaDiffRequest:
    """Read and check the parameters. Raises RequestError, PromptError or UnknownClassError, each with one sentence."""
    check_photograph(volume)
    axis_and_slice(params, volume)
    choice = ClassChoice(load_vocabulary(), (LESION,))
    choice.asked(wire.names(params.get("classes"), "classes"), wire.text(params.get("text"), "text"))
    wanted = wire.one_of(params.get("map"), "map", MAPS)
    return BesaDiffRequest(
        members=wire.number_within(params.get("members"), "members", 1, MOST_MEMBERS, MEMBERS),
        steps=wire.number_within(params.get("steps"), "steps", 1, MOST_STEPS, STEPS),
        seed=wire.number_within(params.get("seed"), "seed", 0, LARGEST_SEED, 0),
        refine=params.get("refine") is None or wire.flag(params["refine"], "refine"),
        map=wanted,
        form=read_map_format(params, volume, wanted, (".png", *FRACTIONS)),
        window=wire.text(params.get("window"), "window"),
        prompted=_prompted(params, volume, choice),
    )


def check_photograph(volume: Volume) -> None:
    """RequestError unless the image is one picture in 8-bit colour."""
    count = volume.shape_ijk[2]
    if volume.is_rgb and volume.array.dtype == "uint8" and count == 1:
        return
    if volume.kind == "photograph":
        what = "a picture without colour"
    else:
        slices = "one slice" if count == 1 else f"{count} slices"
        what = f"{KINDS[volume.modality]} image of {slices}"
    raise RequestError(f"This is {what}, and besadiff finds lesions in colour photographs of skin; use segsam for it.")


def _prompted(params: Mapping[str, Any], volume: Volume, choice: ClassChoice) -> InferRequest | None:
    given = any(wire.parsed(params.get(key), key) for key in PROMPTS) or uploaded_label(params) is not None
    if not given and not points_per_label(params, True, choice):
        return None
    asked = read_request(params, volume, choice)
    if len(asked.objects) > 1:
        raise RequestError(
            f"The prompts mean {len(asked.objects)} objects, and besadiff sharpens one lesion a request."
        )
    return asked
