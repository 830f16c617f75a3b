"""What each part of SEG-SAM adds: the paper's ablation, small (128x128 pixels, three paired seeds).

    SAMANTIC_DATA=... python benchmarks/ablation.py [--steps 120] [--runs runs/ablation]

All arms start from the binary path of the same weights with their image encoder frozen, as the paper starts from SAM,
meet the same pictures, prompts and order of both, and train prompt encoder, mask decoder and their semantic parts for
the same steps. They are measured with a jittered box on the test parts and on the CT of an untouched patient. DSC is
the mean Dice of the binary mask; mDSC the mean over classes of the mean Dice of the semantic mask (where the named
class is the likeliest). A run that is in the folder of runs already is not run again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from results import machine, write_section
from segment_anything.modeling.mask_decoder import MLP
from torch.nn import functional

from samantic.bundled import bundled_weights
from samantic.datasets.development_sets import TRAINING_SETS, busi, data_folder, dicom_ct, hippocampus, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import MeanWithInterval, dice, mean_with_interval, paired_difference
from samantic.evaluation.cases import Case, cases_of, middle_slices
from samantic.segsam import Look, SegSam, SegSamConfig, ViewPrompts, load_network
from samantic.segsam.interaction import jittered_box
from samantic.segsam.prompt_tensors import prompt_tensors
from samantic.segsam.semantic_aware_decoder import SemanticAwareDecoder
from samantic.segsam.training.batches import SMALLEST_OBJECT, BatchBuilder, TrainingBatch
from samantic.segsam.training.bundled import class_names_in
from samantic.segsam.training.fit import SegSamTask, text_vectors
from samantic.segsam.training.rounds import training_loss
from samantic.segsam.training.settings import SegSamSettings
from samantic.training import FitOptions, fit
from samantic.vocabulary import load_vocabulary

SIZE = 128
SEEDS = (1, 2, 3)
SMALLEST_CT_STRUCTURE = 200
CASES_A_SET = 60


@dataclass(frozen=True)
class Arm:
    """One row of the table; the parts are those of `SegSamConfig`."""

    name: str
    so_token: bool = True
    co_tokens: bool = True
    text_to_vision: bool = True
    alignment: float = 0.0
    whole_image: bool = False


ARMS = (
    Arm("baseline (binary path)", so_token=False, co_tokens=False, text_to_vision=False),
    Arm("+ SO-token", co_tokens=False, text_to_vision=False),
    Arm("+ CO-tokens", text_to_vision=False),
    Arm("CO-tokens segment the whole image instead", text_to_vision=False, whole_image=True),
    Arm("+ T2VSE"),
    Arm("+ cross-mask alignment", alignment=1.0),
)
BEFORE = {1: 0, 2: 1, 3: 1, 4: 2, 5: 4}
"""Each arm's difference is to this one: the paper adds its parts one after the other."""


class WholeImageDecoder(SemanticAwareDecoder):
    """CO-tokens give a map each, trained on the whole image, in place of a presence (the paper's other way)."""

    def __init__(self, num_classes: int, embedding_dim: int, mlp_dim: int) -> None:
        super().__init__(num_classes, embedding_dim, mlp_dim, with_co_tokens=True, text_dim=None)
        self.co_hypernetwork = MLP(embedding_dim, embedding_dim, self.upscaled_dim, num_layers=3)
        self.class_maps = torch.empty(0)

    def presence(self, co_tokens: torch.Tensor, upscaled: torch.Tensor) -> torch.Tensor:
        """The brightest place of each class's map stands for its presence; the maps (N, K, h, w) are kept to learn."""
        self.class_maps = torch.einsum("nkc,nchw->nkhw", self.co_hypernetwork(co_tokens), upscaled)
        return self.class_maps.amax(dim=(2, 3))


class MapKeepingBuilder(BatchBuilder):
    """Remembers where every class lies on the pictures of the last batch, (B, K, g, g) bool."""

    def build(self, views, random):  # type: ignore[no-untyped-def]
        self.maps: list[np.ndarray] = []
        return super().build(views, random)

    def _regions(self, view, picture):  # type: ignore[no-untyped-def]
        regions = super()._regions(view, picture)
        if any(region.sum() >= SMALLEST_OBJECT for region in regions.values()):
            maps = np.zeros((len(self.index_of), self.mask_grid, self.mask_grid), dtype=bool)
            for index, region in regions.items():
                maps[index] = region
            self.maps.append(maps)
        return regions


