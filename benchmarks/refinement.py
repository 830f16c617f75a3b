"""Does the refiner draw a better border than the coarse mask it is given, and does it refuse what it should?

    SAMANTIC_DATA=... python benchmarks/refinement.py [--part val] [--limit N] [--segmenter FILE] [--no-results]

True masks of the ISIC 2017 images are made coarse in five ways, each mild and strong, in units of the radius of a disc
of the lesion's area: grown, shrunk, blurred and cut at a half, shifted, drawn in large squares. Measured are the
boundary F within 4 pixels at 256x256 and the IoU with the true mask, before and after. A mask is better where its
boundary F is larger; one that was within 4 pixels everywhere cannot be bettered and counts against the refiner. The
last rows show what the refiner's parts reach alone: SAM's kept answer, and the segmenter without any coarse mask.
Intervals are drawn by image. Settings are chosen with --part val; what was measured is kept in the folder of runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results import machine, write_section
from scipy import ndimage

from samantic.besadiff.dermosegdiff import ImageFeatures as SegmenterFeatures
from samantic.besadiff.refiner import CoarsePrompts, MaskRefiner, candidates_of
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import data_folder, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import BorderDistances, intersection_over_union, mean_with_interval
from samantic.segsam import ImageFeatures, SegSamPredictor

TOLERANCE = 4.0
SEED = 7
POOR = 0.5
Degrade = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def grown(mask: np.ndarray, strength: float, _: np.random.Generator) -> np.ndarray:
    return ndimage.distance_transform_edt(~mask) <= strength * radius(mask)


def shrunk(mask: np.ndarray, strength: float, _: np.random.Generator) -> np.ndarray:
    # What the picture cuts off has no border there; and a thin lesion must not vanish.
    depth = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    return depth > min(strength * radius(mask), 0.7 * depth.max())


def blurred(mask: np.ndarray, strength: float, _: np.random.Generator) -> np.ndarray:
    return ndimage.gaussian_filter(mask.astype(float), strength * radius(mask), mode="nearest") >= 0.5


def shifted(mask: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    angle = random.uniform(0, 2 * np.pi)
    by = strength * radius(mask) * np.array([np.sin(angle), np.cos(angle)])
    return ndimage.shift(mask.astype(float), by, order=0) > 0.5


def in_squares(mask: np.ndarray, strength: float, _: np.random.Generator) -> np.ndarray:
    side = max(2, round(strength * radius(mask)))
    rows, columns = mask.shape
    padded = np.pad(mask.astype(float), ((0, -rows % side), (0, -columns % side)), mode="edge")
    squares = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side).mean(axis=(1, 3)) >= 0.5
    return np.repeat(np.repeat(squares, side, axis=0), side, axis=1)[:rows, :columns]


KINDS: dict[str, tuple[Degrade, tuple[float, float]]] = {
    "grown": (grown, (0.15, 0.3)),
    "shrunk": (shrunk, (0.15, 0.3)),
    "blurred": (blurred, (0.4, 0.6)),
    "shifted": (shifted, (0.2, 0.4)),
    "in squares": (in_squares, (0.4, 0.8)),
}


def radius(mask: np.ndarray) -> float:
    return float(np.sqrt(mask.sum() / np.pi))


class SamOnce(SegSamPredictor):
    """Encodes an image once, however many masks of it are refined."""

    seen: tuple[np.ndarray, ImageFeatures] | None = None

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
        if self.seen is None or self.seen[0] is not image:
            self.seen = image, super().encode(image, spacing_yx_mm)
        return self.seen[1]


class SegmenterOnce(LesionSegmenter):
    """The same for the segmenter's image branch."""

    seen: tuple[np.ndarray, int, SegmenterFeatures] | None = None

    def image_features(self, image: np.ndarray, orientations: int = 1) -> SegmenterFeatures:
        if self.seen is None or self.seen[0] is not image or self.seen[1] != orientations:
            self.seen = image, orientations, super().image_features(image, orientations)
        return self.seen[2]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--segmenter", type=Path, help="weights other than the bundled besadiff-segmenter")
    arguments.add_argument("--part", default="test", choices=("test", "val"), help="val to make choices on")
    arguments.add_argument("--limit", type=int, help="so many images, spread over the part")
    arguments.add_argument("--runs", type=Path, default=Path("runs/refinement"))
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    segmenter = SegmenterOnce.load(asked.segmenter or bundled_weights("besadiff-segmenter"))
    refiner = MaskRefiner(SamOnce.from_bundled(), segmenter)
    views = list(isic2017(data_folder(), asked.part))
    if asked.limit is not None:
        views = views[:: max(1, len(views) // asked.limit)][: asked.limit]
    key = json.dumps([refiner.settings(), {name: strengths for name, (_, strengths) in KINDS.items()}], sort_keys=True)
    run = asked.runs / f"{asked.part}-{_short_hash(key)}.json"
    run.parent.mkdir(parents=True, exist_ok=True)
    measured: dict[str, dict[str, Any]] = json.loads(run.read_text(encoding="utf-8")) if run.exists() else {}
    for number, view in enumerate(views, start=1):
        if view.image_id not in measured:
            measured[view.image_id] = measure(view, refiner, segmenter)
            run.write_text(json.dumps(measured), encoding="utf-8")
            print(f"{number} of {len(views)}: {view.image_id}, {measured[view.image_id]['seconds']} s", flush=True)
    chosen = {view.image_id: measured[view.image_id] for view in views}
    text = report(chosen, refiner)
    print(text)
    if not asked.no_results:
        write_section("refinement", text)


def measure(view: LabelledView, refiner: MaskRefiner, segmenter: LesionSegmenter) -> dict[str, Any]:
    """Refine all coarse masks of an image; the first is timed with everything that an image costs once."""
    truth = view.labels > 0
    seed = int.from_bytes(view.image_id.encode(), "big") % 2**31
    cases, seconds = [], None
    for kind, (degrade, strengths) in KINDS.items():
        for strength in strengths:
            coarse = degrade(truth, strength, np.random.default_rng([SEED, seed]))
            began = time.process_time()
            refined = refiner.refine(view.image, coarse, seed=SEED)
            seconds = seconds or round(time.process_time() - began, 3)
            prompts = CoarsePrompts.of(coarse, refiner.prompts)
            kept = prompts and candidates_of(refiner.predictor, view.image, prompts, refiner.prompts.variants)
            cases.append(
                {
                    "kind": kind,
                    "strength": strength,
                    "coarse": _scores(coarse, truth),
                    "refined": _scores(refined.mask, truth),
                    "sam": _scores(kept[0].mask if kept else coarse, truth),
                    "reasons": refined.reasons,
                    "scores": dict(refined.scores),
                }
            )
    alone = segmenter.segment(view.image, members=refiner.members, steps=refiner.steps, seed=SEED)
    return {"cases": cases, "alone": _scores(alone.mask, truth), "seconds": seconds}


def report(measured: dict[str, dict[str, Any]], refiner: MaskRefiner) -> str:
    """The table and the two sentences that it is for."""
    cases = [{**case, "image": name, "alone": one["alone"]} for name, one in measured.items() for case in one["cases"]]
    rows = []
    for kind, (_, strengths) in KINDS.items():
        for strength in strengths:
            rows.append(
                _row(f"{kind} {strength:g}", [c for c in cases if (c["kind"], c["strength"]) == (kind, strength)])
            )
    rows += [
        _row("**all**", cases),
        _row("SAM's kept answer alone", cases, "sam"),
        _row("segmenter alone, no coarse mask", cases, "alone"),
    ]
    accepted = [case for case in cases if not case["reasons"]]
    poor, rejected = _poor(accepted), [case for case in cases if case["reasons"]]
    better = mean_with_interval(*_bettered(cases, "refined"))
    seconds = np.median([one["seconds"] for one in measured.values()])
    settings = refiner.settings()
    return "\n".join(
        [
            f"Coarse masks of {len(measured)} images, {len(cases)} in all; boundary F within {TOLERANCE:g} pixels of "
            f"256. The border is better in {better} of the cases. Of {len(accepted)} accepted masks {len(poor)} have "
            f"an IoU with the truth below {POOR:g}; of {len(rejected)} rejected ones {len(_poor(rejected))}. Strengths "
            "are in units of the lesion's radius.",
            "",
            "| coarse mask | boundary F before | after | better | IoU before | after | accepted | poor | masks |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"One image with everything: {seconds:.2f} s of one core (median). Segmenter "
            f"{settings['segmenter'][:12]}, SAM {settings['sam'][:12]}. Machine: {machine()}.",
        ]
    )


def _row(name: str, cases: Sequence[dict[str, Any]], what: str = "refined") -> str:
    images = [case["image"] for case in cases]
    before, after = (
        [mean_with_interval([case[key][score] for case in cases], images) for score in ("boundary_f", "iou")]
        for key in ("coarse", what)
    )
    accepted = [case for case in cases if not case["reasons"]]
    judged = f"{len(accepted) / len(cases):.2f} | {len(_poor(accepted))}" if what == "refined" else "- | -"
    better = mean_with_interval(*_bettered(cases, what))
    return f"| {name} | {before[0]} | {after[0]} | {better} | {before[1]} | {after[1]} | {judged} | {len(cases)} |"


def _bettered(cases: Sequence[dict[str, Any]], what: str) -> tuple[list[float], list[str]]:
    better = [float(case[what]["boundary_f"] > case["coarse"]["boundary_f"]) for case in cases]
    return better, [case["image"] for case in cases]


def _poor(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [case for case in cases if case["refined"]["iou"] < POOR]


def _scores(mask: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    boundary = BorderDistances.between(mask, truth).boundary_f(TOLERANCE)
    return {"boundary_f": round(boundary, 4), "iou": round(intersection_over_union(mask, truth), 4)}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


if __name__ == "__main__":
    main()
