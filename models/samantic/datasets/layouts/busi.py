"""BUSI: breast ultrasound with the outlines of the lesions (Al-Dhabyani et al., Data in Brief 2020)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, LabelFile, Listing
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.tree import Tree

KINDS = ("benign", "malignant", "normal")
LESION = {1: "breast_lesion", 255: "breast_lesion"}
_IMAGE = re.compile(r"(?P<kind>benign|malignant|normal) \((?P<number>\d+)\)\.png")
_MASK = re.compile(r"(?P<kind>benign|malignant|normal) \((?P<number>\d+)\)_mask(?:_\d+)?\.png")


@dataclass(frozen=True)
class BusiLayout(Layout):
    """Dataset_BUSI_with_GT/benign/"benign (1).png" with "benign (1)_mask.png", "benign (1)_mask_1.png" ...

    Several masks of an image are united, as one picture shows several lesions. The images of normal breasts have black
    masks. The publisher names no parts: all images are in "all". Image ids are written "benign_1".
    """

    def root(self, folder: Path) -> Path | None:
        """Return the folder that holds the three kinds: `folder` itself or Dataset_BUSI_with_GT in it."""
        for candidate in (folder, folder / "Dataset_BUSI_with_GT"):
            tree = Tree(folder)
            kinds = [candidate / kind for kind in KINDS]
            if any(
                _IMAGE.fullmatch(name)
                for kind in kinds
                for name in tree.files(tree.folder(*kind.relative_to(folder).parts), ".png")
            ):
                return candidate
        return None

    def listing(self, folder: Path) -> Listing:
        """Pair each image with all its masks."""
        root = self.root(folder) or folder
        tree = Tree(folder)
        below = root.relative_to(folder).parts
        cases: list[Case] = []
        for kind in KINDS:
            kind_folder = tree.folder(*below, kind)
            if kind_folder is None:
                tree.problem(root / kind, "the folder is missing")
            files = tree.files(kind_folder, ".png")
            masks: dict[int, list[Path]] = {}
            for name, path in files.items():
                if (match := _MASK.fullmatch(name)) is not None:
                    masks.setdefault(int(match["number"]), []).append(path)
            images = {int(match["number"]): path for name, path in files.items() if (match := _IMAGE.fullmatch(name))}
            for number, path in sorted(images.items()):
                if number not in masks:
                    tree.problem(path, f"has no mask '{path.stem}_mask.png'")
                labels = tuple(LabelFile(mask, LESION) for mask in masks.get(number, ()))
                cases.append(Case(f"{kind}_{number}", "all", "breast_ultrasound", path, labels))
            for number in sorted(set(masks) - set(images)):
                for path in masks[number]:
                    tree.problem(path, f"has no image '{kind} ({number}).png'")
        return Listing(tuple(cases), tuple(tree.problems))


BUSI = BusiLayout(
    name="busi",
    title="BUSI",
    licence="CC BY 4.0",
    address="https://scholar.cu.edu.eg/?q=afahmy/pages/dataset",
    looked_for="Dataset_BUSI_with_GT with the folders benign, malignant and normal and images such as 'benign (1).png'",
)