class ArmTask(SegSamTask):
    """SEG-SAM's training with the arm's own losses and without looks or nameless regions, which are not the paper's."""

    def __init__(self, arm: Arm, network: SegSam, sets, shares, options: FitOptions) -> None:  # type: ignore[no-untyped-def]
        super().__init__(network, sets, shares, options, objects_per_image=5)
        self._arm = arm
        self._builder = MapKeepingBuilder(network.config.class_names, load_vocabulary(), SIZE, 5, unknown_share=0.0)

    def draw(self, step: int, random: np.random.Generator) -> tuple[TrainingBatch, torch.Tensor] | None:
        """The batch and the class maps of its pictures."""
        batch = super().draw(step, random)
        return None if batch is None else (batch, torch.from_numpy(np.stack(self._builder.maps)))

    def loss(self, batch, step, random):  # type: ignore[no-untyped-def]
        """The loss of SEG-SAM, with the whole image's where the arm segments it."""
        objects, maps = batch
        warm = min(1.0, step / max(1, 0.1 * self._options.steps))
        loss, parts = training_loss(self.network, objects, self._arm.alignment * warm, random)
        if self._arm.whole_image:
            predicted = self.network.semantic_decoder.class_maps.float()
            target = functional.interpolate(maps[objects.image_index].float(), predicted.shape[-2:], mode="area")
            known = objects.targets.known[:, :, None, None]
            every = functional.binary_cross_entropy_with_logits(predicted, target.round(), reduction="none")
            overlap = (torch.sigmoid(predicted) * target).sum(dim=(2, 3))
            total = (torch.sigmoid(predicted) + target).sum(dim=(2, 3))
            present = objects.targets.present & objects.targets.known
            soft_dice = 1 - (2 * overlap + 1) / (total + 1)
            loss = loss + (every * known).sum() / known.expand_as(every).sum().clamp(min=1)
            loss = loss + (soft_dice * present).sum() / present.sum().clamp(min=1)
        return loss, parts


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=120)
    arguments.add_argument("--batch-size", type=int, default=12)
    arguments.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    arguments.add_argument("--weights", type=Path, default=None, help="where all arms start [the bundled segsam-tiny]")
    asked = arguments.parse_args()
    folder = data_folder()
    sets = {name: [view for view in read(folder) if view.labels.any()] for name, read in TRAINING_SETS.items()}
    cases = test_cases(folder)
    table: dict[str, list[list[dict]]] = {arm.name: [] for arm in ARMS}
    for seed in SEEDS:
        for number, arm in enumerate(ARMS):
            run = asked.runs / f"arm{number}-seed{seed}"
            answers = run / "answers.json"
            if not answers.exists():
                network = trained(arm, seed, sets, run, asked)
                answers.write_text(json.dumps(measured(network, cases)), encoding="utf-8")
            table[arm.name].append(json.loads(answers.read_text(encoding="utf-8")))
            scores = table[arm.name][-1]
            print(f"seed {seed}, {arm.name}: DSC {np.mean([one['binary'] for one in scores]):.3f}", flush=True)
    write_section("ablation", report(table, asked))


def trained(arm: Arm, seed: int, sets: dict[str, list[LabelledView]], run: Path, asked: argparse.Namespace) -> SegSam:
    """One arm's network after its steps, on one thread so that runs can stand side by side."""
    settings = SegSamSettings.from_yaml()
    names = class_names_in(sets)
    config = SegSamConfig(
        names, so_token=arm.so_token, co_tokens=arm.co_tokens, text_to_vision=arm.text_to_vision, image_size=SIZE
    )
    torch.manual_seed(seed)
    network = SegSam(config, text_vectors(names))
    if arm.whole_image:
        network.semantic_decoder = WholeImageDecoder(len(names), 128, config.transformer_mlp_dim)
    start = load_network(asked.weights or bundled_weights("segsam-tiny"))
    for part in ("encoder", "prompt_encoder", "mask_decoder"):
        getattr(network, part).load_state_dict(getattr(start, part).state_dict())
    network.freeze_encoder()
    options = FitOptions(
        steps=asked.steps, batch_size=asked.batch_size, learning_rate=1e-3, seed=seed, average_decay=0.98,
        mixed_precision="bf16", checkpoint_minutes=60.0,
    )  # fmt: skip
    return fit(ArmTask(arm, network, sets, settings.shares, options), options, run)  # type: ignore[return-value]


