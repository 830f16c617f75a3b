"""From structures to tables: means with intervals, the image-blind rows beside the model's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from samantic.evaluation.class_confusion import ClassConfusion, class_confusion
from samantic.evaluation.clicks_to_target import ClicksToTarget, clicks_to_target
from samantic.evaluation.interactive_protocol import GivenName, InteractiveProtocol, StructureResult
from samantic.evaluation.intervals import MeanWithInterval, mean_with_interval, paired_difference
from samantic.evaluation.mask_scores import MaskScores
from samantic.evaluation.reliability import Reliability, adaptive_reliability, reliability
from samantic.evaluation.unsure_rates import Rate, UnsureRates, unsure_rates

Said = tuple[GivenName | None, bool | None]
"""The name that an answer gave and whether it was unsure of it."""

Choose = Callable[[StructureResult], MaskScores | None]


@dataclass(frozen=True)
class PromptRow:
    """The means of one prompt, answered by the model or without looking at the image."""

    prompt: str
    looks_at_image: bool
    dice: MeanWithInterval
    iou: MeanWithInterval
    surface_dice: MeanWithInterval
    hausdorff95: MeanWithInterval
    boundary_f: MeanWithInterval


@dataclass(frozen=True)
class DifferenceRow:
    """By how much Dice the model is better than what the prompt alone is worth, on the same structures."""

    compared: str
    dice: MeanWithInterval


@dataclass(frozen=True, eq=False)
class NamingRow:
    """How well structures were named after one prompt; `unsure` is None for a model that never says so."""

    prompt: str
    confusion: ClassConfusion
    top1: MeanWithInterval
    top3: MeanWithInterval
    reliability: Reliability
    adaptive: Reliability
    unsure: UnsureRates | None


@dataclass(frozen=True)
class ClassRow:
    """Mean Dice of one class and how often it got its name from a box; None where the model does not know it."""

    class_name: str
    structures: int
    box: float
    one_click: float
    several_clicks: float
    top1: float | None


@dataclass(frozen=True, eq=False)
class Summary:
    """All tables of one evaluation; `out_of_domain` counts images, and is None for a model that does not judge them."""

    structures: int
    images: int
    groups: int
    units: tuple[str, ...]
    prompts: tuple[PromptRow, ...]
    differences: tuple[DifferenceRow, ...]
    targets: tuple[ClicksToTarget, ...]
    naming: tuple[NamingRow, ...]
    classes: tuple[ClassRow, ...]
    out_of_domain: Rate | None


def summarise(results: Sequence[StructureResult], protocol: InteractiveProtocol | None = None) -> Summary:
    """Take the means of structures; intervals are drawn by their `group`. ValueError without structures."""
    if not results:
        raise ValueError("No structure was measured, so there is nothing to summarise.")
    protocol = protocol or InteractiveProtocol()
    groups = [result.group for result in results]
    several = f"{protocol.clicks} clicks"
    rows: list[tuple[str, bool, Choose]] = [
        ("box", True, lambda result: result.box),
        ("ellipse in the box", False, lambda result: result.ellipse_in_box),
        ("one click", True, lambda result: result.one_click),
        ("disc at the click", False, lambda result: result.disc_at_click),
        (several, True, lambda result: result.several_clicks),
    ]
    pairs: list[tuple[str, Choose, Choose]] = [
        ("box minus ellipse in it", lambda result: result.box, lambda result: result.ellipse_in_box),
        ("one click minus disc at it", lambda result: result.one_click, lambda result: result.disc_at_click),
    ]
    curves = [result.dice_by_click for result in results]
    named = [
        _naming("box", results, lambda result: (result.box_name, result.box_unsure)),
        _naming("one click", results, lambda result: (result.click_name, result.click_unsure)),
    ]
    return Summary(
        structures=len(results),
        images=len({result.image_id for result in results}),
        groups=len(set(groups)),
        units=tuple(sorted({result.unit for result in results})),
        prompts=tuple(row for row in (_prompt(*one, results, groups) for one in rows) if row is not None),
        differences=tuple(row for row in (_difference(*one, results, groups) for one in pairs) if row is not None),
        targets=tuple(clicks_to_target(curves, target, protocol.click_limit, groups) for target in protocol.targets),
        naming=tuple(row for row in named if row is not None),
        classes=_classes(results),
        out_of_domain=_out_of_domain(results),
    )


def _prompt(
    prompt: str, looks: bool, choose: Choose, results: Sequence[StructureResult], groups: Sequence[str]
) -> PromptRow | None:
    chosen = [scores for result in results if (scores := choose(result)) is not None]
    if len(chosen) != len(results):
        return None

    def mean(values: list[float]) -> MeanWithInterval:
        return mean_with_interval(values, groups)

    return PromptRow(
        prompt=prompt,
        looks_at_image=looks,
        dice=mean([scores.dice for scores in chosen]),
        iou=mean([scores.iou for scores in chosen]),
        surface_dice=mean([scores.surface_dice for scores in chosen]),
        hausdorff95=mean([scores.hausdorff95 for scores in chosen]),
        boundary_f=mean([scores.boundary_f for scores in chosen]),
    )


def _difference(
    compared: str, first: Choose, second: Choose, results: Sequence[StructureResult], groups: Sequence[str]
) -> DifferenceRow | None:
    pairs = [(one.dice, other.dice) for result in results if (one := first(result)) and (other := second(result))]
    if len(pairs) != len(results):
        return None
    return DifferenceRow(compared, paired_difference([one for one, _ in pairs], [other for _, other in pairs], groups))


def _naming(
    prompt: str, results: Sequence[StructureResult], choose: Callable[[StructureResult], Said]
) -> NamingRow | None:
    said = [(result, *choose(result)) for result in results]
    named = [(result, name) for result, name, _ in said if name is not None]
    if not named:
        return None
    truth, groups = [result.class_name for result, _ in named], [result.group for result, _ in named]
    first = [name.ranking[0] == result.class_name for result, name in named]
    third = [result.class_name in name.ranking for result, name in named]
    confidences = [name.confidence for _, name in named]
    return NamingRow(
        prompt=prompt,
        confusion=class_confusion(truth, [name.ranking for _, name in named]),
        top1=mean_with_interval([float(right) for right in first], groups),
        top3=mean_with_interval([float(right) for right in third], groups),
        reliability=reliability(confidences, first),
        adaptive=adaptive_reliability(confidences, first),
        unsure=_unsure(said),
    )


def _unsure(said: Sequence[tuple[StructureResult, GivenName | None, bool | None]]) -> UnsureRates | None:
    doubts = [doubt for *_, doubt in said if doubt is not None]
    if len(doubts) < len(said):
        return None
    correct = [None if name is None else name.ranking[0] == result.class_name for result, name, _ in said]
    return unsure_rates(doubts, correct)


def _out_of_domain(results: Sequence[StructureResult]) -> Rate | None:
    judged = {result.image_id: result.out_of_domain for result in results if result.out_of_domain is not None}
    return Rate(sum(judged.values()), len(judged)) if judged else None


def _classes(results: Sequence[StructureResult]) -> tuple[ClassRow, ...]:
    rows = []
    for name in sorted({result.class_name for result in results}):
        mine = [result for result in results if result.class_name == name]
        named = [result.box_name.ranking[0] == name for result in mine if result.box_name is not None]
        rows.append(
            ClassRow(
                class_name=name,
                structures=len(mine),
                box=_mean([result.box.dice for result in mine]),
                one_click=_mean([result.one_click.dice for result in mine]),
                several_clicks=_mean([result.several_clicks.dice for result in mine]),
                top1=_mean(named) if named else None,
            )
        )
    return tuple(rows)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
