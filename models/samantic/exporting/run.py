"""A studies folder -> a folder in the format of others, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, get_args

from samantic import __version__
from samantic.exporting.class_values import class_values
from samantic.exporting.coco import write_coco
from samantic.exporting.errors import ExportError
from samantic.exporting.new_folder import INDEX, check_target, new_folder
from samantic.exporting.nnunet import Kind, write_nnunet
from samantic.exporting.seg_nrrd import write_seg_nrrd
from samantic.exporting.studies import LabelledStudy, read_studies

Format = Literal["nnunet", "coco", "seg-nrrd", "dicom-seg"]
FORMATS: tuple[str, ...] = get_args(Format)


@dataclass(frozen=True)
class Exported:
    """What an export wrote: `files` by image id; `without_label` are the images that have no label of that tag.

    left_out: image id -> why a label cannot be written in this format.
    """

    folder: Path
    files: Mapping[str, Sequence[str]]
    without_label: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)


def export(
    studies: Path,
    to: str,
    target: Path,
    *,
    tag: str = "final",
    names: Mapping[int, str] | None = None,
    overwrite: bool = False,
    on_progress: Callable[[int, int, str], None] = lambda _done, _total, _image_id: None,
) -> Exported:
    """Write the labelled images of a studies folder into the new folder `target`; it appears when all is in it.

    to: "nnunet", "coco", "seg-nrrd" or "dicom-seg". tag: which labels. names: what values mean that nobody has named.
    `export.json` in it says which file came from which image and carries the record of each label. One image is in
    memory at a time. Raises ExportError; `target` is then as it was. Source: ours.
    """
    if to not in FORMATS:
        raise ExportError(f"The format '{to}' is not known; use {', '.join(FORMATS)}.")
    check_target(target, studies, overwrite)
    found = read_studies(studies, tag, names)
    if not found.labelled:
        raise ExportError(f"None of the {len(found.without_label)} images in '{studies}' has a label '{tag}'.")
    finished = 0

    def done(study: LabelledStudy) -> None:
        nonlocal finished
        finished += 1
        on_progress(finished, len(found.labelled), study.image_id)

    left_out: dict[str, str] = {}
    with new_folder(target) as folder:
        if to == "nnunet":
            kinds = [Kind.of(study.volume()) for study in found.labelled]
            files = write_nnunet(folder, found.labelled, kinds, done)
        elif to == "coco":
            classes = class_values(found.labelled, lambda study: study.labels(study.volume()))
            files = write_coco(folder, found.labelled, classes, done)
        elif to == "dicom-seg":
            # Only this format needs highdicom, which takes a second to load.
            from samantic.exporting.dicom_seg import write_dicom_seg

            files, left_out = write_dicom_seg(folder, found.labelled, done)
        else:
            files = write_seg_nrrd(folder, found.labelled, done)
        written = Exported(target, files, found.without_label, left_out)
        _write_index(folder, to, tag, [one for one in found.labelled if one.image_id in files], written)
    return written


def _write_index(
    folder: Path,
    to: str,
    tag: str,
    labelled: Sequence[LabelledStudy],
    written: Exported,
) -> None:
    document = {
        "schema": "samantic.export/1",
        "format": to,
        "tag": tag,
        "made_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "software": {"name": "samantic", "version": __version__},
        "images": {
            study.image_id: {
                "files": list(written.files[study.image_id]),
                "names": {name: value for value, name in sorted(study.names.items())},
                "provenance": study.notes.get("provenance"),
            }
            for study in labelled
        },
        "without_label": list(written.without_label),
        "left_out": dict(written.left_out),
    }
    (folder / INDEX).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
