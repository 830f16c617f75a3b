"""A whole evaluation: choose the structures, measure, summarise, look at pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from samantic import __version__
from samantic.bundled import bundled_models, bundled_weights
from samantic.evaluation.cases import cases_of, drawn, evenly
from samantic.evaluation.evaluation_sets import EvaluationSet
from samantic.evaluation.interactive_protocol import InteractiveProtocol, best_disc_radius, measure
from samantic.evaluation.pictures import Picture, best_median_worst
from samantic.evaluation.record import EvaluationRecord, machine
from samantic.evaluation.summary import summarise
from samantic.segsam import SegSamPredictor

DISC_CASES = 150
"""Structures that the image-blind disc's radius is chosen on."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures and the pictures beside them."""

    record: EvaluationRecord
    pictures: list[Picture]


def load_model(model: str, device: str | None = None) -> SegSamPredictor:
    """Load a bundled model by name or a checkpoint by path; ValueError says which names there are."""
    # The others that come along cannot be prompted.
    promptable = [name for name in bundled_models() if name.startswith("segsam")]
    if model in promptable:
        return SegSamPredictor.from_checkpoint(bundled_weights(model), device)
    path = Path(model)
    if not path.is_file():
        raise ValueError(
            f"There is no model '{model}': name a bundled one ({', '.join(promptable)}) or a .safetensors file."
        )
    return SegSamPredictor.from_checkpoint(path, device)


def evaluate(
    model_name: str,
    model: SegSamPredictor,
    data: EvaluationSet,
    protocol: InteractiveProtocol | None = None,
    limit: int | None = None,
    smallest: int | None = None,
    step: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Measure a model on a set; ValueError if the set shows no structure.

    `smallest` in pixels goes before the set's own; `step` is called with what is done next, `progress` with the number
    of measured structures and of all.
    """
    protocol, smallest = protocol or InteractiveProtocol(), smallest or data.smallest
    started = time.monotonic()
    step("Choosing the disc's radius")
    radius = _disc_radius(data, smallest)
    step(f"Reading {data.name}")
    available = sum(1 for _ in cases_of(data.views(), smallest))
    if not available:
        raise ValueError(f"{data.title} shows no structure with at least {smallest} pixels.")
    total = available if limit is None else min(limit, available)
    done = 0

    def count(_: object) -> None:
        nonlocal done
        done += 1
        progress(done, total)

    step("Measuring")
    results = measure(
        model, evenly(lambda: cases_of(data.views(), smallest), available, limit), protocol, radius, count
    )
    step("Painting")
    pictures = best_median_worst(model, lambda: cases_of(data.views(), smallest), results, protocol)
    record = EvaluationRecord(
        model=model_name,
        weights_hash=model.weights_hash,
        encoder=model.encoder_name,
        data_set=data.name,
        data_title=data.title,
        available=available,
        smallest=smallest,
        protocol=protocol,
        disc_radius=radius,
        disc_source=data.disc_source,
        summary=summarise(results, protocol),
        results=results,
        seconds=time.monotonic() - started,
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(),
        version=__version__,
    )
    return Evaluation(record, pictures)


def _disc_radius(data: EvaluationSet, smallest: int) -> float | None:
    if data.disc_views is None:
        return None
    return best_disc_radius(drawn(cases_of(data.disc_views(), smallest), DISC_CASES))
