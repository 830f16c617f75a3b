"""Draw, refine, check, keep: until as many pairs are in the folder as were asked for."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch.nn import functional

from samantic.besadiff.generator import Diagnosis, GeneratedPair
from samantic.besadiff.refiner import Refinement
from samantic.besadiff.synthesis.contact_sheet import CONTACT_SHEET, write_sheet
from samantic.besadiff.synthesis.errors import SynthesisError
from samantic.besadiff.synthesis.manifest import MANIFEST, Attempt, Decision, Manifest
from samantic.besadiff.synthesis.pair_folder import PairFolder
from samantic.besadiff.synthesis.parts import CopyCheck, PairSource, Refiner
from samantic.besadiff.synthesis.settings import SynthesisSettings

SIDE = 256
MOST_PAIRS = 999_999
SAVED_EVERY_S = 15.0
"""What was done after the last save is done again after a kill, and comes out the same."""
PATIENCE = 100
"""After so many attempts one in PATIENCE_SHARE must have been accepted, or the parts are of no use."""
PATIENCE_SHARE = 50


@dataclass(frozen=True)
class SynthesisProgress:
    """How far it is: pairs in the folder, pairs wanted, and attempts so far with what became of them."""

    accepted: int
    wanted: int
    attempts: int
    rejected: int
    copies: int


@dataclass(frozen=True)
class Synthesis:
    """The folder as it was left; `finished` says whether all pairs that were asked for are in it."""

    folder: Path
    progress: SynthesisProgress
    finished: bool


def synthesize(
    count: int,
    folder: Path,
    generator: PairSource,
    refiner: Refiner,
    copies: CopyCheck | None = None,
    *,
    diagnoses: Sequence[Diagnosis] = (),
    seed: int = 0,
    side: int = SIDE,
    on_progress: Callable[[SynthesisProgress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Synthesis:
    """Fill `folder` until it holds `count` accepted pairs of an image and a mask of a skin lesion.

    Every attempt depends on the seed and its number alone: stopped or killed at any moment and called again, also with
    a larger `count`, the same pairs come out, bit for bit on one machine. `diagnoses` are taken in turn; without, they
    are drawn. Without `copies` nobody looks whether images copy training images, and the manifest says so. With
    `is_cancelled` it returns after the attempt under way. Source: BESA-Diff; rules, checks and record: ours.
    SynthesisError: the folder was begun otherwise, is in use, or nearly every attempt is rejected.
    """
    if not 1 <= count <= MOST_PAIRS:
        raise SynthesisError(f"1 to {MOST_PAIRS} pairs can be synthesised into one folder, not {count}.")
    settings = SynthesisSettings(
        seed=seed,
        diagnoses=tuple(diagnoses),
        side=side,
        generator=generator.weights_hash,
        refiner=refiner.settings(),
        copy_check="none" if copies is None else copies.fingerprint,
    )
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".synthesis.lock")
    try:
        with lock.acquire(timeout=0):
            manifest = Manifest.opened(folder, settings)
            run = _Run(count, PairFolder(folder), manifest, settings, generator, refiner, copies)
            return run.go(on_progress, is_cancelled)
    except Timeout:
        raise SynthesisError(f"Another process is synthesising into '{folder}'; wait for it, or stop it.") from None


@dataclass
class _Run:
    count: int
    pairs: PairFolder
    manifest: Manifest
    settings: SynthesisSettings
    generator: PairSource
    refiner: Refiner
    copies: CopyCheck | None

    def go(self, on_progress: Callable[[SynthesisProgress], None], is_cancelled: Callable[[], bool]) -> Synthesis:
        # Before anything else, so that the folder is known again whenever the run ends.
        self.manifest.save(self.pairs.folder)
        self.pairs.make()
        self._save()
        saved = time.monotonic()
        on_progress(self.progress())
        try:
            while self.manifest.counts["accepted"] < self.count and not is_cancelled():
                self.manifest.add(self._attempt(len(self.manifest.attempts)))
                on_progress(self.progress())
                self._check_patience()
                if time.monotonic() - saved > SAVED_EVERY_S:
                    self._save()
                    saved = time.monotonic()
        finally:
            self._save()
        accepted = self.manifest.accepted
        write_sheet(self.pairs, accepted)
        if self.copies is not None:
            named = [one.name for one in accepted if one.name is not None]
            report = self.pairs.folder / CONTACT_SHEET.parent
            report.mkdir(exist_ok=True)
            self.copies.write_report([(name, self.pairs.read(name)[0]) for name in named], report)
        return Synthesis(self.pairs.folder, self.progress(), len(accepted) >= self.count)

    def progress(self) -> SynthesisProgress:
        counts = self.manifest.counts
        return SynthesisProgress(counts["accepted"], self.count, counts.total(), counts["rejected"], counts["copy"])

    def _save(self) -> None:
        # The manifest last: what it names is in the folder.
        self.pairs.note(self.manifest.accepted)
        self.manifest.save(self.pairs.folder)

    def _attempt(self, number: int) -> Attempt:
        random = np.random.default_rng([self.settings.seed, number])
        diagnoses = self.settings.diagnoses
        condition = self.generator.draw_condition(random, diagnoses[number % len(diagnoses)] if diagnoses else None)
        seed = int(random.integers(2**31))
        drawn = self.generator.generate([condition], seeds=[seed])[0]
        image, coarse = enlarged(drawn, self.settings.side)
        refined = self.refiner.refine(image, coarse, seed=seed)
        record: dict[str, Any] = {"seed": seed, "condition": asdict(condition), "refinement": refined.to_json()}
        decision, reasons = self._decided(image, refined, record)
        name = None
        if decision == "accepted":
            name = f"synthetic_{self.manifest.counts['accepted'] + 1:06d}"
            record.update(self.pairs.write(name, image, refined.mask, coarse))
        return Attempt(number, decision, name, reasons, record)

    def _decided(
        self, image: np.ndarray, refined: Refinement, record: dict[str, Any]
    ) -> tuple[Decision, tuple[str, ...]]:
        if not refined.accepted:
            return "rejected", refined.reasons
        if self.copies is None:
            return "accepted", ()
        nearest = self.copies.nearest(image)
        record["nearest"] = {
            "image": nearest.image_id,
            "pixel_distance": round(float(nearest.pixel_distance), 5),
            "embedding_distance": round(float(nearest.embedding_distance), 5),
        }
        if nearest.is_copy:
            return "copy", (f"The image is as near to the training image {nearest.image_id} as a copy is.",)
        return "accepted", ()

    def _check_patience(self) -> None:
        attempts, accepted = len(self.manifest.attempts), self.manifest.counts["accepted"]
        if attempts < PATIENCE or accepted * PATIENCE_SHARE >= attempts:
            return
        reasons = [reason for one in self.manifest.attempts for reason in one.reasons]
        commonest = Counter(map(_without_figures, reasons)).most_common(1)[0][0]
        example = next(reason for reason in reasons if _without_figures(reason) == commonest)
        raise SynthesisError(
            f"Of {attempts} attempts {accepted} were accepted. The most frequent reason, for example: {example} Other "
            f"weights or classes may do better; all reasons are in {self.pairs.folder / MANIFEST}."
        )


def enlarged(pair: GeneratedPair, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Resample a pair to (side, side): image (side, side, 3) uint8, mask in 0 to 1 (side, side) float32."""
    pixels = torch.from_numpy(np.ascontiguousarray(pair.image)).permute(2, 0, 1)[None].float()
    if pixels.shape[2:] == (side, side):
        return pair.image, pair.probability.astype(np.float32)
    large = functional.interpolate(pixels, size=(side, side), mode="bicubic", antialias=True)
    soft = functional.interpolate(
        torch.from_numpy(pair.probability.astype(np.float32))[None, None], size=(side, side), mode="bilinear"
    )
    image = large[0].permute(1, 2, 0).clamp(0, 255).round().byte().numpy()
    return image, soft[0, 0].clamp(0, 1).numpy()


def _without_figures(reason: str) -> str:
    return re.sub(r"[0-9.]+", "", reason)