def test_cases(folder: Path) -> list[Case]:
    """Structures of pictures that no arm has seen, evenly spread over each set."""
    chosen: list[Case] = []
    for views, smallest in (
        (isic2017(folder, "test"), 25),
        (busi(folder, "test"), 25),
        (middle_slices(hippocampus(folder, "test")), 25),
        (dicom_ct(folder), SMALLEST_CT_STRUCTURE),
    ):
        found = list(cases_of(views, smallest))
        chosen += [found[i] for i in np.linspace(0, len(found) - 1, min(CASES_A_SET, len(found))).astype(int)]
    return chosen


@torch.inference_mode()
def measured(network: SegSam, cases: list[Case]) -> list[dict]:
    """Dice of the binary and of the semantic mask of every structure, prompted by its jittered box."""
    answers = []
    known = network.config.class_names
    for case in (case for case in cases if case.class_name in known):
        shape, spacing = case.truth.shape, case.view.spacing_yx_mm
        transform = network.input_transform(shape, spacing)
        box = jittered_box(case.truth, 0.1, case.random)
        prompts = ViewPrompts(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), box)
        batch = prompt_tensors(network, [prompts], [Look.whole(shape)], [0], shape, spacing)
        output = network.decode(network.encode(transform.image(case.view.image)), batch)
        mask = transform.picture_logits(output.binary.mask_logits[0, :1])[0].numpy() > 0
        answer = {"class": case.class_name, "group": case.group, "binary": dice(mask, case.truth), "semantic": None}
        if output.semantic is not None:
            maps = transform.picture_logits(output.semantic.semantic_logits[0])
            named = maps.argmax(dim=0).numpy() == 1 + known.index(case.class_name)
            answer["semantic"] = dice(named, case.truth)
        answers.append(answer)
    return answers


def report(table: dict[str, list[list[dict]]], asked: argparse.Namespace) -> str:
    """The table with intervals over patients, structures' scores averaged over the seeds first."""
    rows, scores = [], {}
    first = table[ARMS[0].name][0]
    groups, classes = [one["group"] for one in first], np.array([one["class"] for one in first])
    for arm in ARMS:
        binary = np.mean([[one["binary"] for one in run] for run in table[arm.name]], axis=0)
        semantic = None
        if arm.so_token:
            semantic = np.mean([[one["semantic"] for one in run] for run in table[arm.name]], axis=0)
        scores[arm.name] = (binary, semantic)
    for number, arm in enumerate(ARMS):
        binary, semantic = scores[arm.name]
        before = scores[ARMS[BEFORE[number]].name] if number else (None, None)
        spread = np.std([np.mean([one["binary"] for one in run]) for run in table[arm.name]], ddof=1)
        rows.append(
            f"| {arm.name} | {mean_with_interval(binary.tolist(), groups)} | {spread:.3f} | "
            f"{_difference(binary, before[0], groups)} | {_by_class(semantic, classes, groups)} | "
            f"{_difference(semantic, before[1], groups, classes)} |"
        )
    return "\n".join(
        [
            f"{SIZE}x{SIZE} pixels, {asked.steps} steps of {asked.batch_size}, encoder frozen, {len(SEEDS)} paired "
            f"seeds, {len(first)} structures of {len(set(groups))} images not trained on, box prompts. DSC: binary "
            "mask; mDSC: semantic mask, mean over classes; intervals (95 %) over images. Each difference is to the arm "
            "that the paper adds the part to (both ways of using CO-tokens: to the SO-token alone).",
            "",
            "| arm | DSC | s.d. over seeds | difference | mDSC | difference |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"Machine: {machine()}.",
        ]
    )


def _difference(
    values: np.ndarray | None, before: np.ndarray | None, groups: list[str], classes: np.ndarray | None = None
) -> str:
    if values is None or before is None:
        return "-"
    if classes is None:
        return _signed(paired_difference(values.tolist(), before.tolist(), groups))
    return _signed(mean_with_interval(*_weighted(values - before, classes, groups)))


def _by_class(values: np.ndarray | None, classes: np.ndarray, groups: list[str]) -> str:
    return "-" if values is None else str(mean_with_interval(*_weighted(values, classes, groups)))


def _weighted(values: np.ndarray, classes: np.ndarray, groups: list[str]) -> tuple[list[float], list[str]]:
    """Values whose mean is the mean over classes of each class's mean."""
    _, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    return (values * len(values) / (len(counts) * counts[index])).tolist(), groups


def _signed(value: MeanWithInterval) -> str:
    return f"{value.mean:+.3f} ({value.low:+.3f} to {value.high:+.3f})"


if __name__ == "__main__":
    main()
