"""Synthetic lesions for the demo study: a few with labels to learn from, most for a person to annotate."""

from __future__ import annotations

import filecmp
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from samantic.besadiff.generator import DIAGNOSES
from samantic.besadiff.synthesis.errors import OtherSettingsError, SynthesisError
from samantic.besadiff.synthesis.manifest import MANIFEST, Attempt, read_manifest
from samantic.besadiff.synthesis.pair_folder import LABELS, PairFolder
from samantic.besadiff.synthesis.parts import PairSource, Refiner
from samantic.besadiff.synthesis.synthesizing import SynthesisProgress, synthesize
from samantic.imaging import atomic_path

PAIRS = 24
LABELLED = 6
SEED = 2017
TRUTH = Path("truth") / "synthetic"
"""In the demo study's truth, which no datastore takes for images: the whole synthesis with its manifest."""


def add_demo_pairs(
    study: Path,
    load: Callable[[], tuple[PairSource, Refiner]],
    seconds: float,
    on_progress: Callable[[SynthesisProgress], None] = lambda _: None,
) -> int:
    """Add synthetic lesions to the demo study's folder and return how many of the PAIRS it has now.

    They are made from a fixed seed, for about `seconds`: what is missing then, the next call adds, and the same images
    come out whenever they are made. The first LABELLED come with a final label, so that a person sees what one looks
    like, and a training round and the strategies have something to begin with. The others have none, since annotating
    is what the demo is for; their masks lie in the truth to compare with. What is there is not touched. `load` is
    called only if pairs are missing. SynthesisError: another image has the name of one of these.
    """
    made = study / TRUTH
    if _placed(study, _accepted(made)) == PAIRS:
        return PAIRS
    generator, refiner = load()
    until = time.monotonic() + seconds
    try:
        synthesize(
            PAIRS,
            made,
            generator,
            refiner,
            diagnoses=DIAGNOSES,
            seed=SEED,
            on_progress=on_progress,
            is_cancelled=lambda: time.monotonic() > until,
        )
    except OtherSettingsError:
        # Made with the weights of an earlier version: the demo keeps what it has.
        return _placed(study, _accepted(made))
    accepted = _accepted(made)
    for number, attempt in enumerate(accepted):
        _place(study, made, attempt, labelled=number < LABELLED)
    return _placed(study, accepted)


def _accepted(made: Path) -> list[Attempt]:
    return read_manifest(made).accepted if (made / MANIFEST).is_file() else []


def _placed(study: Path, accepted: list[Attempt]) -> int:
    return sum((study / f"{attempt.name}.png").is_file() for attempt in accepted)


def _place(study: Path, made: Path, attempt: Attempt, labelled: bool) -> None:
    source, target = made / f"{attempt.name}.png", study / f"{attempt.name}.png"
    if target.is_file():
        if not filecmp.cmp(source, target, shallow=False):
            raise SynthesisError(
                f"'{target}' is in the way: it is not the image of the demo study; move it or choose another folder."
            )
        return
    label = study / LABELS / source.name
    labelled = labelled and not label.exists()
    if labelled:
        label.parent.mkdir(parents=True, exist_ok=True)
        _copied(made / LABELS / source.name, label)
    PairFolder(study).note([attempt], labelled)
    # The image last: what is noted about an image that is not there is not shown.
    _copied(source, target)


def _copied(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
