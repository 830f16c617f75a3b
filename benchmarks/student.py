"""The Mamba student: how fast it is, how good with all labels, and what it makes of few.

    SAMANTIC_DATA=... python benchmarks/student.py RUN {speed,full,few,ablation,report} [--set NAME] [--part val]
        [--weights FILE] [--side 64] [--steps 800]

speed: one pass and one training step beside LightM-UNet (16; 1, 2, 2, 4) with a parallel scan in plain PyTorch.
full: the bundled students, which had all labels of their set, beside a U-Net of the same size that is trained here on
as many pictures for as many steps; `--weights` measures another student of `--set`.
few: 10 % and 20 % of the labels of the dermoscopic and the breast images, three seeds: labels alone, mean teacher,
ours, and all labels in as many steps; no part of an arm has seen another label of its set, its teacher neither, which
is trained here.
ablation: ours at 10 % with and without each of the losses.
Both are short runs on small pictures; `few --side 256 --steps 10000` compares on larger ones for longer, on a machine
with a GPU: not run.
Every training goes on where it stopped; scores are kept as JSON in RUN. `--part val` measures on the validation part,
to choose by; `report` writes RESULTS.md from what was measured on the test part.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from student_lightmunet import LightMUNet
from student_mean_teacher import fit_mean_teacher
from student_report import write_report
from student_sets import SETS, divided, falsely_found, measured, training_views

from samantic.bundled import bundled_weights
from samantic.imaging import atomic_path
from samantic.segsam import SegSamConfig
from samantic.segsam.training.fit import fit as fit_segsam
from samantic.student import MambaStudent, PromptableTeacher, StudentPredictor
from samantic.student.losses import supervised_loss
from samantic.student.training import Lessons, StudentSettings, fit_student
from samantic.student.training.pictures import Pictures
from samantic.training import FitOptions

FRACTIONS = (0.1, 0.2, 1.0)
"""Of the labels; with all of them there is nothing but labels to learn from: what could be reached."""
FEW_SETS = ("dermoscopy", "breast")
SEEDS = (1, 2, 3)
ARMS = ("supervised", "mean_teacher", "ours")
FEW_LESSONS = Lessons(perturbation=0.0, distribution=0.1, pseudo_labels=0.5, ramp_share=0.4, unlabelled=4)
"""Chosen on validation images of breasts, where the teacher's responses did harm."""
VARIATIONS = {
    "with_perturbation": dataclasses.replace(FEW_LESSONS, perturbation=0.1),
    "without_distribution": dataclasses.replace(FEW_LESSONS, distribution=0.0),
    "without_pseudo_labels": dataclasses.replace(FEW_LESSONS, pseudo_labels=0.0),
}
FEW_LABELLED, FEW_STEPS, FEW_SIDE = 16, 800, 64
"""Short runs on small pictures: there are 51 of them. After 300 steps nothing but the labels has begun to help."""

TEACHER_CLASSES = ("skin_lesion", "breast_lesion", "hippocampus_anterior", "hippocampus_posterior")
TEACHER_STEPS = 240
UNET_WIDTHS = (24, 56, 112, 168)
"""1.27 million parameters without a mixer; the student has 1.32."""


