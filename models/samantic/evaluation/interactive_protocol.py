"""How a model is measured with prompts: a box, one click, and corrective clicks by a simulated annotator.

Box: the structure's half-open bounds with every side moved by up to 10 %. Clicks: the structure's deepest point, then
the deepest point of the largest connected error, each answer refined from the one before. The rows beside the model
do not look at the image: the ellipse in the same box, and a disc at the same click.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from samantic.evaluation.cases import Case
from samantic.evaluation.image_blind import disc_at_click, ellipse_in_box
from samantic.evaluation.mask_scores import MaskScores, mask_scores
from samantic.evaluation.overlap import dice
from samantic.segsam import ObjectPrediction, ViewPrompts
from samantic.segsam.interaction import Click, corrective_click, deepest_click, jittered_box

Box = tuple[float, float, float, float]


class PromptedModel(Protocol):
    """What is measured; `samantic.segsam.SegSamPredictor` is one."""

    @property
    def class_names(self) -> tuple[str, ...]: ...

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float]) -> Any: ...

    def decode(self, features: Any, prompts: Sequence[ViewPrompts]) -> list[ObjectPrediction]: ...


@dataclass(frozen=True)
class InteractiveProtocol:
    """What is asked and how strictly it is judged.

    `tolerances` of the surface Dice in mm by domain, `other_tolerance` in pixels for pictures of unknown size;
    `click_limit` ends the search for the clicks that a `target` costs.
    """

    jitter: float = 0.1
    clicks: int = 5
    click_limit: int = 10
    targets: tuple[float, ...] = (0.80, 0.85, 0.90)
    tolerances: dict[str, float] = field(default_factory=lambda: {"ct": 2.0, "mr": 1.0})
    other_tolerance: float = 2.0
    boundary_tolerance_pixels: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.clicks <= self.click_limit:
            raise ValueError(f"The clicks must be 1 to the limit of {self.click_limit}, not {self.clicks}.")

    def tolerance(self, domain: str) -> float:
        return self.tolerances.get(domain, self.other_tolerance)


@dataclass(frozen=True)
class GivenName:
    """The three likeliest names of an answer and the probability of the first among all classes of the model."""

    ranking: tuple[str, ...]
    confidence: float


@dataclass(frozen=True)
class StructureResult:
    """All that was measured on one structure.

    `dice_by_click` goes on until the answer is perfect, or, after the asked clicks, until the highest target or the
    limit is reached. The names are None where the model does not know the structure's class, or names nothing; that it
    is unsure or that the picture is unlike those it learned from, where it says neither.
    """

    image_id: str
    class_name: str
    group: str
    domain: str
    unit: str
    pixels: int
    box_xyxy: Box
    click_xy: tuple[float, float]
    box: MaskScores
    ellipse_in_box: MaskScores
    one_click: MaskScores
    disc_at_click: MaskScores | None
    several_clicks: MaskScores
    dice_by_click: tuple[float, ...]
    box_predicted_iou: float
    click_predicted_iou: float
    box_name: GivenName | None
    click_name: GivenName | None
    box_unsure: bool | None
    click_unsure: bool | None
    out_of_domain: bool | None


def measure(
    model: PromptedModel,
    cases: Iterable[Case],
    protocol: InteractiveProtocol | None = None,
    disc_radius: float | None = None,
    measured: Callable[[StructureResult], None] = lambda _: None,
) -> list[StructureResult]:
    """Measure the cases in their order; `measured` is called after each.

    Cases of one view should follow each other: the picture is encoded once for all of them. `disc_radius` is that of
    the image-blind disc (`best_disc_radius` of other images); without it that row stays empty.
    """
    protocol = protocol or InteractiveProtocol()
    results, known = [], set(model.class_names)
    for _, same in itertools.groupby(cases, key=lambda case: case.view.image_id):
        features: Any = None
        for case in same:
            features = features or model.encode(case.view.image, case.view.spacing_yx_mm)
            results.append(_measured(model, features, case, protocol, disc_radius, case.class_name in known))
            measured(results[-1])
    return results


def answer_to_box(model: PromptedModel, features: Any, case: Case, jitter: float = 0.1) -> tuple[ObjectPrediction, Box]:
    """Return the answer to the case's own jittered box, and the box."""
    box = jittered_box(case.truth, jitter, case.random)
    return model.decode(features, [_prompts([], box)])[0], box


