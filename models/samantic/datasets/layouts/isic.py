"""ISIC challenges 2016, 2017 and 2018 (task 1): dermoscopy with the outline of the lesion.

Folders and file names as in the archives of https://challenge.isic-archive.com/data/. The superpixels of 2017 and the
attribute masks of the other tasks are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from samantic.datasets.layouts.case import Case, LabelFile, Listing
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.tree import Tree

LESION = {1: "skin_lesion", 255: "skin_lesion"}
ADDRESS = "https://challenge.isic-archive.com/data/"


@dataclass(frozen=True)
class IsicLayout(Layout):
    """One year: for each part, the folder of images and the folder of masks, side by side.

    `mask_ending` follows the image's id, in any case: 2016 writes a capital letter, the others a small one.
    """

    folders: Mapping[str, tuple[str, str]] = field(kw_only=True)
    mask_ending: str = field(kw_only=True, default="_segmentation.png")

    def root(self, folder: Path) -> Path | None:
        """Return `folder` if an image folder of any part lies in it."""
        tree = Tree(folder)
        return folder if any(tree.folder(images) for images, _ in self.folders.values()) else None

    def listing(self, folder: Path) -> Listing:
        """Pair each image with its mask; both folders of a part must be there once one of them is."""
        tree = Tree(folder)
        cases: list[Case] = []
        for part, (images, masks) in self.folders.items():
            image_folder, mask_folder = tree.folder(images), tree.folder(masks)
            for missing, other in ((images, masks), (masks, images)):
                if tree.folder(missing) is None and tree.folder(other) is not None:
                    tree.problem(folder / missing, f"the folder is missing beside {other}")
            pictures = {_id(name): path for name, path in tree.files(image_folder, ".jpg", ".jpeg").items()}
            found = {
                name[: -len(self.mask_ending)]: path for name, path in tree.files(mask_folder, self.mask_ending).items()
            }
            for image_id, path in pictures.items():
                mask = found.get(image_id)
                if mask is None and mask_folder is not None:
                    tree.problem(path, f"has no mask {masks}/{image_id}{self.mask_ending}")
                labels = () if mask is None else (LabelFile(mask, LESION),)
                cases.append(Case(image_id, part, "dermoscopy", path, labels))
            for image_id in sorted(set(found) - set(pictures)) if image_folder is not None else ():
                tree.problem(found[image_id], f"has no image {images}/{image_id}.jpg")
        return Listing(tuple(cases), tuple(tree.problems))


def _id(name: str) -> str:
    return name.rsplit(".", 1)[0]


ISIC_2016 = IsicLayout(
    name="isic2016",
    title="ISIC 2016",
    licence="CC0",
    address=ADDRESS,
    looked_for="ISBI2016_ISIC_Part1_Training_Data (or _Test_Data) beside its _GroundTruth folder",
    folders={
        part: (f"ISBI2016_ISIC_Part1_{word}_Data", f"ISBI2016_ISIC_Part1_{word}_GroundTruth")
        for part, word in (("train", "Training"), ("test", "Test"))
    },
    mask_ending="_segmentation.png",
)
ISIC_2017 = IsicLayout(
    name="isic2017",
    title="ISIC 2017",
    licence="CC0",
    address=ADDRESS,
    looked_for="ISIC-2017_Training_Data (or _Validation_Data, _Test_v2_Data) beside its _Part1_GroundTruth folder",
    folders={
        part: (f"ISIC-2017_{word}_Data", f"ISIC-2017_{word}_Part1_GroundTruth")
        for part, word in (("train", "Training"), ("val", "Validation"), ("test", "Test_v2"))
    },
)
ISIC_2018 = IsicLayout(
    name="isic2018",
    title="ISIC 2018 task 1",
    licence="CC BY-NC 4.0",
    address=ADDRESS,
    looked_for="ISIC2018_Task1-2_Training_Input (or _Validation_, _Test_) beside ISIC2018_Task1_Training_GroundTruth",
    folders={
        part: (f"ISIC2018_Task1-2_{word}_Input", f"ISIC2018_Task1_{word}_GroundTruth")
        for part, word in (("train", "Training"), ("val", "Validation"), ("test", "Test"))
    },
)
