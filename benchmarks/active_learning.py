"""Do the strategies that choose the next image save labels? The hippocampus, learned from none, over the real server.

    SAMANTIC_DATA=... python benchmarks/active_learning.py WEIGHTS [--work runs/active_learning] [--write]

WEIGHTS never saw a hippocampus; their manifest proves it. In every round `samantic serve` is asked for the next images
(`POST /activelearning/...`), gets their true labels (`PUT /datastore/label`) and trains (`POST /train/segsam`). What it
then serves is measured on the test part: Dice in three dimensions of the anterior and the posterior part. The first
labels are random and the same for all arms of a seed; chance alone is an arm twice, so that one sees what chance makes
of it. The encoder is frozen, so all arms share its embeddings. Finished rounds are kept in rounds.jsonl in the folder
of the work; run again, it goes on after the last one.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from learning_curves import START, Round, append_round, curves_of, draw, finished_of, read_rounds, table
from monailabel.client import MONAILabelClient
from results import RESULTS, machine, write_section
from servers import Server, samantic_server

from samantic.datasets.development_sets import data_folder, image_ids, learnable_ids
from samantic.evaluation import dice
from samantic.imaging import SliceView, Volume, read_mask, read_volume, to_uint8, window_for
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor
from samantic.segsam.checkpoint import file_hash, load_manifest, load_network
from samantic.training.model_store import ModelStore

DATA_SET = "msd_hippocampus"
STRUCTURES = ("hippocampus_anterior", "hippocampus_posterior")
ARMS = {
    "random": "random",
    "random again": "random",
    "uncertainty": "uncertainty",
    "diversity": "diversity",
    "hybrid": "hybrid",
}
"""Arm -> strategy."""

PICTURE = RESULTS.parents[1] / "docs" / "pictures" / "active_learning.png"
CLIENT = "annotator"
TRAINING_SECONDS = 900

LEARNING = {"samples_per_epoch": 160, "batch_size": 4, "learning_rate": 4e-3, "naming_steps": 0, "rehearsal_share": 0}
"""Small batches: few labels in half a minute. Nothing is rehearsed, for no other class is asked for."""


class NotUnseenError(ValueError):
    """The weights may have learned from the hippocampus, so that the experiment would prove nothing."""


@dataclass(frozen=True)
class Settings:
    """What is measured; a folder of rounds belongs to one of these."""

    weights_hash: str
    labels: tuple[int, ...]
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    pool: int
    held_out: int
    test: int
    training: dict[str, Any] = field(default_factory=dict)


def check_never_seen(weights: Path) -> None:
    """Raise NotUnseenError unless the manifest in `weights` lists what they learned from, and no hippocampus."""
    manifest = load_manifest(weights)
    if manifest is None:
        raise NotUnseenError(f"{weights.name} has no training manifest: nothing proves that no hippocampus was seen.")
    for name, ids in manifest.images.items():
        if "hippocampus" in name.lower() or any("hippocampus" in image_id.lower() for image_id in ids):
            raise NotUnseenError(f"{weights.name} has learned from the set '{name}', which shows the hippocampus.")
    known = [name for name in load_network(weights).config.class_names if "hippocampus" in name]
    if known:
        raise NotUnseenError(f"{weights.name} knows the class {known[0]}.")


class TestVolumes:
    """The test part in memory, and how good weights are on it."""

    def __init__(self, folder: Path, ids: Sequence[str], cache: EmbeddingCache) -> None:
        self._cache = cache
        self._volumes = [read_volume(folder / "imagesTr" / f"{one}.nii.gz", "MR") for one in ids]
        self._truth = [
            read_mask(folder / "labelsTr" / f"{one}.nii.gz", volume)
            for one, volume in zip(ids, self._volumes, strict=True)
        ]

    def dice(self, weights: Path) -> tuple[tuple[float, ...], ...]:
        """Dice of every structure in every volume, from the semantic maps of all slices along k."""
        predictor = SegSamPredictor.from_checkpoint(weights, cache=self._cache)
        found = []
        for volume, truth in zip(self._volumes, self._truth, strict=True):
            labels = _segmented(predictor, volume)
            found.append(tuple(dice(labels == value, truth == value) for value in (1, 2)))
        return tuple(found)


def _segmented(predictor: SegSamPredictor, volume: Volume) -> np.ndarray:
    labels = np.zeros(volume.shape_ijk, np.uint8)
    if predictor.network.prompt_free_head is None or not set(STRUCTURES) <= set(predictor.class_names):
        return labels
    window = window_for(volume)
    for index in range(volume.shape_ijk[2]):
        view = SliceView.of(volume, 2, index)
        key = predictor.embedding_key(volume.content_hash, view.key, window.key)
        features = predictor.embed(to_uint8(view.extract(volume.array), window), view.spacing_yx_mm, key)
        view.insert(labels, predictor.semantic_map(features, STRUCTURES).labels)
    return labels


class Annotator:
    """Asks a server for images, answers with the truth, has it train: an unmodified client."""

    def __init__(self, server: Server, folder: Path, truth: Path) -> None:
        self._client = MONAILabelClient(server.url, str(folder), CLIENT)
        self._truth = truth

    def labelled(self) -> set[str]:
        """The images that have a label."""
        objects = self._client.datastore()["objects"]
        return {image_id for image_id, entry in objects.items() if "final" in entry.get("labels", {})}

    def take_back(self, image_ids: Sequence[str]) -> None:
        """Remove labels that belong to no finished round."""
        import requests

        for image_id in image_ids:
            address = f"{self._client.get_server_url()}/datastore/label?id={image_id}&tag=final"
            requests.delete(address, timeout=60).raise_for_status()

    def label_next(self, strategy: str, seed: int) -> str:
        """Ask for the next image, save its true label, and return its id."""
        params: dict[str, Any] = {"wait": True}
        if strategy == "random":
            params["seed"] = seed
        sample = self._client.next_sample(strategy, params)
        if "id" not in sample:
            raise SystemExit(f"The server has no next image: {sample}")
        self.label(str(sample["id"]))
        return str(sample["id"])

    def label(self, image_id: str) -> None:
        """Save the true label of an image."""
        names = [{"name": name, "idx": value} for value, name in enumerate(STRUCTURES, start=1)]
        self._client.save_label(image_id, str(self._truth / f"{image_id}.nii.gz"), params={"label_info": names})

    def train(self, options: dict[str, Any]) -> None:
        """Have the server train and wait until it is done; SystemExit with its last words if it fails."""
        self._client.train_start("segsam", dict(options))
        until = time.monotonic() + TRAINING_SECONDS
        while time.monotonic() < until:
            task = self._client.train_status()
            if task["status"] not in ("SUBMITTED", "RUNNING"):
                break
            time.sleep(0.3)
        if task["status"] != "DONE":
            raise SystemExit("The training failed; its last words:\n" + "\n".join(task.get("details", [])))


class Experiment:
    """All rounds of all arms; what is in the folder already is not done again."""

    def __init__(self, weights: Path, work: Path, settings: Settings) -> None:
        self._weights, self._work, self._settings = weights.resolve(), work.resolve(), settings
        self._data = data_folder() / DATA_SET
        self._cache = self._work / "cache"
        self._cache.mkdir(parents=True, exist_ok=True)
        _check_same_settings(self._work / "settings.json", settings)
        drawn = random.Random(0).sample(
            sorted(learnable_ids(data_folder(), DATA_SET)), settings.pool + settings.held_out
        )
        self._pool, self._held_out = sorted(drawn[: settings.pool]), sorted(drawn[settings.pool :])
        test = sorted(image_ids(data_folder(), DATA_SET, "test"))
        test = sorted(random.Random(0).sample(test, min(settings.test, len(test))))
        self._test = TestVolumes(self._data, test, EmbeddingCache(self._cache / "embeddings", ram_bytes=2 << 30))

    @property
    def rounds_file(self) -> Path:
        """Where finished rounds are kept."""
        return self._work / "rounds.jsonl"

    def run(self) -> None:
        """Do every round that is missing."""
        first, *later = self._settings.labels
        for number, seed in enumerate(self._settings.seeds):
            self._run_arm(seed, START, "random", [first], 1000 * number)
            # The arms in turn, so that what is measured meanwhile is spread over all of them.
            for place, arm in enumerate(self._settings.arms, start=1):
                self._run_arm(seed, arm, ARMS[arm], later, 1000 * number + 100_000 * place)

    def _run_arm(self, seed: int, arm: str, strategy: str, counts: Sequence[int], first_seed: int) -> None:
        rounds = read_rounds(self.rounds_file)
        done = finished_of(rounds, seed, arm)
        missing = [count for count in counts if count not in done]
        if not missing:
            return
        before = [done[count] for count in counts if count in done] or list(finished_of(rounds, seed, START).values())
        earlier = before[-1] if before and arm != START else None
        folder = self._folder(seed, arm)
        if arm != START and not folder.is_dir():
            shutil.copytree(self._folder(seed, START), folder, symlinks=True)
        self._prepare(folder)
        store = ModelStore(folder / "home" / "published" / "segsam")
        if store.history():
            store.rollback(None if earlier is None else earlier.version)
        conf = {"models": "segsam", "initial_weights": str(self._weights)}
        with samantic_server(folder / "studies", folder / "home", conf, OMP_NUM_THREADS="1") as server:
            annotator = Annotator(server, folder, self._data / "labelsTr")
            chosen = [] if earlier is None else list(earlier.chosen)
            annotator.take_back(sorted(annotator.labelled() - {*chosen, *self._held_out}))
            for image_id in sorted(set(self._held_out) - annotator.labelled()):
                annotator.label(image_id)
            for count in missing:
                chosen = self._one_round(annotator, store, seed, arm, strategy, count, chosen, first_seed)

    def _one_round(
        self,
        annotator: Annotator,
        store: ModelStore,
        seed: int,
        arm: str,
        strategy: str,
        count: int,
        chosen: list[str],
        first_seed: int,
    ) -> list[str]:
        watch = _Watch()
        chosen = list(chosen)
        while len(chosen) < count:
            chosen.append(annotator.label_next(strategy, first_seed + len(chosen)))
        watch.lap("choose")
        annotator.train({**self._settings.training, "seed": seed, "val_ids": self._held_out})
        watch.lap("train")
        current = store.current()
        found = self._test.dice(self._weights if current is None else current.path)
        watch.lap("measure")
        version = None if current is None else current.version
        finished = Round(seed, arm, count, tuple(chosen), version, found, watch.seconds)
        append_round(self.rounds_file, finished)
        print(f"seed {seed}, {arm}, {count} labels: Dice {finished.mean_dice:.3f}, {watch.seconds}", flush=True)
        return chosen

    def _folder(self, seed: int, arm: str) -> Path:
        return self._work / f"seed{seed}-{arm.replace(' ', '-')}"

    def _prepare(self, folder: Path) -> None:
        (folder / "studies").mkdir(parents=True, exist_ok=True)
        (folder / "home").mkdir(exist_ok=True)
        for image_id in (*self._pool, *self._held_out):
            image = folder / "studies" / f"{image_id}.nii.gz"
            if not image.exists():
                image.symlink_to(self._data / "imagesTr" / image.name)
        cache = folder / "home" / "cache"
        if not cache.exists():
            cache.symlink_to(self._cache, target_is_directory=True)


class _Watch:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._last, 1)
        self._last = now


def _check_same_settings(path: Path, settings: Settings) -> None:
    told = json.loads(json.dumps(asdict(settings)))
    if not path.is_file():
        path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    elif json.loads(path.read_text(encoding="utf-8")) != told:
        raise SystemExit(f"{path.parent} holds rounds of other settings; name another folder with --work.")


def report(rounds_file: Path, settings: Settings) -> str:
    """The section of RESULTS.md."""
    rounds = read_rounds(rounds_file)
    curves = curves_of(rounds, settings.labels, settings.seeds, settings.arms)
    seconds = {name: float(np.mean([one.seconds[name] for one in rounds])) for name in rounds[0].seconds}
    return f"""Dice on {settings.test} test volumes of the MSD hippocampus (mean of both parts, in three dimensions)
