from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from samantic.imaging import read_volume, write_mask


@pytest.fixture
def studies(ct: Path, tmp_path: Path) -> Path:
    """A studies folder with one labelled CT and one without a label."""
    folder = tmp_path / "studies"
    (folder / "labels" / "final").mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.nii.gz").write_bytes(ct.read_bytes())
    volume = read_volume(ct)
    labels = np.zeros(volume.shape_ijk, np.uint8)
    labels[10:20, 10:20, 5] = 1
    write_mask(folder / "labels" / "final" / "a.nii.gz", labels, volume)
    label = {"ext": ".nii.gz", "info": {"name": "a.nii.gz"}}
    objects = {name: {"image": {"ext": ".nii.gz", "info": {}}, "labels": {}} for name in ("a", "b")}
    objects["a"]["labels"] = {"final": label}
    (folder / "datastore_v2.json").write_text(json.dumps({"objects": objects}))
    return folder


def test_an_export_says_what_was_written_and_what_was_left_out(run: Callable, studies: Path, tmp_path: Path) -> None:
    code, said = run("export", studies, "--to", "nnunet", "--out", tmp_path / "out", "--name", "1=liver")
    assert code == 0, said
    assert "1 images with labels" in said and "Without a label 'final', so left out: b" in said
    assert (tmp_path / "out" / "Dataset501_mri" / "labelsTr" / "a.nii.gz").is_file()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "dicom"], "The format 'dicom' is not known; use nnunet, coco, seg-nrrd"),
        (["--to", "coco"], "nobody has named: 1"),
        (["--to", "coco", "--name", "liver"], "must be like 3=liver"),
        (["--to", "coco", "--tag", "original"], "None of the 2 images"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    run: Callable, studies: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    code, said = run("export", studies, "--out", tmp_path / "out", *options)
    assert (code, len(said.strip().splitlines())) == (2, 1)
    assert words in said
    assert not (tmp_path / "out").exists()
