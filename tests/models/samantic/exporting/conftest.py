"""A small studies folder as the server leaves it: two CTs, an MR, two photographs, labels with records."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from samantic.imaging import Volume, write_mask, write_volume

AFFINE = np.array([[0, -1.5, 0, 10], [1.5, 0, 0, -20], [0, 0, 4, 5], [0, 0, 0, 1.0]])
RECORD = {"schema": "samantic.provenance/1", "draft": {"clicks": 3}}


@dataclass
class Studies:
    """A folder with MONAI Label's record, and what was put into it: image id -> volume, label values."""

    folder: Path
    volumes: dict[str, Volume] = field(default_factory=dict)
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)

    def add(
        self, image_id: str, volume: Volume, labels: np.ndarray | None, names: Any, suffix: str, **notes: Any
    ) -> None:
        file = f"{image_id}{suffix}"
        write_volume(self.folder / file, volume)
        self.volumes[image_id] = volume
        entry: dict[str, Any] = {"image": {"ext": suffix, "info": {"name": file}}, "labels": {}}
        if labels is not None:
            label = f"{image_id}{'.png' if volume.kind == 'photograph' else '.nii.gz'}"
            (self.folder / "labels" / "final").mkdir(parents=True, exist_ok=True)
            write_mask(self.folder / "labels" / "final" / label, labels, volume)
            self.labels[image_id] = labels
            info = {"name": label, "label_info": names, "provenance": RECORD, **notes}
            entry["labels"]["final"] = {"ext": label.removeprefix(image_id), "info": info}
        self.objects[image_id] = entry
        self.save()

    def save(self) -> None:
        (self.folder / "datastore_v2.json").write_text(json.dumps({"objects": self.objects}), encoding="utf-8")


def named(**names: int) -> list[dict[str, Any]]:
    return [{"name": name.replace("_", " "), "idx": value} for name, value in names.items()]


@pytest.fixture
def empty(tmp_path: Path) -> Studies:
    folder = tmp_path / "studies"
    folder.mkdir()
    return Studies(folder)


@pytest.fixture
def ct() -> Callable[[int], Volume]:
    """A CT of (12, 10, 6) voxels with turned axes; seeded."""

    def make(seed: int) -> Volume:
        voxels = np.random.default_rng(seed).integers(-1000, 1000, (12, 10, 6), dtype=np.int16)
        return Volume(voxels, AFFINE, "CT")

    return make


@pytest.fixture
def studies(empty: Studies, ct: Callable[[int], Volume]) -> Studies:
    """`ct_a` and `ct_b` call the liver by other values and words; `mole` is in colour; `bare` has no label."""
    one, other = np.zeros((12, 10, 6), np.uint8), np.zeros((12, 10, 6), np.uint8)
    one[2:6, 2:5, 1:4] = 1
    one[7:9, 6:9, 2:5] = 2
    one[1, 8, 2] = 2
    other[3:8, 1:6, 3] = 4
    other[0, 0, 0] = 9
    empty.add("ct_a", ct(1), one, named(Liver=1, spleen=2), ".nii.gz")
    empty.add("ct_b", ct(2), other, [{"name": "liver", "id": 4}, {"name": "My finding", "id": 9}], ".nii.gz")
    empty.add("bare", ct(3), None, None, ".nii.gz")
    picture = np.random.default_rng(4).integers(0, 255, (16, 9, 1, 3), dtype=np.uint8)
    photograph = Volume(picture, np.diag([-1.0, -1.0, 1.0, 1.0]), "RGB", "photograph")
    lesion = np.zeros((16, 9, 1), np.uint8)
    lesion[3:9, 2:6] = 7
    lesion[12:14, 7] = 7
    empty.add("mole", photograph, lesion, named(skin_lesion=7), ".png")
    return empty
