"""What our departures from the published DermoSegDiff do, each taken back alone, at a small size.

    SAMANTIC_DATA=... python benchmarks/segmenter_choices.py RUN [--seeds 3] [--steps 150]

64x64, the same steps, validation part of ISIC 2017, three paired seeds. The published image branch depends on the
noisy mask and the step, so it is computed at every step of every member; the published network predicts the noise.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
from results import machine, write_section
from synthetic_pairs import LOSS, NETWORK

from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.training.segmenter_fit import fit_segmenter
from samantic.datasets.development_sets import data_folder, isic2017
from samantic.evaluation import dice, mean_with_interval, paired_difference
from samantic.imaging import atomic_path
from samantic.training import FitOptions

SMALL = dataclasses.replace(NETWORK, stem_width=16)
ARMS = {
    "as bundled": (SMALL, LOSS),
    "photograph folded": (NETWORK, LOSS),
    "image branch coupled, as published": (dataclasses.replace(SMALL, image_branch="coupled"), LOSS),
    "eight groups a normalisation, as published": (dataclasses.replace(SMALL, norm_groups=8), LOSS),
    "attention in every level, as published": (dataclasses.replace(SMALL, mask_attention_from=0), LOSS),
    "image branch never alone": (SMALL, dataclasses.replace(LOSS, guess_share=0.0)),
    "noise predicted, as published": (dataclasses.replace(SMALL, prediction="epsilon"), LOSS),
    "steps drawn evenly, as published": (SMALL, dataclasses.replace(LOSS, pure_noise_share=0.0)),
    "without the overlap loss, as published": (SMALL, dataclasses.replace(LOSS, overlap_weight=0.0)),
    "without the boundary in the loss": (SMALL, dataclasses.replace(LOSS, boundary_weight=0.0)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=120)
    arguments = parser.parse_args()
    folder = data_folder()
    train, val = list(isic2017(folder, "train")), list(isic2017(folder, "val"))
    found: dict[str, list[list[float]]] = {arm: [] for arm in ARMS}
    for seed in range(1, arguments.seeds + 1):
        for number, (arm, (network, loss)) in enumerate(ARMS.items()):
            path = arguments.run / f"scores-{number}-{seed}-{arguments.steps}.json"
            if not path.exists():
                options = FitOptions(
                    steps=arguments.steps,
                    batch_size=16,
                    learning_rate=3e-3,
                    weight_decay=0.02,
                    average_decay=0.97,
                    seed=seed,
                    mixed_precision="bf16",
                )
                run = arguments.run / f"{number}-{seed}-{arguments.steps}"
                segmenter = LesionSegmenter(fit_segmenter(network, train, options, run, loss=loss))
                scores = [dice(segmenter.segment(view.image).mask, view.labels > 0) for view in val]
                with atomic_path(path) as temporary:
                    temporary.write_text(json.dumps(scores), encoding="utf-8")
            found[arm].append(json.loads(path.read_text(encoding="utf-8")))
            print(seed, arm, f"{np.mean(found[arm][-1]):.4f}", flush=True)
    groups = [str(image) for _ in range(arguments.seeds) for image in range(len(val))]
    base = np.ravel(found["as bundled"]).tolist()
    lines = ["| | Dice, 4 steps x 5 members | less as bundled |", "|---|---|---|"]
    for arm, rows in found.items():
        values = np.ravel(rows).tolist()
        change = paired_difference(values, base, groups)
        difference = "" if arm == "as bundled" else f"{change.mean:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
        lines.append(f"| {arm} | {mean_with_interval(values, groups)} | {difference} |")
    text = (
        f"ISIC 2017 validation part, n {len(val)} images x {arguments.seeds} seeds, 64x64, {arguments.steps} steps of "
        f"16. `python benchmarks/segmenter_choices.py`\n\n" + "\n".join(lines) + f"\n\n{machine()}"
    )
    print(text)
    write_section("besadiff choices: each departure taken back alone", text)


if __name__ == "__main__":
    main()