def speed(run: Path) -> None:
    """Medians of both networks, in turns, on two cores."""
    torch.set_num_threads(2)
    student, peer = MambaStudent(), LightMUNet()
    networks: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "student": lambda pictures: student(pictures).logits,
        "lightmunet": peer,
    }

    def seconds(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    def step(network: Callable[[torch.Tensor], torch.Tensor]) -> None:
        supervised_loss(network(torch.rand(1, 3, 128, 128)), torch.zeros(1, 128, 128, dtype=torch.long)).backward()

    @torch.inference_mode()
    def forward(network: Callable[[torch.Tensor], torch.Tensor]) -> None:
        network(torch.rand(1, 3, 256, 256))

    found: dict[str, float] = {"threads": torch.get_num_threads()}
    for kind, work in (("forward", forward), ("step", step)):
        for network in networks.values():
            work(network)
        times: dict[str, list[float]] = {name: [] for name in networks}
        for _ in range(5):
            for name, network in networks.items():
                times[name].append(seconds(lambda work=work, network=network: work(network)))
        found |= {f"{kind} {name}": float(np.median(values)) for name, values in times.items()}
    for name, network in (("student", student), ("lightmunet", peer)):
        found[f"parameters {name}"] = sum(parameter.numel() for parameter in network.parameters())
    _keep(run / "speed.json", found)
    print(json.dumps(found, indent=1))


def full(run: Path, names: tuple[str, ...], part: str, weights: Path | None) -> None:
    """All labels: the student and the U-Net."""
    for name in names:
        student = StudentPredictor.load(weights or bundled_weights(SETS[name].model), "cpu")
        _note(run, name, "student", part, student)
        unet = _unet(StudentSettings.packaged(SETS[name].model), name, run / f"full-{name}")
        _note(run, name, "unet", part, StudentPredictor(unet, device="cpu"))


def _note(run: Path, name: str, arm: str, part: str, predictor: StudentPredictor) -> None:
    rows: dict[str, object] = {"scores": measured(name, predictor, part)}
    if name == "breast":
        rows["falsely_found"] = falsely_found(predictor, part)
    _keep(run / f"full-{name}-{arm}-{part}.json", rows)
    print(name, arm, np.mean(rows["scores"], axis=0).round(4), flush=True)


def _unet(settings: StudentSettings, name: str, folder: Path) -> MambaStudent:
    """A U-Net that learns from the labels as the student does, without mixers and lessons."""
    config = dataclasses.replace(settings.network, widths=UNET_WIDTHS, mixers=(0,) * len(UNET_WIDTHS))
    plain = dataclasses.replace(settings, network=config, lessons=Lessons.none())
    return fit_student(plain, training_views(name)[:: settings.every], (), folder / "unet")


def few_teacher(run: Path, name: str, fraction: float) -> PromptableTeacher:
    """A SEG-SAM that has seen the other sets and the labels of this fraction, none other of this set."""
    folder = run / f"teacher-{name}-{fraction}"
    views = {SETS[other].data_set: training_views(other) for other in SETS if other != name}
    views[SETS[name].data_set] = divided(name, fraction)[0]
    seen = {data_set: [view for view in some if view.labels.any()] for data_set, some in views.items()}
    rest = 0.5 / (len(seen) - 1)
    shares = {data_set: 0.5 if data_set == SETS[name].data_set else rest for data_set in seen}
    options = FitOptions(steps=TEACHER_STEPS, batch_size=16, average_decay=0.99, mixed_precision="bf16", seed=17)
    fit_segsam(SegSamConfig(TEACHER_CLASSES, encoder="tiny", image_size=128), seen, shares, options, folder)
    return PromptableTeacher.load(folder / "segsam.safetensors")


@dataclass(frozen=True)
class FewRuns:
    """How large pictures are, in pixels along a side, and how many steps every arm takes."""

    side: int = FEW_SIDE
    steps: int = FEW_STEPS


def few_settings(name: str, arm: str, seed: int, lessons: Lessons, runs: FewRuns) -> StudentSettings:
    """Every arm sees as many pictures a step, and as many steps."""
    settings = StudentSettings.packaged(SETS[name].model)
    labelled = FEW_LABELLED + 2 * lessons.unlabelled if arm == "supervised" else FEW_LABELLED
    chosen = Lessons.none() if arm == "supervised" else lessons
    # What a component must reach was chosen for students that had all labels.
    network = dataclasses.replace(settings.network, side=runs.side, least_share=0.0)
    settings = dataclasses.replace(settings, network=network, lessons=chosen)
    return settings.replacing(steps=runs.steps, batch_size=labelled, seed=seed, average_decay=0.99, sheet_every=0)


def train_few(
    run: Path, name: str, fraction: float, arm: str, seed: int, lessons: Lessons, runs: FewRuns
) -> MambaStudent:
    """One arm; `lessons` are ours."""
    labelled, rest = divided(name, fraction)
    settings = few_settings(name, arm, seed, lessons, runs)
    folder = run / "arms" / f"{name}-{fraction}-{arm}-{seed}"
    if arm == "mean_teacher":
        return fit_mean_teacher(settings, Pictures.of(settings.network, labelled, rest), folder)
    teacher = few_teacher(run, name, fraction) if settings.lessons.asks_teacher else None
    shelf = run / f"teacher-{name}-{fraction}"
    return fit_student(settings, labelled, rest, folder, teacher=teacher, shelf=shelf)


def few(run: Path, names: tuple[str, ...], part: str, runs: FewRuns) -> None:
    for seed, name, fraction, arm in itertools.product(SEEDS, names, FRACTIONS, ARMS):
        if name in FEW_SETS and (fraction < 1 or arm == "supervised"):
            _measure(run, part, name, fraction, arm, seed, FEW_LESSONS, runs)


def ablation(run: Path, part: str, runs: FewRuns) -> None:
    """Ours at 10 % of the breast's labels, one loss more or less; ours itself is an arm of `few`."""
    for seed, (arm, lessons) in itertools.product(SEEDS, VARIATIONS.items()):
        _measure(run, part, "breast", FRACTIONS[0], arm, seed, lessons, runs)


def _measure(
    run: Path, part: str, name: str, fraction: float, arm: str, seed: int, lessons: Lessons, runs: FewRuns
) -> None:
    path = run / f"few-{name}-{fraction}-{arm}-{seed}-{part}.json"
    if not path.exists():
        predictor = StudentPredictor(train_few(run, name, fraction, arm, seed, lessons, runs), device="cpu")
        _keep(path, {"scores": measured(name, predictor, part)})
    scores = json.loads(path.read_text(encoding="utf-8"))["scores"]
    print(name, fraction, arm, seed, np.mean(scores, axis=0).round(4), flush=True)


def _keep(path: Path, values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(values), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("stage", choices=("speed", "full", "few", "ablation", "report"))
    parser.add_argument("--set", choices=tuple(SETS), help="default: all")
    parser.add_argument("--part", choices=("val", "test"), default="test")
    parser.add_argument("--weights", type=Path, help="of the student of --set; default: the bundled ones")
    parser.add_argument("--side", type=int, default=FEW_SIDE, help="of the pictures of few and ablation")
    parser.add_argument("--steps", type=int, default=FEW_STEPS, help="of the arms of few and ablation")
    arguments = parser.parse_args()
    if arguments.weights and not arguments.set:
        parser.error("--weights are those of one student: name it by --set.")
    names = (arguments.set,) if arguments.set else tuple(SETS)
    runs = FewRuns(arguments.side, arguments.steps)
    if arguments.stage == "speed":
        speed(arguments.run)
    elif arguments.stage == "full":
        full(arguments.run, names, arguments.part, arguments.weights)
    elif arguments.stage == "few":
        few(arguments.run, names, arguments.part, runs)
    elif arguments.stage == "ablation":
        ablation(arguments.run, arguments.part, runs)
    else:
        seen = FEW_LABELLED + 2 * FEW_LESSONS.unlabelled
        size = f"{runs.side}x{runs.side} pixels, {runs.steps} steps of {seen} pictures"
        write_report(arguments.run, FEW_SETS, FRACTIONS, SEEDS, size)


if __name__ == "__main__":
    main()