after so many labelled volumes of a pool of {settings.pool}, through the real server: next image, label, training,
served weights. The weights ({settings.weights_hash[:12]}) had never seen a hippocampus. {settings.held_out} further
volumes, labelled and the same for all arms, decide whether a round is published. The first {settings.labels[0]}
labels are random and the same for all arms of a seed; {len(settings.seeds)} seeds, 95 % bootstrap intervals over them,
which for so few is nearly their range. `random again` differs from `random` by chance alone: an arm that does not
differ by more has not been shown to help. The area is the mean height of the curve.

{table(curves)}

![Learning curves](../docs/pictures/{PICTURE.name})

A round takes {seconds["choose"]:.0f} s for choosing and saving, {seconds["train"]:.0f} s for training (its process
starts anew each time) and {seconds["measure"]:.0f} s for measuring, on one core. Training:
`{json.dumps(settings.training)}`.

`benchmarks/active_learning.py`; machine: {machine()}."""


def main() -> None:
    arguments = _arguments()
    # Otherwise a server would outlive the benchmark that started it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    check_never_seen(arguments.weights)
    settings = Settings(
        weights_hash=file_hash(arguments.weights),
        labels=arguments.labels,
        seeds=arguments.seeds,
        arms=arguments.arms,
        pool=arguments.pool,
        held_out=arguments.held_out,
        test=arguments.test,
        training={"epochs": arguments.epochs, **LEARNING},
    )
    experiment = Experiment(arguments.weights, arguments.work, settings)
    experiment.run()
    text = report(experiment.rounds_file, settings)
    print(text)
    if arguments.write:
        draw(curves_of(read_rounds(experiment.rounds_file), settings.labels, settings.seeds, settings.arms), PICTURE)
        write_section("active learning", text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="a checkpoint that has never seen a hippocampus")
    parser.add_argument("--work", type=Path, default=Path("runs/active_learning"), help="folder of the rounds")
    parser.add_argument("--labels", type=_numbers, default=(5, 10, 20, 40), help="numbers of labels, 5,10,20,40")
    parser.add_argument("--seeds", type=_numbers, default=(1, 2, 3))
    parser.add_argument("--arms", type=_arms, default=tuple(ARMS), help=", ".join(ARMS))
    parser.add_argument("--pool", type=int, default=90, help="training volumes to choose from")
    parser.add_argument("--held-out", type=int, default=5, help="labelled volumes to validate rounds on, for all arms")
    parser.add_argument("--test", type=int, default=32, help="test volumes to measure on")
    parser.add_argument("--epochs", type=int, default=8, help="at most, of each training")
    parser.add_argument("--write", action="store_true", help="write the section of RESULTS.md and the picture")
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(part) for part in text.split(","))
    if list(numbers) != sorted(set(numbers)) or numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"'{text}' must be rising whole numbers such as 5,10,20")
    return numbers


def _arms(text: str) -> tuple[str, ...]:
    arms = tuple(_words(text))
    unknown = [arm for arm in arms if arm not in ARMS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no arm '{unknown[0]}'; use {', '.join(ARMS)}")
    return arms


def _words(text: str) -> Iterator[str]:
    yield from (part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    main()
