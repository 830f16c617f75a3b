"""PH2: dermoscopy of melanocytic lesions with their outline (Mendonça et al., EMBC 2013)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, LabelFile, Listing
from samantic.datasets.layouts.isic import LESION
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.tree import Tree

IMAGES = "PH2 Dataset images"
_CASE = re.compile(r"IMD\d+")


@dataclass(frozen=True)
class Ph2Layout(Layout):
    """`PH2 Dataset images`/IMD002/IMD002_Dermoscopic_Image/IMD002.bmp with IMD002_lesion/IMD002_lesion.bmp beside it.

    The regions of colours in IMD002_roi and the table of diagnoses are passed over. The publisher names no parts: all
    images are in "all".
    """

    def root(self, folder: Path) -> Path | None:
        """Return the folder that holds the cases: `folder` itself, or "PH2 Dataset images" in it or in PH2Dataset."""
        tree = Tree(folder)
        for below in ((), (IMAGES,), ("PH2Dataset", IMAGES)):
            cases = tree.folders(tree.folder(*below))
            if any(_CASE.fullmatch(name) and tree.folder(*below, name, _pictures(name)) for name in cases):
                return folder.joinpath(*below)
        return None

    def listing(self, folder: Path) -> Listing:
        """Pair each image with its mask."""
        root = self.root(folder) or folder
        tree = Tree(folder)
        below = root.relative_to(folder).parts
        cases: list[Case] = []
        for name, case_folder in tree.folders(tree.folder(*below)).items():
            if not _CASE.fullmatch(name):
                continue
            image = tree.file(*below, name, _pictures(name), f"{name}.bmp")
            mask = tree.file(*below, name, f"{name}_lesion", f"{name}_lesion.bmp")
            if image is None:
                tree.problem(case_folder, f"has no image {_pictures(name)}/{name}.bmp")
                continue
            if mask is None:
                tree.problem(case_folder, f"has no mask {name}_lesion/{name}_lesion.bmp")
            labels = () if mask is None else (LabelFile(mask, LESION),)
            cases.append(Case(name, "all", "dermoscopy", image, labels))
        return Listing(tuple(cases), tuple(tree.problems))


def _pictures(name: str) -> str:
    return f"{name}_Dermoscopic_Image"


PH2 = Ph2Layout(
    name="ph2",
    title="PH2",
    licence="for research and teaching, see the publisher's page",
    address="https://www.fc.up.pt/addi/ph2%20database.html",
    looked_for="the folder 'PH2 Dataset images' (or PH2Dataset that holds it) with IMD002/IMD002_Dermoscopic_Image",
)
