"""What can be measured on: the public sets by name, or a folder in a public layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from samantic.datasets.development_sets import busi, ct, data_folder, dicom_ct, hippocampus, isic2017
from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.layouts import open_dataset, recognise
from samantic.evaluation.cases import SMALLEST_STRUCTURE, axial_slices, middle_slices

Views = Callable[[], Iterable[LabelledView]]

SET_NAMES = ("isic2017", "busi", "hippocampus", "dicom-ct")
DICOM_CT_SMALLEST = 200
"""Pixels; smaller structures of the example are fragments of its reference prediction."""


@dataclass(frozen=True)
class EvaluationSet:
    """Views to measure on, which can be opened again and again, and other views to choose the image-blind disc on."""

    name: str
    title: str
    views: Views
    disc_views: Views | None
    disc_source: str
    smallest: int = SMALLEST_STRUCTURE


def named_set(name: str, part: str = "test") -> EvaluationSet:
    """Return one part, "test" or "val", of a public set under SAMANTIC_DATA.

    The image-blind disc is chosen on the validation part, or on the training part where the validation part itself is
    measured. ValueError for other names and parts, FileNotFoundError without the data.
    """
    if name not in SET_NAMES:
        raise ValueError(f"There is no data set '{name}'; use {', '.join(SET_NAMES)} or the path of a folder.")
    if part not in ("test", "val"):
        raise ValueError(f"'{part}' is not a part to measure on; use test or val.")
    folder = data_folder()
    if name == "dicom-ct":
        if part != "test":
            raise ValueError("The DICOM CT is one patient, who has only the part test.")
        title = "DICOM CT: axial slices of one patient"
        return EvaluationSet(
            name,
            title,
            lambda: dicom_ct(folder),
            lambda: axial_slices(ct(folder)),
            "the training CT",
            DICOM_CT_SMALLEST,
        )
    other = "val" if part == "test" else "train"
    titles = {
        "isic2017": "dermoscopy (ISIC 2017)",
        "busi": "breast ultrasound (BUSI)",
        "hippocampus": "hippocampus MR (MSD Task04): the middle slice of each volume along each axis",
    }
    openers: dict[str, Callable[[str], Iterable[LabelledView]]] = {
        "isic2017": lambda which: isic2017(folder, which),
        "busi": lambda which: busi(folder, which),
        "hippocampus": lambda which: middle_slices(hippocampus(folder, which)),
    }
    opened = openers[name]
    return EvaluationSet(
        name,
        f"{titles[name]}, part {part}",
        lambda: opened(part),
        lambda: opened(other),
        f"the part {other}",
    )


def folder_set(folder: Path, part: str | None = None, validation: Path | None = None) -> EvaluationSet:
    """Return one part of a folder in a layout that `samantic.datasets.layouts` reads; DatasetError says why it cannot.

    Without `part`, the test part if it is there with labels, else all that has labels. The image-blind disc is chosen
    on the folder `validation` or, without it, on the part val where that is not measured itself; else it is left out.
    """
    layout = recognise(folder)
    parts = {case.part for case in layout.listing(folder).cases if case.labels}
    if part is None and "test" in parts:
        part = "test"
    title = f"{layout.title}, {'all parts' if part is None else f'part {part}'}"
    if validation is not None:
        return EvaluationSet(
            layout.name,
            title,
            lambda: open_dataset(folder, part),
            lambda: open_dataset(validation),
            f"the folder {validation.name}",
        )
    has_other = part is not None and part != "val" and "val" in parts
    return EvaluationSet(
        layout.name,
        title,
        lambda: open_dataset(folder, part),
        (lambda: open_dataset(folder, "val")) if has_other else None,
        "the part val",
    )
