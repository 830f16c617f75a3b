"""TotalSegmentator's CT and MR data sets, versions 1 and 2 (Wasserthal et al. 2023, Akinci D'Antonoli et al. 2025)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, DatasetError, LabelFile, Listing
from samantic.datasets.layouts.class_mapping import class_of, note_on_words
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.tree import Tree

META = "meta.csv"
PARTS = ("train", "val", "test")
_CASE = re.compile(r"s\d{4}")


@dataclass(frozen=True)
class TotalSegmentatorLayout(Layout):
    """s0001/ct.nii.gz (mri.nii.gz in the MR set) with s0001/segmentations/<structure>.nii.gz, each 0 and 1.

    meta.csv, separated by semicolons, has the part of each case in its column `split`; a case that it does not name is
    in the part "all". A structure that other cases of the set have a file for is missing where it has none.
    """

    def root(self, folder: Path) -> Path | None:
        """Return `folder` if a case such as s0001 with an image lies in it."""
        tree = Tree(folder)
        cases = (name for name in tree.folders(folder) if _CASE.fullmatch(name))
        return folder if any(_image(tree, name) is not None for name in cases) else None

    def listing(self, folder: Path) -> Listing:
        """List the cases with one label file per structure."""
        tree = Tree(folder)
        parts = _parts(tree)
        names = [name for name in tree.folders(folder) if _CASE.fullmatch(name)]
        files = {name: tree.files(tree.folder(name, "segmentations"), ".nii.gz") for name in names}
        structures = sorted({file for per_case in files.values() for file in per_case})
        cases: list[Case] = []
        unknown: set[str] = set()
        for name in names:
            image = _image(tree, name)
            if image is None:
                tree.problem(folder / name, "has no image ct.nii.gz or mri.nii.gz")
                continue
            if not files[name]:
                tree.problem(folder / name, "has no segmentations/<structure>.nii.gz")
            else:
                for structure in structures:
                    if structure not in files[name]:
                        tree.problem(folder / name, f"has no segmentations/{structure}, which other cases have")
            domain = "ct" if image.name.startswith("ct") else "mr"
            labels = []
            for file, path in files[name].items():
                structure = file.removesuffix(".nii.gz")
                found = class_of(structure, domain)
                if found is None:
                    unknown.add(structure)
                labels.append(LabelFile(path, {1: found}))
            part = parts.get(name, "all")
            cases.append(Case(name, part, domain, image, tuple(labels), "CT" if domain == "ct" else "MR"))
        for name in sorted(set(parts) - set(names)):
            tree.problem(folder / META, f"lists {name[:60]}, which is not there")
        return Listing(tuple(cases), tuple(tree.problems), note_on_words(sorted(unknown)))


def _image(tree: Tree, case: str) -> Path | None:
    return tree.file(case, "ct.nii.gz") or tree.file(case, "mri.nii.gz")


def _parts(tree: Tree) -> dict[str, str]:
    path = tree.file(META)
    if path is None:
        tree.problem(tree.root / META, "is missing; it says which cases are for training and which for testing")
        return {}
    try:
        rows = list(csv.DictReader(tree.text(path).splitlines(), delimiter=";"))
        if rows and not {"image_id", "split"} <= set(rows[0]):
            raise DatasetError(f"{META} must have the columns image_id and split, separated by semicolons.")
    except (csv.Error, DatasetError) as error:
        tree.problem(path, str(error))
        return {}
    return {row["image_id"]: row["split"] for row in rows if row["image_id"] and row["split"] in PARTS}


TOTALSEGMENTATOR = TotalSegmentatorLayout(
    name="totalsegmentator",
    title="TotalSegmentator",
    licence="CC BY 4.0 (CT); the MR set's is on its page",
    address="https://doi.org/10.5281/zenodo.6802613 (CT), https://doi.org/10.5281/zenodo.11367004 (MR)",
    looked_for="cases such as s0001 with ct.nii.gz or mri.nii.gz and the folder segmentations",
)
