"""Medical Segmentation Decathlon: ten tasks of CT and MR (Antonelli et al., Nature Communications 2022)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samantic.datasets.layouts.case import Case, DatasetError, LabelFile, Listing
from samantic.datasets.layouts.class_mapping import classes_of, note_on_unknown
from samantic.datasets.layouts.index_file import INDEX, label_words, note_missing
from samantic.datasets.layouts.layout import Layout
from samantic.datasets.layouts.pairs import pairs
from samantic.datasets.layouts.tree import Tree
from samantic.imaging import Modality

CHANNEL = 0
"""Of several channels the first is read: FLAIR of Task01, which shows the whole tumour, and T2 of Task05."""

# What a word means in one task. A tumour within an organ counts as that organ, which would have a hole otherwise; the
# two zones together are the prostate.
OWN_WORDS: dict[str, dict[str, str]] = {
    "Task03": {"cancer": "liver", "tumor": "liver", "tumour": "liver"},
    "Task04": {"anterior": "hippocampus_anterior", "posterior": "hippocampus_posterior"},
    "Task05": {"pz": "prostate", "tz": "prostate"},
    "Task07": {"cancer": "pancreas", "tumor": "pancreas", "tumour": "pancreas"},
}
_AMOS = re.compile(r"amos_\d{4}\.nii(\.gz)?")


@dataclass(frozen=True)
class DecathlonLayout(Layout):
    """TaskXX_Name/{imagesTr,labelsTr,imagesTs,dataset.json}; imagesTs, the part "test", has no published labels.

    The names of the labels are those of dataset.json, as is the modality. The task is known by the folder's name, or by
    the "name" in dataset.json where the folder was renamed.
    """

    def root(self, folder: Path) -> Path | None:
        """Return `folder` if dataset.json and imagesTr lie in it and the images are not those of AMOS."""
        tree = Tree(folder)
        images = tree.folder("imagesTr")
        if images is None or tree.file(INDEX) is None:
            return None
        return None if any(map(_AMOS.fullmatch, tree.files(images, ".nii", ".nii.gz"))) else folder

    def listing(self, folder: Path) -> Listing:
        """Pair images and labels by name, and compare the folders with dataset.json."""
        tree = Tree(folder)
        index = tree.json(folder / INDEX)
        modality = _modality(index)
        domain = "ct" if modality == "CT" else "mr"
        words = label_words(index)
        classes = classes_of(words, domain, OWN_WORDS.get(_task(folder, index)))
        images, labels = tree.folder("imagesTr"), tree.folder("labelsTr")
        if labels is None:
            tree.problem(folder / "labelsTr", "the folder is missing")
        cases = []
        for image_id, path, label in pairs(tree, images, labels):
            files = () if label is None else (LabelFile(label, classes),)
            cases.append(Case(image_id, "train", domain, path, files, modality, CHANNEL))
        for image_id, path, _ in pairs(tree, tree.folder("imagesTs"), None):
            cases.append(Case(image_id, "test", domain, path, (), modality, CHANNEL))
        note_missing(tree, folder, index)
        return Listing(tuple(cases), tuple(tree.problems), note_on_unknown(words, classes))


def _modality(index: Mapping[str, Any]) -> Modality:
    modalities = index.get("modality")
    first = modalities.get(str(CHANNEL)) if isinstance(modalities, dict) else None
    if not isinstance(first, str):
        raise DatasetError(f'{INDEX} names no modality; expected "modality": {{"0": "CT"}} or {{"0": "MRI"}}.')
    return "CT" if first.upper() == "CT" else "MR"


def _task(folder: Path, index: Mapping[str, Any]) -> str:
    if (match := re.match(r"Task\d\d", folder.resolve().name)) is not None:
        return match[0]
    numbers = {"LIVER": "Task03", "HIPPOCAMPUS": "Task04", "PROSTATE": "Task05", "PANCREAS": "Task07"}
    return numbers.get(str(index.get("name", "")).upper(), "")


DECATHLON = DecathlonLayout(
    name="msd",
    title="Medical Segmentation Decathlon",
    licence="CC BY-SA 4.0",
    address="http://medicaldecathlon.com/",
    looked_for="one task's folder, such as Task04_Hippocampus, with imagesTr, labelsTr and dataset.json",
)
