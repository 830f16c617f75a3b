"""Crops of photographs of skin: how fast they are found, and how good they are on made-up photographs.

    SAMANTIC_DATA=... python benchmarks/skinphoto.py search
    SAMANTIC_DATA=... python benchmarks/skinphoto.py quality [--weights FILE] [--part val] [--pictures FOLDER]
    SAMANTIC_DATA=... python benchmarks/skinphoto.py classes [--weights FILE] [--part val]

search: the crop search beside brute force (`skinphoto_brute_force.py`), which must find the same. quality: skin and
lesion IoU and crops on composites of lesions that were not learned from; a crop is right if it keeps the rule in truth,
too. classes: a classifier learned from originals, automatic crops and manual crops of two made-up diseases; it shows
that the comparison runs and says nothing about real diseases. No figure here is about real clinical photographs: no set
of them with both masks is openly licensed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from results import machine, write_section
from skinphoto_brute_force import crops_by_brute_force

from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import data_folder
from samantic.evaluation import intersection_over_union, mean_with_interval
from samantic.skinphoto.classes import BACKGROUND, LESION
from samantic.skinphoto.classifier import CropClassifierOptions, LabelledPicture, compared
from samantic.skinphoto.classifier.synthetic_classes import SyntheticCase, synthetic_cases
from samantic.skinphoto.crop_search import Crop, CropSearch
from samantic.skinphoto.photograph_crops import photograph_crops
from samantic.skinphoto.segmenter import SkinSegmenter
from samantic.skinphoto.training.bundled import composites_of, lesions_of
from samantic.skinphoto.training.skin_photo_sheet import write_sheet

SEARCHED, MEASURED, LEARNED, TESTED = 20, 300, 400, 120
SEEDS = {"search": 71, "quality": 72, "learned": 73, "tested": 74}
SHAPE = (240, 320)


def search_section(part: str) -> str:
    """Milliseconds of both searches on the true labels of composites; RuntimeError where they differ."""
    search, fast, slow, found = CropSearch(), [], [], 0
    for composite in composites_of(lesions_of(data_folder(), part), SEARCHED, SEEDS["search"], SHAPE):
        crops, seconds = _timed(search.crops, composite.labels, 5)
        same, patience = _timed(lambda labels: crops_by_brute_force(labels, search), composite.labels, 1)
        if crops != same:
            raise RuntimeError(f"The searches differ: {crops} and {same}.")
        found += len(crops)
        fast.append(seconds)
        slow.append(patience)
    ratios = np.array(slow) / np.array(fast)
    windows = sum((SHAPE[0] - side + 1) * (SHAPE[1] - side + 1) for side in search.sides_of(SHAPE))
    return (
        f"{SEARCHED} label maps of {SHAPE[1]}x{SHAPE[0]} pixels, {windows} windows each, {found} crops in all, the "
        f"same by both. CPU milliseconds a map, median: integral image {1000 * np.median(fast):.2f}, brute force "
        f"{1000 * np.median(slow):.0f}; {np.median(ratios):.0f} times faster, at least {ratios.min():.0f}."
    )


def quality_section(segmenter: SkinSegmenter, part: str, pictures: Path | None) -> str:
    """IoU of skin with lesions and of lesions, by picture and over all pixels; crops that keep the rule in truth."""
    composites = composites_of(lesions_of(data_folder(), part), MEASURED, SEEDS["quality"], SHAPE)
    search = CropSearch()
    by_picture: dict[str, list[float]] = {"skin": [], "lesion": []}
    pixels = {name: np.zeros(2) for name in by_picture}
    right: list[float] = []
    with_crop, with_true_crop = 0, 0
    for composite in composites:
        answer = segmenter.segment(composite.image)
        found, truth = answer.labels(SHAPE), composite.labels
        for name, predicted, true in (
            ("skin", found != BACKGROUND, truth != BACKGROUND),
            ("lesion", found == LESION, truth == LESION),
        ):
            if true.any():
                by_picture[name].append(intersection_over_union(predicted, true))
            pixels[name] += np.count_nonzero(predicted & true), np.count_nonzero(predicted | true)
        crops = photograph_crops(answer, SHAPE, search)
        for crop in crops:
            right.append(float(search.rule.accepts(_cut(truth, crop.left, crop.top, crop.side))))
        possible = bool(search.crops(truth))
        with_true_crop += possible
        with_crop += possible and bool(crops)
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        write_sheet(segmenter, composites[:24], pictures / "skin_photo.png")
    lines = ["| | mean by picture that shows it | over all pixels |", "|---|---|---|"]
    for name, values in by_picture.items():
        overlap, union = pixels[name]
        lines.append(f"| {name} IoU | {mean_with_interval(values)} | {overlap / max(1, union):.3f} |")
    told = f"{mean_with_interval(right)} of {len(right)} crops" if right else "no crop was returned"
    return (
        f"{len(composites)} composites with lesions of the part {part}, {SHAPE[1]}x{SHAPE[0]}; mean (95 % bootstrap "
        "interval).\n\n" + "\n".join(lines) + f"\n\nCrops that keep the rule in truth: {told}. Of {with_true_crop} "
        f"composites with a crop to be found, {with_crop} gave one.\n\nMade-up photographs; not one real clinical "
        "photograph was measured."
    )


def classes_section(segmenter: SkinSegmenter, part: str, steps: int) -> str:
    """Sensitivity and specificity of classifiers by what they learned from."""
    folder = data_folder()
    train = synthetic_cases(lesions_of(folder, "train"), LEARNED, SEEDS["learned"], SHAPE, "learned")
    test = synthetic_cases(lesions_of(folder, part), TESTED, SEEDS["tested"], SHAPE, "tested")
    usual = CropClassifierOptions()
    options = CropClassifierOptions(fit=type(usual.fit)(steps=steps, batch_size=16, learning_rate=2e-3))
    comparison = compared(
        pictures_by_source(train, segmenter),
        pictures_by_source(test, segmenter),
        {case.name: case.is_disease for case in test},
        options,
    )
    return (
        f"Two made-up diseases, {LEARNED} composites to learn from and {TESTED} of the part {part} to be asked about, "
        f"{steps} steps.\n\n{comparison.table()}\n\nThe diseases are drawn (scales, dark lines): these figures say "
        "that the comparison works, and nothing about any real disease."
    )


def pictures_by_source(cases: Sequence[SyntheticCase], segmenter: SkinSegmenter) -> dict[str, list[LabelledPicture]]:
    """Originals, crops by the segmenter, and crops by the true labels, as a person would cut them."""
    search = CropSearch(most=1)
    sources: dict[str, list[LabelledPicture]] = {"originals": [], "automatic crops": [], "manual crops": []}
    for case in cases:
        sources["originals"].append(LabelledPicture(case.name, case.composite.image, case.is_disease))
        automatic = photograph_crops(segmenter.segment(case.composite.image), SHAPE, search)
        for source, crops in (
            ("automatic crops", automatic),
            ("manual crops", search.crops(case.composite.labels)),
        ):
            for crop in crops:
                cut = _cut(case.composite.image, crop.left, crop.top, crop.side)
                sources[source].append(LabelledPicture(case.name, cut, case.is_disease))
    return sources


def _cut(picture: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    return picture[top : top + side, left : left + side]


def _timed(
    work: Callable[[np.ndarray], tuple[Crop, ...]], labels: np.ndarray, times: int
) -> tuple[tuple[Crop, ...], float]:
    """What the work comes to, and the CPU seconds of the fastest of some times."""
    result: tuple[Crop, ...] = ()
    best = float("inf")
    for _ in range(times):
        began = time.process_time()
        result = work(labels)
        best = min(best, time.process_time() - began)
    return result, best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("search", "quality", "classes"))
    parser.add_argument("--weights", type=Path, default=None, help="default: the bundled ones")
    parser.add_argument("--part", choices=("val", "test"), default="test")
    parser.add_argument("--steps", type=int, default=300, help="of each classifier")
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "search":
        text = search_section(arguments.part)
    else:
        segmenter = SkinSegmenter.load(arguments.weights or bundled_weights("skin-photo"), "cpu")
        if arguments.what == "quality":
            text = quality_section(segmenter, arguments.part, arguments.pictures)
        else:
            text = classes_section(segmenter, arguments.part, arguments.steps)
    text += f"\n\n`python benchmarks/skinphoto.py {arguments.what}`; {machine()}"
    print(text)
    if arguments.part == "test":
        write_section(f"skin photographs: {arguments.what}", text)


if __name__ == "__main__":
    main()
