"""What the check for copies found, as figures and as a picture of the closest pairs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from samantic.evaluation import SheetTile, write_contact_sheet
from samantic.imaging import atomic_path

if TYPE_CHECKING:
    from samantic.besadiff.memorisation import CopyThresholds, Neighbour

SHOWN = 10
FIGURES, PICTURE = "memorisation.json", "closest_pairs.png"
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, eq=False)
class ReportedPair:
    """A generated image and its nearest training image, both (S, S, 3) uint8 and the same way up."""

    name: str
    image: np.ndarray
    training: np.ndarray
    neighbour: Neighbour


def write_memorisation_report(
    pairs: Sequence[ReportedPair],
    thresholds: CopyThresholds,
    ordinary: Mapping[str, Sequence[float]],
    folder: Path,
) -> Path:
    """Write FIGURES and, if there are pairs, PICTURE into `folder`; return the path of the picture.

    `ordinary` are the distances of training images to their nearest others, by the kind of distance.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(pairs, key=lambda pair: (pair.neighbour.pixel_distance, pair.name))
    generated = {
        "pixel": [pair.neighbour.pixel_distance for pair in ordered],
        "embedding": [pair.neighbour.embedding_distance for pair in ordered],
    }
    figures = {
        "images": len(ordered),
        "copies": [pair.name for pair in ordered if pair.neighbour.is_copy],
        "thresholds": dataclasses.asdict(thresholds),
        "nearest_of_generated": {kind: _quantiles(values) for kind, values in generated.items()},
        "nearest_of_training": {kind: _quantiles(values) for kind, values in ordinary.items()},
        "nearest": {pair.name: dataclasses.asdict(pair.neighbour) for pair in ordered},
    }
    with atomic_path(folder / FIGURES) as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    picture = folder / PICTURE
    if ordered:
        closest = ordered[:SHOWN]
        above = [_tile(pair.image, _caption(pair)) for pair in closest]
        below = [_tile(pair.training, pair.neighbour.image_id) for pair in closest]
        write_contact_sheet(
            picture, [("Generated, turned like the image below", above), ("Nearest training image", below)]
        )
    return picture


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {f"{share:g}": round(float(np.quantile(values, share)), 5) for share in QUANTILES}


def _caption(pair: ReportedPair) -> str:
    neighbour = pair.neighbour
    said = f"{neighbour.pixel_distance:.3f} pixels, {neighbour.embedding_distance:.3f} embedding"
    return f"COPY: {said}" if neighbour.is_copy else said


def _tile(image: np.ndarray, caption: str) -> SheetTile:
    nothing = np.zeros(image.shape[:2], dtype=bool)
    return SheetTile(image, nothing, nothing, caption)
