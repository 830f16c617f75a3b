"""How good the bundled model is with a box, one click and five clicks, on images that it was not trained on.

    SAMANTIC_DATA=... python benchmarks/interactive_quality.py [--limit N] [--sheet docs/pictures/first_model.png]

Box: half-open bounds of the structure with every side moved by up to 10 %. Click: the structure's deepest point, then
corrective clicks at the deepest point of the largest error. The rows "ellipse in the box" and "disc at the click" do
not look at the image; the disc's radius is the best one on the validation part (for the DICOM CT, on the training CT).
Slices of one volume count as one group in the intervals.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from results import machine, write_section

from samantic.datasets.development_sets import busi, ct, data_folder, dicom_ct, hippocampus, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import (
    SheetTile,
    dice,
    disc_at_click,
    ellipse_in_box,
    mean_with_interval,
    write_contact_sheet,
)
from samantic.segsam import ImageFeatures, ObjectPrediction, SegSamPredictor, ViewPrompts
from samantic.segsam.interaction import corrective_click, deepest_click, jittered_box

CLICKS = 5
SMALLEST_STRUCTURE = 200
"""Voxels in the slice for the DICOM CT; smaller structures are left out, as in the claims."""


@dataclass(frozen=True, eq=False)
class Case:
    """One structure of one view."""

    view: LabelledView
    class_name: str
    truth: np.ndarray

    @property
    def group(self) -> str:
        return self.view.image_id.split("/")[0]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--limit", type=int, help="at most so many structures a set, spread evenly")
    arguments.add_argument("--weights", type=Path, help="a checkpoint other than the bundled segsam-tiny")
    arguments.add_argument("--sheet", type=Path, help="write best, median and worst one-click answers here")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    options = arguments.parse_args()
    predictor = SegSamPredictor.from_checkpoint(options.weights) if options.weights else SegSamPredictor.from_bundled()
    table, sheet = [], []
    for name, test, validation in _sets():
        cases = _spread(list(test), options.limit)
        rows, tiles = _measure(name, cases, predictor, _best_radius(_spread(list(validation), 150)))
        table += rows
        sheet.append((f"{name}: best, median and worst of one click", tiles))
        print("\n".join(rows), flush=True)
    text = "\n".join(
        [
            "Dice, mean (95 % bootstrap interval), on images not trained on.",
            "",
            "| set | prompt | segsam-tiny | image-blind | structures | images |",
            "|---|---|---|---|---|---|",
            *table,
            "",
            f"Machine: {machine()}.",
        ]
    )
    if not options.no_results:
        write_section("interactive quality", text)
    if options.sheet:
        options.sheet.parent.mkdir(parents=True, exist_ok=True)
        write_contact_sheet(options.sheet, sheet)


def _sets() -> Iterator[tuple[str, Iterator[Case], Iterator[Case]]]:
    folder = data_folder()
    yield "dermoscopy", _cases(isic2017(folder, "test")), _cases(isic2017(folder, "val"))
    yield "breast ultrasound", _cases(busi(folder, "test")), _cases(busi(folder, "val"))
    yield "hippocampus MR", _cases(_middle(hippocampus(folder, "test"))), _cases(_middle(hippocampus(folder, "val")))
    yield "DICOM CT", _cases(dicom_ct(folder), SMALLEST_STRUCTURE), _cases(_axial(ct(folder)), 25)


def _cases(views: Iterator[LabelledView], smallest: int = 25) -> Iterator[Case]:
    for view in views:
        for value in np.unique(view.labels):
            truth = view.labels == value
            if value > 0 and truth.sum() >= smallest:
                yield Case(view, view.class_names[value - 1], truth)


def _middle(views: Iterator[LabelledView]) -> Iterator[LabelledView]:
    """The middle labelled slice of each volume along each axis: neighbours show the same thing again."""
    for _, same in itertools.groupby(views, key=lambda view: view.image_id.rsplit("-", 1)[0]):
        stack = list(same)
        yield stack[len(stack) // 2]


def _axial(views: Iterator[LabelledView]) -> Iterator[LabelledView]:
    return (view for view in views if "/axis2-" in view.image_id)


def _spread(cases: list[Case], limit: int | None) -> list[Case]:
    if limit is None or len(cases) <= limit:
        return cases
    return [cases[index] for index in np.linspace(0, len(cases) - 1, limit).astype(int)]


def _best_radius(cases: list[Case]) -> float:
    """The radius of the best image-blind disc: mm where a volume says how large it is, else pixels."""
    radii = np.geomspace(2, 120, 40)
    scores = np.zeros(len(radii))
    for case in cases:
        x, y, _ = deepest_click(case.truth)
        spacing = case.view.spacing_yx_mm
        scores += [dice(disc_at_click(case.truth.shape, (x, y), radius, spacing), case.truth) for radius in radii]
    return float(radii[int(scores.argmax())])


def _measure(
    name: str, cases: list[Case], predictor: SegSamPredictor, radius: float
) -> tuple[list[str], list[SheetTile]]:
    known = [case for case in cases if case.class_name in predictor.class_names]
    scores: dict[str, list[float]] = {key: [] for key in ("box", "ellipse", "click", "disc", "clicks")}
    first, third, answers = [], [], []
    features: tuple[str, ImageFeatures] | None = None
    for index, case in enumerate(known):
        # Seeded by the case: another model meets the same boxes.
        random = np.random.default_rng((7, index))
        if features is None or features[0] != case.view.image_id:
            features = (case.view.image_id, predictor.encode(case.view.image, case.view.spacing_yx_mm))
        box = jittered_box(case.truth, 0.1, random)
        boxed = predictor.decode(features[1], [_prompts([], box)])[0]
        scores["box"].append(dice(boxed.mask, case.truth))
        scores["ellipse"].append(dice(ellipse_in_box(case.truth.shape, box), case.truth))
        x, y, _ = deepest_click(case.truth)
        disc = disc_at_click(case.truth.shape, (x, y), radius, case.view.spacing_yx_mm)
        scores["disc"].append(dice(disc, case.truth))
        one, five = _clicks(predictor, features[1], case)
        scores["click"].append(dice(one.mask, case.truth))
        scores["clicks"].append(dice(five.mask, case.truth))
        ranking = sorted(boxed.class_probabilities, key=lambda item: -boxed.class_probabilities[item])
        first.append(ranking[0] == case.class_name)
        third.append(case.class_name in ranking[:3])
        answers.append((scores["click"][-1], case, one, (x, y)))
    groups = [case.group for case in known]
    shown = {key: str(mean_with_interval(values, groups)) for key, values in scores.items()}
    size = f"{len(known)} | {len(set(groups))}"
    rows = [
        f"| {name} | box, sides moved by up to 10 % | {shown['box']} | ellipse in it {shown['ellipse']} | {size} |",
        f"| {name} | one click | {shown['click']} | disc at it {shown['disc']} | {size} |",
        f"| {name} | {CLICKS} clicks | {shown['clicks']} | - | {size} |",
    ]
    rows.append(f"| {name} | class, box | {_naming(known, first, third)} | {size} |")
    order = sorted(answers, key=lambda answer: -answer[0])
    chosen = [order[position] for position in (0, len(order) // 2, len(order) - 1)]
    return rows, [_tile(*answer) for answer in chosen]


def _naming(cases: list[Case], first: list[bool], third: list[bool]) -> str:
    """Top-1, top-3 and macro top-1 among all classes that the model knows; blind: always the set's commonest class."""
    names, index = np.unique([case.class_name for case in cases], return_inverse=True)
    counts = np.bincount(index)
    macro = float(np.mean(np.bincount(index, weights=first) / counts))
    blind = f"the commonest class: top-1 {counts.max() / len(cases):.3f}, macro {1 / len(names):.3f}"
    return f"top-1 {np.mean(first):.3f}, top-3 {np.mean(third):.3f}, macro top-1 {macro:.3f} | {blind}"


