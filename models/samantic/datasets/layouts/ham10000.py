"""HAM10000: dermoscopy of pigmented lesions (Tschandl et al., Scientific Data 2018) with the outlines that the same
group published later (Tschandl et al., Nature Medicine 2020)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, DatasetError, LabelFile, Listing
from samantic.datasets.layouts.isic import LESION
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.tree import Tree

IMAGES = ("HAM10000_images_part_1", "HAM10000_images_part_2")
MASKS = "HAM10000_segmentations_lesion_tschandl"
MASK_ENDING = "_segmentation.png"
TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata")


@dataclass(frozen=True)
class Ham10000Layout(Layout):
    """Two folders of images, one of masks, and the table HAM10000_metadata, all side by side.

    The publisher names no parts: all images are in "all". A lesion may have several images: `lesion_ids` says which
    belong together, so that a split keeps them on one side.
    """

    def root(self, folder: Path) -> Path | None:
        """Return `folder` if one of the folders of images lies in it."""
        tree = Tree(folder)
        return folder if any(tree.folder(name) for name in IMAGES) else None

    def listing(self, folder: Path) -> Listing:
        """Pair each image with its mask; images that the table names must be there."""
        tree = Tree(folder)
        for name in (*IMAGES, MASKS):
            if tree.folder(name) is None:
                tree.problem(folder / name, "the folder is missing")
        pictures = {
            name.rsplit(".", 1)[0]: path
            for images in IMAGES
            for name, path in tree.files(tree.folder(images), ".jpg").items()
        }
        masks = tree.files(tree.folder(MASKS), MASK_ENDING)
        found = {name[: -len(MASK_ENDING)]: path for name, path in masks.items()}
        cases: list[Case] = []
        for image_id, path in sorted(pictures.items()):
            mask = found.get(image_id)
            if mask is None and found:
                tree.problem(path, f"has no mask {MASKS}/{image_id}{MASK_ENDING}")
            labels = () if mask is None else (LabelFile(mask, LESION),)
            cases.append(Case(image_id, "all", "dermoscopy", path, labels))
        for image_id in sorted(set(found) - set(pictures)):
            tree.problem(found[image_id], f"has no image {image_id}.jpg in {' or '.join(IMAGES)}")
        table = _table(tree)
        if table is not None:
            for image_id in sorted({row["image_id"] for row in _rows(tree, table)} - set(pictures)):
                tree.problem(table, f"names {image_id}, and there is no {image_id}.jpg in {' or '.join(IMAGES)}")
        return Listing(tuple(cases), tuple(tree.problems))


def lesion_ids(folder: Path) -> dict[str, str]:
    """Return image id -> id of the lesion that it shows, as HAM10000_metadata says; {} without that table.

    Raises DatasetError for a table that cannot be read.
    """
    tree = Tree(folder)
    table = _table(tree)
    return {} if table is None else {row["image_id"]: row["lesion_id"] for row in _rows(tree, table)}


def _table(tree: Tree) -> Path | None:
    return next((path for name in TABLES if (path := tree.file(name)) is not None), None)


def _rows(tree: Tree, table: Path) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(tree.text(table).splitlines())
    if not {"lesion_id", "image_id"} <= set(reader.fieldnames or ()):
        raise DatasetError(f"'{table.name}' has no columns lesion_id and image_id; is it the table of HAM10000?")
    yield from reader


HAM10000 = Ham10000Layout(
    name="ham10000",
    title="HAM10000",
    licence="CC BY-NC 4.0",
    address="https://doi.org/10.7910/DVN/DBW86T",
    looked_for=f"{IMAGES[0]} and {IMAGES[1]} beside {MASKS}",
)
