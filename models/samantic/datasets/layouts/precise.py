"""PRECISE-ABreast challenge (PACE 2025): breast ultrasound with the outline of the lesion.

What the organisers publish is the naming: `PACE_00023_002_ABR` (`PABC_...` in earlier notes) is subject, diagnosis
(000 normal, 001 and 100 benign, 002 and 101 malignant) and source (BUS, BRE, BBR, ABR), and a mask is called as its
image with `_mask.png` at the end (https://github.com/PRECISE-Abreast-Challenge-PAC/PRECISE-ABreast-Challenge,
dataset.md and submission.md). The folders inside the download, which only participants get, are not published and
could not be verified. So only names decide here: images and masks may lie in any folder, up to four levels deep,
together or apart. A folder on the way that is called train..., val... or test... names the part; without one it is
"all".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, LabelFile, Listing
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.tree import Tree

LEVELS = 4
LESION = {1: "breast_lesion", 255: "breast_lesion"}
NORMAL = "000"
_ID = r"(?P<id>(?:PACE|PABC)_\d{5}_(?:000|001|002|100|101)_(?:BUS|BRE|BBR|ABR))"
_IMAGE = re.compile(_ID + r"\.(?:png|jpe?g)", re.IGNORECASE)
_MASK = re.compile(_ID + r"_mask\.png", re.IGNORECASE)
_PARTS = (("train", "train"), ("val", "val"), ("test", "test"))


@dataclass(frozen=True)
class PreciseLayout(Layout):
    """Images and masks known by their names alone; see the head of this file for what is and is not published.

    An image of a normal breast, by the diagnosis in its name, may come without a mask; it is then passed over.
    """

    def root(self, folder: Path) -> Path | None:
        """Return `folder` if an image with a name of the challenge lies in it."""
        return folder if any(_IMAGE.fullmatch(path.name) for path in _pictures(Tree(folder))) else None

    def listing(self, folder: Path) -> Listing:
        """Pair images and masks of the same id within one part."""
        tree = Tree(folder)
        images: dict[tuple[str, str], Path] = {}
        masks: dict[tuple[str, str], Path] = {}
        for path in _pictures(tree):
            for pattern, files in ((_IMAGE, images), (_MASK, masks)):
                if (match := pattern.fullmatch(path.name)) is not None:
                    key = (_part(path.relative_to(folder)), match["id"])
                    if key in files:
                        tree.problem(path, f"is there twice, also as {files[key].relative_to(folder).as_posix()}")
                    files.setdefault(key, path)
        cases: list[Case] = []
        labelled = {part for part, _ in masks}
        for (part, image_id), path in images.items():
            mask = masks.get((part, image_id))
            normal = image_id.split("_")[2] == NORMAL
            if mask is None and not normal and part in labelled:
                tree.problem(path, f"has no mask {image_id}_mask.png")
            labels = () if mask is None else (LabelFile(mask, LESION),)
            cases.append(Case(image_id, part, "breast_ultrasound", path, labels))
        for key in sorted(set(masks) - set(images)):
            tree.problem(masks[key], f"has no image {key[1]}.png")
        return Listing(tuple(cases), tuple(tree.problems))


def _pictures(tree: Tree) -> Iterator[Path]:
    level = [tree.root]
    for _ in range(LEVELS + 1):
        deeper: list[Path] = []
        for folder in level:
            yield from tree.files(folder, ".png", ".jpg", ".jpeg").values()
            deeper += tree.folders(folder).values()
        level = deeper


def _part(path: Path) -> str:
    for name in path.parts[:-1]:
        for beginning, part in _PARTS:
            if name.lower().startswith(beginning):
                return part
    return "all"


PRECISE = PreciseLayout(
    name="precise",
    title="PRECISE-ABreast (PACE 2025)",
    licence="for participants, under the challenge's terms",
    address="https://github.com/PRECISE-Abreast-Challenge-PAC/PRECISE-ABreast-Challenge",
    looked_for="images named such as PACE_00023_002_ABR.png, with PACE_00023_002_ABR_mask.png, in any folder of it",
)
