"""nnU-Net's raw data format, version 2 (Isensee et al., Nature Methods 2021)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantic.exporting.class_values import class_values, unique_names
from samantic.exporting.studies import LabelledStudy
from samantic.imaging import Volume, write_mask, write_volume

FIRST_NUMBER = 501
"""nnU-Net's own data sets have smaller numbers."""

CHANNELS = {"CT": "CT", "MR": "MRI", "US": "US"}
"""By "CT" nnU-Net chooses its normalisation of Hounsfield units, by any other name the one by mean and spread."""


@dataclass(frozen=True)
class Kind:
    """What all images of one data set have in common: nnU-Net takes neither mixed channels nor mixed files."""

    name: str
    channels: tuple[str, ...]
    ending: str

    @classmethod
    def of(cls, volume: Volume) -> Kind:
        """Return the kind of an image: by modality, colour, and whether it is a photograph."""
        photograph = volume.kind == "photograph"
        channels = ("R", "G", "B") if volume.is_rgb else (CHANNELS.get(volume.modality, "image"),)
        name = "colour" if volume.is_rgb else channels[0].lower()
        return cls(f"{name}_pictures" if photograph else name, channels, ".png" if photograph else ".nii.gz")


def write_nnunet(
    folder: Path, studies: Sequence[LabelledStudy], kinds: Sequence[Kind], done: Callable[[LabelledStudy], None]
) -> dict[str, list[str]]:
    """Write DatasetNNN_<kind>/{imagesTr,labelsTr,dataset.json} for each kind; return image id -> its files.

    kinds: of the studies, in their order. Values are those of the classes in one data set, 1...n without a gap, as
    nnU-Net wants them. Source: nnU-Net's documentation of its data format.
    """
    written: dict[str, list[str]] = {}
    for number, kind in enumerate(sorted(set(kinds), key=lambda one: one.name), start=FIRST_NUMBER):
        own = [study for study, other in zip(studies, kinds, strict=True) if other == kind]
        name = f"Dataset{number}_{kind.name}"
        for image_id, files in _write_set(folder / name, own, kind, done).items():
            written[image_id] = [f"{name}/{file}" for file in files]
    return written


def _write_set(
    folder: Path, studies: Sequence[LabelledStudy], kind: Kind, done: Callable[[LabelledStudy], None]
) -> dict[str, list[str]]:
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    classes = class_values(studies, lambda study: study.labels(study.volume()))
    names = unique_names(study.image_id for study in studies)
    written = {}
    for study in studies:
        volume = study.volume()
        files = _write_image(folder, names[study.image_id], kind, volume)
        label = f"labelsTr/{names[study.image_id]}{kind.ending}"
        write_mask(folder / label, classes.translated(study, study.labels(volume)), volume, durable=False)
        written[study.image_id] = [*files, label]
        done(study)
    document = {
        "channel_names": {str(number): channel for number, channel in enumerate(kind.channels)},
        "labels": {"background": 0, **{name: classes.value(name) for name in classes.names}},
        "numTraining": len(studies),
        "file_ending": kind.ending,
    }
    (folder / "dataset.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return written


def _write_image(folder: Path, name: str, kind: Kind, volume: Volume) -> list[str]:
    if volume.is_rgb and kind.ending != ".png":
        # One file for each channel; only pictures hold their colours together.
        arrays = [np.asarray(volume.array[..., channel]) for channel in range(3)]
    else:
        arrays = [volume.array]
    files = [f"imagesTr/{name}_{number:04d}{kind.ending}" for number in range(len(arrays))]
    for file, array in zip(files, arrays, strict=True):
        write_volume(folder / file, volume.with_array(array), durable=False)
    return files
