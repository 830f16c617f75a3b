"""How long a training round takes with kept embeddings, and without.

    python benchmarks/retraining_round.py [--epochs 4] [--slices 2] [--samples 8] [--no-vit] [--no-tiny] [--no-results]

A round as a server makes it, on labelled volumes of the hippocampus: a few slices for vit_b (random weights,
which take as long as trained ones), ten volumes with the usual options for the bundled model. "Without" encodes a slice
whenever it is drawn or measured on; "first" has a cache that is empty; "next" finds every slice in it, as after clicks
or an earlier round. Reading, training and validation are in all of them. CPU seconds are of the process, and hardly
depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from results import machine, write_section

from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import data_folder, learnable_ids
from samantic.datasets.studies import LabelledImage
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSam, save_network
from samantic.segsam.published_weights import sam_config
from samantic.segsam.training.fit import text_vectors
from samantic.segsam.training.retraining import RetrainOptions, retrain

CLASSES = {1: "hippocampus_anterior", 2: "hippocampus_posterior"}
VIT_VOLUMES = 3
TINY_VOLUMES = 10


@dataclass(frozen=True)
class Timing:
    """Seconds of one round by the wall clock and of the processor, and encoder passes in it (-1: every draw is one)."""

    name: str
    wall: float
    cpu: float
    passes: int
    mean_dice: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--epochs", type=int, default=4, help="epochs of the vit_b round")
    arguments.add_argument("--slices", type=int, default=2, help="slices of each volume in the vit_b round")
    arguments.add_argument("--samples", type=int, default=8, help="slices drawn an epoch of the vit_b round")
    arguments.add_argument("--no-tiny", action="store_true", help="leave the bundled model out")
    arguments.add_argument("--no-vit", action="store_true", help="leave vit_b out: it takes minutes on a CPU")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    chosen = arguments.parse_args()
    parts = []
    if not chosen.no_tiny:
        options = RetrainOptions(naming_steps=0)
        with tempfile.TemporaryDirectory() as name:
            tiny = _rounds(bundled_weights("segsam-tiny"), _images(TINY_VOLUMES), options, Path(name))
            parts.append(_table(f"`tiny` (bundled weights), {TINY_VOLUMES} volumes, {_described(options)}", tiny))
    if not chosen.no_vit:
        options = RetrainOptions(
            epochs=chosen.epochs,
            patience=chosen.epochs,
            samples_per_epoch=chosen.samples,
            batch_size=min(4, chosen.samples),
            slices_per_volume=chosen.slices,
            empty_share=0.0,
            naming_steps=0,
        )
        with tempfile.TemporaryDirectory() as name:
            vit = _rounds(_random_vit(Path(name) / "vit_b.safetensors"), _images(VIT_VOLUMES), options, Path(name))
            parts.append(_table(f"`vit_b` (random weights), {VIT_VOLUMES} volumes, {_described(options)}", vit))
    text = "\n\n".join([*parts, f"`benchmarks/retraining_round.py`, {torch.get_num_threads()} threads; {machine()}"])
    print(text)
    if not chosen.no_results:
        write_section("a training round", text)


def _images(count: int) -> list[LabelledImage]:
    folder = data_folder()
    root = folder / "msd_hippocampus"
    return [
        LabelledImage(name, root / "imagesTr" / f"{name}.nii.gz", root / "labelsTr" / f"{name}.nii.gz", CLASSES)
        for name in learnable_ids(folder, "msd_hippocampus")[:count]
    ]


def _random_vit(path: Path) -> Path:
    torch.manual_seed(0)
    names = tuple(CLASSES.values())
    config = dataclasses.replace(sam_config(names), prompt_free_width=48)
    save_network(SegSam(config, text_vectors(names)), path)
    return path


def _rounds(start: Path, images: Sequence[LabelledImage], options: RetrainOptions, folder: Path) -> list[Timing]:
    # Every round runs to its last epoch: they do the same work but for the encoder's.
    options = dataclasses.replace(options, patience=options.epochs)
    with EmbeddingCache(folder / "embeddings") as cache:
        first = _timed("first, the cache is empty", start, images, options, cache)
        following = _timed("next, all embeddings are kept", start, images, options, cache)
    bare = dataclasses.replace(options, feature_bytes=0)
    return [_timed("without, encoded whenever drawn", start, images, bare, None), first, following]


def _timed(
    name: str, start: Path, images: Sequence[LabelledImage], options: RetrainOptions, cache: EmbeddingCache | None
) -> Timing:
    before = 0 if cache is None else cache.statistics.computed
    wall, cpu = time.perf_counter(), time.process_time()
    done = retrain(start, images, options, cache=cache)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    passes = -1 if cache is None else cache.statistics.computed - before
    print(f"{name}: {wall:.1f} s, {cpu:.1f} s CPU", flush=True)
    return Timing(name, wall, cpu, passes, done.after["mean_dice"])


def _described(options: RetrainOptions) -> str:
    return (
        f"at most {options.slices_per_volume} slices each, {options.epochs} epochs of about "
        f"{options.samples_per_epoch} slices, validated after each on a share of {options.validation_share:g} of the "
        "volumes"
    )


def _table(title: str, timings: Sequence[Timing]) -> str:
    reference = timings[0]
    rows = [
        f"| {one.name} | {one.wall:.1f} | {one.cpu:.1f} | {'every draw' if one.passes < 0 else one.passes} | "
        f"{one.wall / reference.wall:.3f} | {one.cpu / reference.cpu:.3f} | {one.mean_dice:.3f} |"
        for one in timings
    ]
    head = "| round | seconds | CPU seconds | encoder passes | ratio | ratio of CPU | Dice after |"
    return "\n".join([f"{title}:", "", head, "|---" * 7 + "|", *rows])


if __name__ == "__main__":
    main()