def answers_to_clicks(model: PromptedModel, features: Any, truth: np.ndarray) -> Iterator[ObjectPrediction]:
    """Yield the answer after each click of the simulated annotator; ends after a perfect one."""
    clicks = [deepest_click(truth)]
    answer = model.decode(features, [_prompts(clicks)])[0]
    while True:
        yield answer
        click = corrective_click(truth, answer.mask, None)
        if click is None:
            return
        clicks.append(click)
        answer = model.decode(features, [_prompts(clicks).refining(answer.low_res_logits)])[0]


def best_disc_radius(cases: Iterable[Case]) -> float | None:
    """Return the radius of the disc at the deepest click with the highest mean Dice, in the unit of the spacing.

    Choose it on other images than those measured, or the disc knows what no prompt tells. None without cases.
    """
    radii = np.geomspace(2, 120, 40)
    scores, count = np.zeros(len(radii)), 0
    for case in cases:
        x, y, _ = deepest_click(case.truth)
        discs = (disc_at_click(case.truth.shape, (x, y), radius, case.view.spacing_yx_mm) for radius in radii)
        scores += [dice(disc, case.truth) for disc in discs]
        count += 1
    return float(radii[int(scores.argmax())]) if count else None


def _measured(
    model: PromptedModel,
    features: Any,
    case: Case,
    protocol: InteractiveProtocol,
    disc_radius: float | None,
    nameable: bool,
) -> StructureResult:
    truth, view = case.truth, case.view
    tolerance = protocol.tolerance(view.domain)

    def scores(mask: np.ndarray) -> MaskScores:
        return mask_scores(mask, truth, view.spacing_yx_mm, tolerance, protocol.boundary_tolerance_pixels)

    boxed, box = answer_to_box(model, features, case, protocol.jitter)
    first, several, curve = _clicked(model, features, truth, protocol)
    x, y, _ = deepest_click(truth)
    disc = None if disc_radius is None else disc_at_click(truth.shape, (x, y), disc_radius, view.spacing_yx_mm)
    return StructureResult(
        image_id=view.image_id,
        class_name=case.class_name,
        group=case.group,
        domain=view.domain,
        unit=case.unit,
        pixels=int(truth.sum()),
        box_xyxy=box,
        click_xy=(x, y),
        box=scores(boxed.mask),
        ellipse_in_box=scores(ellipse_in_box(truth.shape, box)),
        one_click=scores(first.mask),
        disc_at_click=None if disc is None else scores(disc),
        several_clicks=scores(several.mask),
        dice_by_click=tuple(curve),
        box_predicted_iou=boxed.predicted_iou,
        click_predicted_iou=first.predicted_iou,
        box_name=_given_name(boxed) if nameable else None,
        click_name=_given_name(first) if nameable else None,
        box_unsure=boxed.unsure,
        click_unsure=first.unsure,
        out_of_domain=None if boxed.familiarity is None else boxed.familiarity.out_of_domain,
    )


def _clicked(
    model: PromptedModel, features: Any, truth: np.ndarray, protocol: InteractiveProtocol
) -> tuple[ObjectPrediction, ObjectPrediction, list[float]]:
    """The answers after one and after the asked clicks, and the Dice after each click."""
    curve: list[float] = []
    answers: list[ObjectPrediction] = []
    for answer in itertools.islice(answers_to_clicks(model, features, truth), protocol.click_limit):
        curve.append(dice(answer.mask, truth))
        if len(answers) < protocol.clicks:
            answers.append(answer)
        if len(curve) >= protocol.clicks and max(curve) >= max(protocol.targets, default=0.0):
            break
    return answers[0], answers[-1], curve


def _given_name(answer: ObjectPrediction) -> GivenName | None:
    ranking = sorted(answer.class_probabilities, key=lambda name: -answer.class_probabilities[name])[:3]
    return GivenName(tuple(ranking), answer.class_confidence) if ranking else None


def _prompts(clicks: Sequence[Click], box: Box | None = None) -> ViewPrompts:
    points = np.array([(x, y) for x, y, _ in clicks], dtype=np.float64).reshape(-1, 2)
    return ViewPrompts(points, np.array([label for *_, label in clicks], dtype=np.int64), box)
