"""Do synthetic pairs help the segmenter, and does it matter that SAM refined their masks?

    SAMANTIC_DATA=... python benchmarks/synthetic_pairs.py RUN {sam,generator,pairs,arms,report}

Arms of the same budget (64x64, the same steps), three seeds each, measured on the test part: real pairs only; and
synthetic pairs with the generator's own masks; and the same synthetic images with refined masks. Once with all labels
of the training part, once with a tenth of them. Of the few-label arms no part has seen another dermoscopic label: their
generator, their SAM (trained on other kinds of images and on that tenth) and the segmenter in their refiner are
trained here. Every third picture is a synthetic one. Each stage goes on where it stopped.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from results import machine, write_section

from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.generator import LesionGenerator
from samantic.besadiff.refiner import MaskRefiner
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.training.generator_fit import fit_generator
from samantic.besadiff.training.generator_rounds import isic2017_diagnoses
from samantic.besadiff.training.generator_settings import GeneratorSettings
from samantic.besadiff.training.segmenter_fit import SegmenterLoss, fit_segmenter
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import TRAINING_SETS, data_folder, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import BorderDistances, dice, intersection_over_union, mean_with_interval, paired_difference
from samantic.imaging import atomic_path
from samantic.segsam import SegSamConfig, SegSamPredictor
from samantic.segsam.training.fit import fit as fit_segsam
from samantic.training import FitOptions

FEW = 0.1
SUBSET_SEED = 20
SAM_CLASSES = ("skin_lesion", "breast_lesion", "hippocampus_anterior", "hippocampus_posterior")
FRACTIONS = ("all", "few")
ARMS = ("real only", "+ diffusion masks", "+ SAM-refined masks")
SEEDS = (1, 2, 3)
PAIRS = 160
STEPS = 300
GENERATOR_STEPS = 350
COLUMNS = ("Dice", "IoU", "boundary F 2 px")
NETWORK = DermoSegDiffConfig(
    mask_side=64,
    image_side=128,
    mask_patch=2,
    image_patch=4,
    mask_width=16,
    mask_multipliers=(1, 2, 2),
    image_width=16,
    image_multipliers=(1, 3, 6),
    attention_heads=2,
    attention_head_width=16,
    mask_attention_from=3,
    norm_groups=0,
    image_branch="time_free",
    prediction="sample",
)
LOSS = SegmenterLoss(overlap_weight=0.5, pure_noise_share=0.5, guess_weight=1.0, guess_share=0.5)


def labelled(fraction: str) -> list[LabelledView]:
    """The training part, or a fixed tenth of it."""
    views = list(isic2017(data_folder(), "train"))
    if fraction == "all":
        return views
    chosen = np.random.default_rng(SUBSET_SEED).choice(len(views), round(FEW * len(views)), replace=False)
    return [views[index] for index in sorted(chosen)]


def train_sam(run: Path) -> None:
    """A SAM of half the side that has seen a tenth of the dermoscopic labels, and other kinds of images."""
    folder = data_folder()
    others = {name: list(TRAINING_SETS[name](folder)) for name in ("busi", "hippocampus")}
    sets: dict[str, Sequence[LabelledView]] = {
        "isic2017": labelled("few"),
        **{name: [view for view in views if view.labels.any()] for name, views in others.items()},
    }
    options = FitOptions(steps=420, batch_size=16, average_decay=0.99, mixed_precision="bf16", seed=17)
    shares = {"isic2017": 0.5, "busi": 0.35, "hippocampus": 0.15}
    config = SegSamConfig(class_names=SAM_CLASSES, encoder="tiny", image_size=128)
    fit_segsam(config, sets, shares, options, run / "sam")


def train_generator(run: Path) -> None:
    """A generator that has seen a tenth of the images and labels."""
    settings = GeneratorSettings.from_yaml().replacing(steps=GENERATOR_STEPS)
    fit_generator(labelled("few"), settings, run / "generator", diagnoses=isic2017_diagnoses(data_folder()))


def draw_pairs(run: Path) -> None:
    """Draw, refine and keep what the rules accept, for both fractions of the labels."""
    for fraction in FRACTIONS:
        path = run / f"pairs_{fraction}.npz"
        if path.exists():
            continue
        if fraction == "all":
            generator = LesionGenerator.load(bundled_weights("besadiff-generator"))
            sam = SegSamPredictor.from_bundled("segsam-tiny")
            segmenter = LesionSegmenter.load(bundled_weights("besadiff-segmenter"))
        else:
            generator = LesionGenerator.load(run / "generator" / "generator.safetensors")
            sam = SegSamPredictor.from_checkpoint(run / "sam" / "segsam.safetensors")
            # One that has learned from the same tenth, and from nothing that was drawn.
            segmenter = LesionSegmenter(train_arm(run, "few", "real only", SEEDS[0]))
        refiner, random = MaskRefiner(sam, segmenter), np.random.default_rng(SUBSET_SEED)
        kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        tried = 0
        while len(kept) < PAIRS and tried < 4 * PAIRS:
            pair = generator.generate([generator.draw_condition(random)], seeds=[tried])[0]
            refined = refiner.refine(pair.image, pair.probability, seed=tried)
            tried += 1
            if refined.accepted:
                kept.append((pair.image, pair.mask, refined.mask))
        print(f"{fraction}: {len(kept)} of {tried} pairs accepted", flush=True)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            images, masks, refined_masks = (np.stack(part) for part in zip(*kept, strict=True))
            np.savez_compressed(stream, images=images, diffusion=masks, refined=refined_masks, tried=tried)


def synthetic_views(run: Path, fraction: str, arm: str) -> list[LabelledView]:
    """The accepted pairs of a fraction, with the masks of an arm; none for the first arm."""
    if arm == "real only":
        return []
    with np.load(run / f"pairs_{fraction}.npz") as stored:
        masks = stored["diffusion" if arm == "+ diffusion masks" else "refined"]
        return [
            LabelledView(f"synthetic_{index}", "dermoscopy", image, mask.astype(np.int16), ("skin_lesion",))
            for index, (image, mask) in enumerate(zip(stored["images"], masks, strict=True))
        ]


def train_arm(run: Path, fraction: str, arm: str, seed: int) -> DermoSegDiff:
    """One training of the small segmenter; a finished one is read."""
    real, synthetic = labelled(fraction), synthetic_views(run, fraction, arm)
    # Every third picture is synthetic, however many of either there are.
    repeats = round(len(real) / (2 * len(synthetic))) if synthetic else 0
    views: Sequence[LabelledView] = real * (2 if synthetic and not repeats else 1) + synthetic * max(1, repeats)
    options = FitOptions(
        steps=STEPS,
        batch_size=16,
        learning_rate=3e-3,
        weight_decay=0.02,
        average_decay=0.97,
        seed=seed,
        mixed_precision="bf16",
        checkpoint_minutes=60,
    )
    name = "-".join(arm.replace("+", "with").split())
    folder = run / "arms" / f"{fraction}-{name}-{seed}"
    return fit_segmenter(NETWORK, views, options, folder, loss=LOSS)


def run_arms(run: Path) -> None:
    """Train and measure every arm; scores are kept as JSON, so a stopped run goes on."""
    test = list(isic2017(data_folder(), "test"))
    for seed, fraction, arm in itertools.product(SEEDS, FRACTIONS, ARMS):
        path = run / f"scores-{fraction}-{ARMS.index(arm)}-{seed}.json"
        if path.exists():
            continue
        segmenter, rows = LesionSegmenter(train_arm(run, fraction, arm, seed)), []
        for view in test:
            mask, truth = segmenter.segment(view.image, steps=2).mask, view.labels > 0
            borders = BorderDistances.between(mask, truth)
            rows.append((dice(mask, truth), intersection_over_union(mask, truth), borders.boundary_f(2.0)))
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(rows), encoding="utf-8")
        print(fraction, arm, seed, np.mean(rows, axis=0).round(4), flush=True)


def report(run: Path) -> None:
    """Means over images and seeds; intervals drawn by image, differences paired by image and seed."""
    lines = ["| labels | training on | " + " | ".join(COLUMNS) + " | Dice, less real only |", "|---" * 6 + "|"]
    for fraction in FRACTIONS:
        base: np.ndarray | None = None
        for index, arm in enumerate(ARMS):
            files = [run / f"scores-{fraction}-{index}-{seed}.json" for seed in SEEDS]
            rows = np.array([json.loads(path.read_text(encoding="utf-8")) for path in files])
            base = rows if base is None else base
            groups = [str(image) for _ in SEEDS for image in range(rows.shape[1])]
            cells = [str(mean_with_interval(rows[..., column].ravel().tolist(), groups)) for column in range(3)]
            change = paired_difference(rows[..., 0].ravel().tolist(), base[..., 0].ravel().tolist(), groups)
            difference = "" if index == 0 else f"{change.mean:+.4f} ({change.low:+.4f} to {change.high:+.4f})"
            spread = rows[..., 0].mean(axis=1)
            cells[0] += f", seeds {spread.min():.3f}-{spread.max():.3f}"
            label = "all" if fraction == "all" else f"{FEW:.0%}"
            lines.append(f"| {label} | {arm} | " + " | ".join(cells) + f" | {difference} |")
    drawn = []
    for fraction in FRACTIONS:
        with np.load(run / f"pairs_{fraction}.npz") as stored:
            drawn.append(f"{len(stored['images'])} of {int(stored['tried'])} accepted ({fraction})")
    text = (
        f"ISIC 2017 test part, n {rows.shape[1]} images x {len(SEEDS)} seeds, 64x64, {STEPS} steps each. "
        f"Synthetic pairs: {', '.join(drawn)}. `python benchmarks/synthetic_pairs.py`\n\n"
        + "\n".join(lines)
        + f"\n\n{machine()}"
    )
    print(text)
    write_section("synthetic pairs: do they help the segmenter", text)


STAGES = {"sam": train_sam, "generator": train_generator, "pairs": draw_pairs, "arms": run_arms, "report": report}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("stage", choices=STAGES)
    arguments = parser.parse_args()
    STAGES[arguments.stage](arguments.run)


if __name__ == "__main__":
    main()
