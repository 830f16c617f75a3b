"""The best, the median and the worst answer, asked again so that a long evaluation need not keep pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from samantic.evaluation.cases import Case
from samantic.evaluation.contact_sheet import SheetTile
from samantic.evaluation.interactive_protocol import (
    InteractiveProtocol,
    PromptedModel,
    StructureResult,
    answer_to_box,
    answers_to_clicks,
)


@dataclass(frozen=True, eq=False)
class Picture:
    """One answer to look at: the prompt, "box" or "one click", its place among all answers, and the painted tile."""

    prompt: str
    place: str
    tile: SheetTile
    result: StructureResult


def best_median_worst(
    model: PromptedModel,
    cases: Callable[[], Iterable[Case]],
    results: Sequence[StructureResult],
    protocol: InteractiveProtocol | None = None,
) -> list[Picture]:
    """Return up to three pictures for the box and for one click, by Dice; `cases` opens the measured cases again."""
    protocol = protocol or InteractiveProtocol()
    wanted = [
        *(("box", place, result) for place, result in _chosen(results, lambda result: result.box.dice)),
        *(("one click", place, result) for place, result in _chosen(results, lambda result: result.one_click.dice)),
    ]
    keys = {_key(result) for *_, result in wanted}
    found: dict[tuple[str, str], tuple[Case, Any]] = {}
    for case in cases():
        if (key := (case.view.image_id, case.class_name)) in keys:
            found[key] = case, model.encode(case.view.image, case.view.spacing_yx_mm)
            if len(found) == len(keys):
                break
    return [
        Picture(prompt, place, _tile(model, *found[_key(result)], prompt, result, protocol), result)
        for prompt, place, result in wanted
    ]


def _chosen(
    results: Sequence[StructureResult], dice_of: Callable[[StructureResult], float]
) -> list[tuple[str, StructureResult]]:
    order = sorted(results, key=lambda result: -dice_of(result))
    places = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1}
    # Of one or two structures no picture is shown twice.
    names = ("best", "worst")[: len(order)] if len(order) < 3 else tuple(places)
    return [(name, order[places[name]]) for name in names]


def _key(result: StructureResult) -> tuple[str, str]:
    return result.image_id, result.class_name


def _tile(
    model: PromptedModel,
    case: Case,
    features: Any,
    prompt: str,
    result: StructureResult,
    protocol: InteractiveProtocol,
) -> SheetTile:
    # Of the three windows that the network sees as colours, a reader knows the one for soft tissue.
    image = case.view.image[..., [1, 1, 1]] if case.view.domain == "ct" else case.view.image
    if prompt == "box":
        answer, box = answer_to_box(model, features, case, protocol.jitter)
        score, click = result.box.dice, None
    else:
        answer, box = next(answers_to_clicks(model, features, case.truth)), None
        score, click = result.one_click.dice, result.click_xy
    said = answer.predicted_class.replace("_", " ")
    caption = f"Dice {score:.2f}  {said}{'' if said == case.class_name.replace('_', ' ') or not said else '?'}"
    return SheetTile(image, case.truth, answer.mask, caption.strip(), case.view.spacing_yx_mm, click, box)
