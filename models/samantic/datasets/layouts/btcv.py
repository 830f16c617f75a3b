"""BTCV: abdominal CT with thirteen organs (Multi-Atlas Labeling Beyond the Cranial Vault, MICCAI 2015)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, LabelFile, Listing
from samantic.datasets.layouts.class_mapping import classes_of
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.pairs import NIFTI, pairs
from samantic.datasets.layouts.tree import Tree

ORGANS = {
    1: "spleen",
    2: "right kidney",
    3: "left kidney",
    4: "gallbladder",
    5: "esophagus",
    6: "liver",
    7: "stomach",
    8: "aorta",
    9: "inferior vena cava",
    10: "portal vein and splenic vein",
    11: "pancreas",
    12: "right adrenal gland",
    13: "left adrenal gland",
}
ROOTS = ((), ("RawData",), ("Abdomen", "RawData"))
_IMAGE = re.compile(r"img\d{4}\.nii(\.gz)?")


@dataclass(frozen=True)
class BtcvLayout(Layout):
    """Abdomen/RawData/Training/{img/img0001.nii.gz,label/label0001.nii.gz}; Testing/img has no published labels.

    The folder may be the one that holds Abdomen, Abdomen/RawData itself or the one that holds RawData.
    """

    def root(self, folder: Path) -> Path | None:
        """Return the folder RawData, if images lie in its Training/img or Testing/img."""
        tree = Tree(folder)
        for below in ROOTS:
            for part in ("Training", "Testing"):
                if any(map(_IMAGE.fullmatch, tree.files(tree.folder(*below, part, "img"), *NIFTI))):
                    return folder.joinpath(*below)
        return None

    def listing(self, folder: Path) -> Listing:
        """Pair img0001 with label0001."""
        below = (self.root(folder) or folder).relative_to(folder).parts
        tree = Tree(folder)
        classes = classes_of(ORGANS, "ct")
        cases = []
        for part, name in (("train", "Training"), ("test", "Testing")):
            images, labels = (tree.folder(*below, name, kind) for kind in ("img", "label"))
            if part == "train" and labels is None:
                tree.problem(folder.joinpath(*below, name, "label"), "the folder is missing")
            for image_id, path, label in pairs(tree, images, labels, _label_name):
                files = () if label is None else (LabelFile(label, classes),)
                cases.append(Case(image_id, part, "ct", path, files, "CT"))
        return Listing(tuple(cases), tuple(tree.problems))


def _label_name(image: str) -> str:
    return image.replace("img", "label", 1)


BTCV = BtcvLayout(
    name="btcv",
    title="BTCV abdomen",
    licence="CC BY 4.0, after registration",
    address="https://www.synapse.org/Synapse:syn3193805/wiki/89480",
    looked_for="Abdomen/RawData/Training with img/img0001.nii.gz and label/label0001.nii.gz",
)
