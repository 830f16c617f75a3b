"""What an answer of BESA-Diff costs beside the published sampling of the same network.

    SAMANTIC_DATA=... python benchmarks/besadiff_speed.py [--segmenter FILE] [--images 20] [--threads 2]

Published: five members of 250 ancestral steps, everything computed anew at each step. Ours: five members of four DDIM
steps in one batch, the image branch once. Both in one run on the same images of the test part; Dice of each against
the truth. The last line is a whole answer about one 256x256 photograph, variance and border confidence included.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from results import machine, write_section
from torch.nn import functional

from samantic.besadiff.answer import lesion_mask
from samantic.besadiff.sampling import sample_masks_ancestrally
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.squares import stretched
from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import data_folder, isic2017
from samantic.evaluation import dice, mean_with_interval, paired_difference

MEMBERS = 5


def published_mask(segmenter: LesionSegmenter, image: np.ndarray, seed: int) -> np.ndarray:
    """The mean of five ancestral samples, thresholded: (rows, cols) bool."""
    config, random = segmenter.network.config, torch.Generator().manual_seed(seed)
    noise = torch.randn(MEMBERS, 1, config.mask_side, config.mask_side, generator=random)
    images = (stretched(image, config.image_side)[None].float() / 255).expand(MEMBERS, -1, -1, -1)
    masks = sample_masks_ancestrally(segmenter.network, images, noise, random)
    mean = ((masks.mean(dim=0, keepdim=True) + 1) / 2).clamp(0, 1)
    whole = functional.interpolate(mean, size=image.shape[:2], mode="bilinear", antialias=True)
    return lesion_mask(whole[0, 0].numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segmenter", type=Path, default=None, help="default: the bundled one")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    segmenter = LesionSegmenter.load(arguments.segmenter or bundled_weights("besadiff-segmenter"), "cpu")
    views = list(isic2017(data_folder(), "test"))
    views = [views[index] for index in np.linspace(0, len(views) - 1, arguments.images).astype(int)]
    segmenter.segment(views[0].image)
    few: list[float] = []
    many: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    for seed, view in enumerate(views):
        truth, started = view.labels > 0, time.perf_counter()
        ours.append(dice(segmenter.segment(view.image, members=MEMBERS, seed=seed).mask, truth))
        middle = time.perf_counter()
        theirs.append(dice(published_mask(segmenter, view.image, seed), truth))
        few.append(middle - started)
        many.append(time.perf_counter() - middle)
        print(f"{seed + 1} of {len(views)}: {few[-1]:.2f} s, {many[-1]:.1f} s", flush=True)
    ratios = mean_with_interval([long / short for long, short in zip(many, few, strict=True)])
    difference = paired_difference(ours, theirs)
    text = (
        f"{arguments.images} images of the ISIC 2017 test part, {arguments.threads} threads; "
        "`python benchmarks/besadiff_speed.py`\n\n"
        "| | seconds an image, median | Dice |\n|---|---|---|\n"
        f"| 5 members x 250 steps, as published | {statistics.median(many):.1f} | {mean_with_interval(theirs)} |\n"
        f"| 5 members x 4 steps, image branch once | {statistics.median(few):.2f} | {mean_with_interval(ours)} |\n\n"
        f"Time of the published sampling over ours, image by image: {ratios.mean:.0f} ({ratios.low:.0f} to "
        f"{ratios.high:.0f}). Dice of ours minus theirs: {difference.mean:+.4f} ({difference.low:+.4f} to "
        f"{difference.high:+.4f}). Slowest whole answer, variance included: {max(few):.2f} s.\n\n{machine()}"
    )
    print(text)
    write_section("besadiff speed: few steps against the published sampling", text)


if __name__ == "__main__":
    main()
