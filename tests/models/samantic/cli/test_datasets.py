"""`samantic datasets`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def hippocampus(tmp_path: Path) -> Path:
    """A decathlon task with two labelled images and one without labels."""
    root = tmp_path / "Task04_Hippocampus"
    labels = np.zeros((6, 7, 8), np.uint8)
    labels[2, 3, 4], labels[2, 4, 4] = 1, 2
    for number, folder in ((1, "imagesTr"), (3, "imagesTr"), (2, "imagesTs")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        nib.save(
            nib.Nifti1Image(np.full((6, 7, 8), number, np.int16), np.eye(4)), root / folder / f"hippo_{number}.nii.gz"
        )
    (root / "labelsTr").mkdir()
    for number in (1, 3):
        nib.save(nib.Nifti1Image(labels, np.eye(4)), root / "labelsTr" / f"hippo_{number}.nii.gz")
    index = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "Anterior", "2": "Posterior"}}
    (root / "dataset.json").write_text(json.dumps(index))
    return root


def test_list_names_every_data_set_with_licence_and_address(run: Run):
    code, output = run("datasets", "list")
    assert code == 0
    for name in ("isic2016", "isic2017", "isic2018", "busi", "precise", "msd", "totalsegmentator", "btcv", "amos22"):
        assert f"{name}: " in output
    assert "CC BY-SA 4.0" in output and "http://medicaldecathlon.com/" in output


def test_a_whole_download_is_described(run: Run, hippocampus: Path):
    code, output = run("datasets", "check", hippocampus)
    assert code == 0
    assert output.splitlines() == [
        "Medical Segmentation Decathlon (msd), licence CC BY-SA 4.0",
        "train: 2 images",
        "test: 1 image, none with labels",
        "classes: hippocampus_anterior, hippocampus_posterior",
        "Nothing is missing.",
    ]


def test_what_is_missing_is_named_and_the_exit_code_is_1(run: Run, hippocampus: Path):
    (hippocampus / "labelsTr" / "hippo_3.nii.gz").unlink()
    code, output = run("datasets", "check", hippocampus)
    assert code == 1
    assert "train: 2 images, 1 with labels" in output
    assert "imagesTr/hippo_3.nii.gz: has no labels labelsTr/hippo_3.nii.gz" in output
    assert "1 problem." in output


def test_an_unknown_folder_has_the_exit_code_2(run: Run, tmp_path: Path):
    code, output = run("datasets", "check", tmp_path)
    assert code == 2
    assert "no data set that is read" in output and "Task04_Hippocampus" in output


def test_classes_that_are_left_out_are_noted(run: Run, hippocampus: Path):
    index = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "Anterior", "2": "ear ring"}}
    (hippocampus / "dataset.json").write_text(json.dumps(index))
    code, output = run("datasets", "check", hippocampus)
    assert code == 0
    assert "note: the vocabulary has no class for ear ring in these images; those labels are left out." in output


def test_names_from_a_stranger_cannot_move_the_cursor(run: Run, hippocampus: Path):
    (hippocampus / "imagesTr" / "a\x1b[2Jb.nii.gz").write_bytes(b"x")
    code, output = run("datasets", "check", hippocampus)
    assert code == 1
    assert "\x1b" not in output and "a\\x1b[2Jb.nii.gz" in output


def test_another_depth_is_refused_with_those_that_are(run: Run, hippocampus: Path):
    code, output = run("datasets", "check", hippocampus, "--depth", "abyss")
    assert code == 2
    assert "use headers, labels or everything" in output


def test_the_command_is_loaded_without_torch():
    check = "import sys; import samantic.cli.datasets; print('torch' in sys.modules, 'nibabel' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]
