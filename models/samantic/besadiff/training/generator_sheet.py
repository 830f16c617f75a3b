"""A picture of what a generator draws, to be looked at while it is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samantic.besadiff.generator.condition import DIAGNOSES, ConditionDistribution
from samantic.besadiff.generator.lesion_generator import LesionGenerator
from samantic.besadiff.generator.network import GeneratorNetwork
from samantic.evaluation import SheetTile, write_contact_sheet

COLUMNS, SEED, STEPS = 6, 20, 20


def write_generated_sheet(network: GeneratorNetwork, conditions: ConditionDistribution, path: Path) -> None:
    """Write a PNG with a row of generated pairs a diagnosis; the mask is outlined, the same seeds every time."""
    generator = LesionGenerator(network, conditions, device=next(network.parameters()).device)
    rows = []
    for number, diagnosis in enumerate(name for name in DIAGNOSES if conditions.lesions.get(name)):
        random = np.random.default_rng((SEED, number))
        wanted = [conditions.draw(random, diagnosis) for _ in range(COLUMNS)]
        seeds = [SEED + 100 * number + column for column in range(COLUMNS)]
        tiles = []
        for pair in generator.stream(wanted, seeds=seeds, steps=STEPS):
            mask = pair.mask
            caption = f"area {pair.condition.area or 0:.0%}, drawn {mask.mean():.0%}"
            # A line, where a tint would hide the lesion.
            tiles.append(SheetTile(pair.image, mask, np.zeros_like(mask), caption))
        rows.append((diagnosis.replace("_", " "), tiles))
    if rows:
        write_contact_sheet(path, rows)
