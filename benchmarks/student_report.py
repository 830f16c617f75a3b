"""What `student.py` measured, as sections of RESULTS.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from results import machine, write_section
from student_sets import COLUMNS, SETS

from samantic.evaluation import mean_with_interval, paired_difference

NAMES = {
    "supervised": "labels alone",
    "mean_teacher": "mean teacher",
    "ours": "ours",
    "with_perturbation": "ours with the teacher's responses",
    "without_distribution": "ours without the distributions",
    "without_pseudo_labels": "ours without pseudo-labels",
}
PAPER = (
    "The paper's table, on other data (Dice / HD at 10 %, 20 % of the labels): U-Net 64.5/20.5, 66.0/19.3; UA-MT 70.1, "
    "72.3; SemiSAM-MT 72.5, 74.9; MC-Net+ 72.9, 73.3; BCP 81.5, 82.2; CPC-SAM 81.7/12.2, 83.7/11.6; its own method "
    "83.5/13.6, 85.7/12.3."
)


def write_report(
    run: Path, few_sets: Sequence[str], fractions: Sequence[float], seeds: Sequence[int], few_size: str
) -> None:
    """Write a section for every stage that was measured on the test part; others are told of."""
    for name, made in (
        ("Mamba student: speed", lambda: _speed(run)),
        ("Mamba student: all labels", lambda: _full(run)),
        ("Mamba student: few labels", lambda: _few(run, few_sets, fractions, seeds, few_size)),
    ):
        text = made()
        if text is None:
            print(f"{name}: not measured yet")
            continue
        text += f"\n\n{machine()}"
        print(text)
        write_section(name, text)


def _speed(run: Path) -> str | None:
    found = _read(run / "speed.json")
    if found is None:
        return None
    lines = ["| | student | LightM-UNet | times faster |", "|---|---|---|---|"]
    for kind, shown in (("forward", "forward, 256x256, s"), ("step", "forward and backward, 128x128, s")):
        mine, theirs = found[f"{kind} student"], found[f"{kind} lightmunet"]
        lines.append(f"| {shown} | {mine:.4f} | {theirs:.3f} | {theirs / mine:.0f} |")
    lines.append(f"| parameters | {found['parameters student']:.0f} | {found['parameters lightmunet']:.0f} | |")
    return (
        "`benchmarks/student.py RUN speed`: medians of five, in turns, batch 1, "
        f"{found['threads']:.0f} threads; LightM-UNet (16; 1, 2, 2, 4) with a parallel scan in plain PyTorch.\n\n"
        + "\n".join(lines)
    )


def _full(run: Path) -> str | None:
    lines = ["| set | student: Dice | HD95 | U-Net: Dice | HD95 | Dice, student - U-Net | goal |", "|---" * 7 + "|"]
    notes = []
    for name, measured_set in SETS.items():
        student, unet = (_read(run / f"full-{name}-{arm}-test.json") for arm in ("student", "unet"))
        if student is None or unet is None:
            continue
        mine, theirs = np.array(student["scores"]), np.array(unet["scores"])
        change = paired_difference(mine[:, 0].tolist(), theirs[:, 0].tolist())
        cells = [_shown(rows[:, column], column) for rows in (mine, theirs) for column in range(2)]
        lines.append(
            f"| {measured_set.shown}, n {len(mine)}, HD95 in {measured_set.unit} | " + " | ".join(cells) + " | "
            f"{change.mean:+.3f} ({change.low:+.3f} to {change.high:+.3f}) | {measured_set.goal} |"
        )
        if "falsely_found" in student:
            drawn, count = student["falsely_found"]
            notes.append(f"Of {count} breast ultrasounds without a lesion the student draws one in {drawn}.")
    if len(lines) == 2:
        return None
    return (
        "`benchmarks/student.py RUN full`: test parts of splits.json; mean (95 % bootstrap interval), differences "
        "paired. The U-Net is folded as the student is, of about its size, and learns from as many pictures a "
        "step for as many steps, from the labels alone.\n\n" + "\n".join([*lines, "", *notes])
    )


def _few(run: Path, sets: Sequence[str], fractions: Sequence[float], seeds: Sequence[int], size: str) -> str | None:
    lines = [
        "| set | labels | learning | " + " | ".join(COLUMNS) + " | Dice, less labels alone | HD95, less labels alone |",
        "|---" * 7 + "|",
    ]
    for name in sets:
        for fraction in fractions:
            base: np.ndarray | None = None
            for arm, shown in NAMES.items():
                files = [_read(run / f"few-{name}-{fraction}-{arm}-{seed}-test.json") for seed in seeds]
                if any(found is None for found in files):
                    continue
                rows = np.array([found["scores"] for found in files if found is not None])
                base = rows if arm == "supervised" else base
                groups = [str(image) for _ in seeds for image in range(rows.shape[1])]
                cells = [_shown(rows[..., column], column, groups) for column in range(2)]
                spread = rows[..., 0].mean(axis=1)
                cells[0] += f", seeds {spread.min():.3f}-{spread.max():.3f}"
                for column, digits in ((0, 3), (1, 1)):
                    if base is None or arm == "supervised":
                        cells.append("")
                        continue
                    change = paired_difference(
                        rows[..., column].ravel().tolist(), base[..., column].ravel().tolist(), groups
                    )
                    cells.append(f"{change.mean:+.{digits}f} ({change.low:+.{digits}f} to {change.high:+.{digits}f})")
                lines.append(f"| {SETS[name].shown} | {fraction:.0%} | {shown} | " + " | ".join(cells) + " |")
    if len(lines) == 2:
        return None
    return (
        f"`benchmarks/student.py RUN few` and `ablation`: test parts, {len(seeds)} seeds, {size}; intervals and "
        "differences by image. All arms see as many pictures a step for as many steps; the teachers of ours have seen "
        "the labels of their fraction and those of the other sets, none other of the set.\n\n"
        + "\n".join(lines)
        + f"\n\n{PAPER}"
    )


def _shown(values: np.ndarray, column: int, groups: Sequence[str] | None = None) -> str:
    """Mean and interval; Dice has three digits, a distance one."""
    found, digits = mean_with_interval(values.ravel().tolist(), groups), (3, 1)[column]
    return f"{found.mean:.{digits}f} ({found.low:.{digits}f}-{found.high:.{digits}f})"


def _read(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
