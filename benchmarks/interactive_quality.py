"""How good the bundled model is with a box, one click and five clicks, on images that it was not trained on.

    SAMANTIC_DATA=... python benchmarks/interactive_quality.py [--limit N] [--sheet docs/pictures/first_model.png]

Box: half-open bounds of the structure with every side moved by up to 10 %. Click: the structure's deepest point, then
corrective clicks at the deepest point of the largest error. The rows "ellipse in the box" and "disc at the click" do
not look at the image; the disc's radius is the best one on the validation part (for the DICOM CT, on the training CT).
Slices of one volume count as one group in the intervals. `samantic evaluate` measures the same way and says more.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from results import machine, write_section

from samantic.datasets.development_sets import PARTS, data_folder, image_ids
from samantic.datasets.overlaps import seen_in_training
from samantic.evaluation import SheetTile, write_contact_sheet
from samantic.evaluation.cases import Case, cases_of, drawn, evenly
from samantic.evaluation.evaluation_sets import SET_NAMES, EvaluationSet, named_set
from samantic.evaluation.interactive_protocol import InteractiveProtocol, best_disc_radius, measure
from samantic.evaluation.pictures import best_median_worst
from samantic.evaluation.summary import Summary, summarise
from samantic.segsam import SegSamPredictor

PROTOCOL = InteractiveProtocol(click_limit=5)
DISC_CASES = 150


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--limit", type=int, help="at most so many structures a set, spread evenly")
    arguments.add_argument("--weights", type=Path, help="a checkpoint other than the bundled segsam-tiny")
    arguments.add_argument("--part", default="test", help="val to make choices on")
    arguments.add_argument("--sheet", type=Path, help="write best, median and worst one-click answers here")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    asked = arguments.parse_args()
    predictor = SegSamPredictor.from_checkpoint(asked.weights) if asked.weights else SegSamPredictor.from_bundled()
    table: list[str] = []
    sheet: list[tuple[str, list[SheetTile]]] = []
    for name in SET_NAMES:
        if asked.part == "val" and name == "dicom-ct":
            continue
        rows, tiles = _measured(named_set(name, asked.part), predictor, asked.limit, asked.part)
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
    if not asked.no_results:
        write_section("interactive quality", text)
    if asked.sheet:
        asked.sheet.parent.mkdir(parents=True, exist_ok=True)
        write_contact_sheet(asked.sheet, sheet)


def _measured(
    chosen: EvaluationSet, predictor: SegSamPredictor, limit: int | None, part: str
) -> tuple[list[str], list[SheetTile]]:
    cases = [case for case in cases_of(chosen.views(), chosen.smallest) if case.class_name in predictor.class_names]
    cases = list(evenly(lambda: cases, len(cases), limit))
    assert chosen.disc_views is not None
    radius = best_disc_radius(drawn(cases_of(chosen.disc_views()), DISC_CASES))
    results = measure(predictor, cases, PROTOCOL, radius)
    pictures = best_median_worst(predictor, lambda: cases, results, PROTOCOL)
    tiles = [picture.tile for picture in pictures if picture.prompt == "one click"]
    rows = _rows(chosen.name, summarise(results, PROTOCOL), cases)
    known = _known_lesions_and_persons(chosen.name, part)
    if known:
        kept = [number for number, case in enumerate(cases) if case.group not in known]
        rows += _rows(
            f"{chosen.name}, without lesions and persons of the part train",
            summarise([results[number] for number in kept], PROTOCOL),
            [cases[number] for number in kept],
        )
    return rows, tiles


def _known_lesions_and_persons(name: str, part: str) -> set[str]:
    """Held-out images of which another picture is in the part train (`samantic.datasets.overlaps`)."""
    dataset = {"hippocampus": "msd_hippocampus"}.get(name, name)
    if dataset == "dicom-ct":
        return set()
    folder = data_folder()
    return set(seen_in_training(dataset, {one: image_ids(folder, dataset, one) for one in PARTS}, part))


def _rows(name: str, summary: Summary, cases: list[Case]) -> list[str]:
    shown = {row.prompt: row.dice for row in summary.prompts}
    size = f"{summary.structures} | {summary.groups}"
    saved = 1 - (1 - shown["box"].mean) / (1 - shown["ellipse in the box"].mean)
    highest = summary.targets[-1]
    rows = [
        f"| {name} | box, sides moved by up to 10 % | {shown['box']} | ellipse in it {shown['ellipse in the box']}; "
        f"error {100 * saved:.0f} % below it | {size} |",
        f"| {name} | one click | {shown['one click']} | disc at it {shown['disc at the click']} | {size} |",
        f"| {name} | {PROTOCOL.clicks} clicks | {shown[f'{PROTOCOL.clicks} clicks']} | - | {size} |",
        f"| {name} | {highest.target:.2f} within {PROTOCOL.clicks} clicks | {highest.reached} of the structures | - | "
        f"{size} |",
    ]
    naming = next((row for row in summary.naming if row.prompt == "box"), None)
    if naming is not None:
        counts = Counter(case.class_name for case in cases)
        blind = f"the commonest class: top-1 {max(counts.values()) / len(cases):.3f}, macro {1 / len(counts):.3f}"
        error = naming.reliability.expected_calibration_error
        rows.append(
            f"| {name} | class, box | top-1 {naming.top1}, top-3 {naming.top3}, macro top-1 "
            f"{naming.confusion.macro_top1:.3f}, ECE {error:.3f} | {blind} | {size} |"
        )
    return rows


if __name__ == "__main__":
    main()
