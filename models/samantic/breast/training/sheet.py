"""A picture of what the network finds, to be looked at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samantic.breast.diagnosis import DIAGNOSES, known_index
from samantic.breast.network import BreastNetwork
from samantic.breast.reader import BreastReader
from samantic.breast.training.examples import BreastExample
from samantic.evaluation import SheetTile, dice, write_contact_sheet

TILES_A_ROW = 6


def write_sheet(network: BreastNetwork, examples: Sequence[BreastExample], path: Path) -> None:
    """Write a PNG with one tile an example: the lesion as labelled and as found, its Dice, and both diagnoses."""
    reader = BreastReader(network, device=next(network.parameters()).device)
    write_tiles(reader, examples, path)


def write_tiles(reader: BreastReader, examples: Sequence[BreastExample], path: Path) -> None:
    """Likewise from a reader, whose probabilities may be calibrated."""
    tiles = []
    for example in examples:
        answer = reader.read(example.image)
        index = known_index(example.possible)
        truth = "?" if index is None else DIAGNOSES[index]
        told = f"{truth}: {answer.diagnosis} {answer.confidence:.2f}"
        tiles.append(
            SheetTile(example.image, example.mask, answer.mask, f"{told}  Dice {dice(answer.mask, example.mask):.2f}")
        )
    rows = [tiles[first : first + TILES_A_ROW] for first in range(0, len(tiles), TILES_A_ROW)]
    title = "Truth: answer, probability, overlap"
    write_contact_sheet(path, [("" if index else title, row) for index, row in enumerate(rows)])