def _clicks(
    predictor: SegSamPredictor, features: ImageFeatures, case: Case
) -> tuple[ObjectPrediction, ObjectPrediction]:
    """The answers after one and after five clicks; a perfect answer needs no further click."""
    clicks = [deepest_click(case.truth)]
    first = answer = predictor.decode(features, [_prompts(clicks)])[0]
    for _ in range(CLICKS - 1):
        click = corrective_click(case.truth, answer.mask, None)
        if click is None:
            break
        clicks.append(click)
        answer = predictor.decode(features, [_prompts(clicks).refining(answer.low_res_logits)])[0]
    return first, answer


def _prompts(
    clicks: list[tuple[float, float, int]], box: tuple[float, float, float, float] | None = None
) -> ViewPrompts:
    points = np.array([(x, y) for x, y, _ in clicks], dtype=np.float64).reshape(-1, 2)
    return ViewPrompts(points, np.array([label for *_, label in clicks], dtype=np.int64), box)


def _tile(score: float, case: Case, answer: ObjectPrediction, click: tuple[float, float]) -> SheetTile:
    name = answer.predicted_class.replace("_", " ")
    caption = f"Dice {score:.2f}  {name}" if name == case.class_name.replace("_", " ") else f"Dice {score:.2f}  {name}?"
    # Of the three windows that the network sees as colours, a reader knows the one for soft tissue.
    image = case.view.image[..., [1, 1, 1]] if case.view.domain == "ct" else case.view.image
    return SheetTile(image, case.truth, answer.mask, caption, case.view.spacing_yx_mm, click_xy=click)


if __name__ == "__main__":
    main()
