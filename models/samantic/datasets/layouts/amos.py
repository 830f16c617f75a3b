"""AMOS22: abdominal CT and MR with fifteen organs (Ji et al., NeurIPS Datasets and Benchmarks 2022)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.layouts.case import Case, DatasetError, LabelFile, Listing
from samantic.datasets.layouts.class_mapping import classes_of, note_on_unknown
from samantic.datasets.layouts.index_file import INDEX, note_missing
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.pairs import NIFTI, pairs
from samantic.datasets.layouts.tree import Tree

# As in dataset.json, whose "arota" and "postcava" are the aorta and the inferior vena cava.
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
    10: "pancreas",
    11: "right adrenal gland",
    12: "left adrenal gland",
    13: "duodenum",
    14: "bladder",
    15: "prostate/uterus",
}
FIRST_MR = 500
PARTS = (("train", "Tr"), ("val", "Va"), ("test", "Ts"))
_IMAGE = re.compile(r"amos_(?P<number>\d{4})(\.nii(\.gz)?)?")


@dataclass(frozen=True)
class AmosLayout(Layout):
    """amos22/{imagesTr,labelsTr,imagesVa,labelsVa,imagesTs}/amos_0001.nii.gz; numbers below 500 are CT, others MR.

    The folder may be amos22 or the one that holds it. labelsTs is read where it is there, as later releases have it.
    Value 15, prostate or uterus, stands for two organs and is left out.
    """

    def root(self, folder: Path) -> Path | None:
        """Return amos22, if images of AMOS lie in one of its image folders."""
        tree = Tree(folder)
        for below in ((), ("amos22",)):
            for _, ending in PARTS:
                if any(map(_IMAGE.fullmatch, tree.files(tree.folder(*below, f"images{ending}"), *NIFTI))):
                    return folder.joinpath(*below)
        return None

    def listing(self, folder: Path) -> Listing:
        """Pair images and labels by name, and compare the folders with dataset.json where it is there."""
        root = self.root(folder) or folder
        below = root.relative_to(folder).parts
        tree = Tree(folder)
        classes = {domain: classes_of(ORGANS, domain) for domain in ("ct", "mr")}
        cases = []
        for part, ending in PARTS:
            images, labels = (tree.folder(*below, f"{kind}{ending}") for kind in ("images", "labels"))
            if part != "test" and (images is None or labels is None):
                missing = "images" if images is None else "labels"
                tree.problem(root / f"{missing}{ending}", "the folder is missing")
            for image_id, path, label in pairs(tree, images, labels):
                match = _IMAGE.fullmatch(image_id)
                if match is None:
                    tree.problem(path, "is not named as AMOS names its images, amos_0001.nii.gz; passed over")
                    continue
                mr = int(match["number"]) >= FIRST_MR
                domain = "mr" if mr else "ct"
                files = () if label is None else (LabelFile(label, classes[domain]),)
                cases.append(Case(image_id, part, domain, path, files, "MR" if mr else "CT"))
        index = tree.file(*below, INDEX)
        if index is not None:
            try:
                note_missing(tree, root, tree.json(index))
            except DatasetError as error:
                tree.problem(index, str(error))
        return Listing(tuple(cases), tuple(tree.problems), note_on_unknown(ORGANS, classes["ct"]))


AMOS = AmosLayout(
    name="amos22",
    title="AMOS22",
    licence="CC BY 4.0",
    address="https://zenodo.org/records/7262581",
    looked_for="amos22 with imagesTr/amos_0001.nii.gz and labelsTr/amos_0001.nii.gz",
)
