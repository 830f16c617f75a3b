"""Folders in the layouts of the publishers, with tiny images."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from samantic.datasets.layouts.btcv import ORGANS as BTCV_ORGANS

SPACING = (1.0, 2.0, 3.0)
RAS = np.diag([*SPACING, 1.0])
SHAPE = (8, 10, 6)


def write_picture(path: Path, seed: int = 0, size: tuple[int, int] = (12, 9)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_mask(path: Path, box: tuple[int, int, int, int] | None, size: tuple[int, int] = (12, 9)) -> None:
    """A mask of 255 within `box` (x0, y0, x1, y1), black without one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.zeros((height, width), np.uint8)
    if box is not None:
        x0, y0, x1, y1 = box
        pixels[y0:y1, x0:x1] = 255
    Image.fromarray(pixels).save(path)


def write_nifti(path: Path, array: np.ndarray, affine: np.ndarray = RAS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, path)


def intensities(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(-300, 300, shape).astype(np.int16)


def labels_with(values: Iterable[int], shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """One voxel of each value, along i in the slice j = 2, k = 1, and then along j."""
    labels = np.zeros(shape, np.uint8)
    for number, value in enumerate(values):
        labels[number % shape[0], 2 + number // shape[0], 1] = value
    return labels


def make_isic(folder: Path, year: str) -> Path:
    names = {
        "isic2016": (("Training", "Test"), "ISBI2016_ISIC_Part1_{}_Data", "ISBI2016_ISIC_Part1_{}_GroundTruth"),
        "isic2017": (("Training", "Validation", "Test_v2"), "ISIC-2017_{}_Data", "ISIC-2017_{}_Part1_GroundTruth"),
        "isic2018": (
            ("Training", "Validation", "Test"),
            "ISIC2018_Task1-2_{}_Input",
            "ISIC2018_Task1_{}_GroundTruth",
        ),
    }
    words, images, masks = names[year]
    ending = "_Segmentation.png" if year == "isic2016" else "_segmentation.png"
    for number, word in enumerate(words):
        image_id = f"ISIC_000000{number}"
        write_picture(folder / images.format(word) / f"{image_id}.jpg", number)
        write_mask(folder / masks.format(word) / f"{image_id}{ending}", (2, 3, 7, 5))
        if year == "isic2017":
            write_picture(folder / images.format(word) / f"{image_id}_superpixels.png")
    (folder / images.format("Training") / "LICENSE.txt").write_text("CC0")
    return folder


def make_ph2(folder: Path) -> Path:
    root = folder / "PH2Dataset"
    for number in (2, 3):
        name = f"IMD{number:03}"
        case = root / "PH2 Dataset images" / name
        write_picture(case / f"{name}_Dermoscopic_Image" / f"{name}.bmp", number)
        write_mask(case / f"{name}_lesion" / f"{name}_lesion.bmp", (2, 3, 7, 5))
        write_picture(case / f"{name}_roi" / f"{name}_R1.bmp")
    # Most masks of the download have one bit a pixel.
    mask = root / "PH2 Dataset images" / "IMD003" / "IMD003_lesion" / "IMD003_lesion.bmp"
    Image.open(mask).convert("1").save(mask)
    (root / "PH2_dataset.txt").write_text("Name  Histological Diagnosis")
    return folder


def make_ham10000(folder: Path) -> Path:
    for number, part in ((24306, 1), (24307, 1), (34321, 2)):
        image_id = f"ISIC_00{number}"
        write_picture(folder / f"HAM10000_images_part_{part}" / f"{image_id}.jpg", number)
        write_mask(folder / "HAM10000_segmentations_lesion_tschandl" / f"{image_id}_segmentation.png", (2, 3, 7, 5))
    rows = ["lesion_id,image_id,dx", *(f"HAM_{n},ISIC_00{i},nv" for n, i in ((1, 24306), (1, 24307), (2, 34321)))]
    (folder / "HAM10000_metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


def make_busi(folder: Path) -> Path:
    root = folder / "Dataset_BUSI_with_GT"
    for kind in ("benign", "malignant", "normal"):
        write_picture(root / kind / f"{kind} (1).png")
        write_mask(root / kind / f"{kind} (1)_mask.png", None if kind == "normal" else (1, 1, 4, 4))
    write_mask(root / "benign" / "benign (1)_mask_1.png", (8, 5, 10, 8))
    return folder


def make_precise(folder: Path) -> Path:
    for part, image_id in (("Train", "PACE_00001_001_BUS"), ("Validation", "PABC_00002_002_BBR")):
        write_picture(folder / part / "images" / f"{image_id}.png")
        write_mask(folder / part / "masks" / f"{image_id}_mask.png", (1, 1, 4, 4))
    write_picture(folder / "Train" / "images" / "PACE_00003_000_BRE.png")
    return folder


def make_msd(folder: Path) -> Path:
    root = folder / "Task04_Hippocampus"
    for number in (1, 3):
        write_nifti(root / "imagesTr" / f"hippocampus_{number:03}.nii.gz", intensities(number))
        write_nifti(root / "labelsTr" / f"hippocampus_{number:03}.nii.gz", labels_with((1, 2)))
    (root / "imagesTr" / "._hippocampus_001.nii.gz").write_bytes(b"macOS")
    write_nifti(root / "imagesTs" / "hippocampus_002.nii.gz", intensities(2))
    index = {
        "name": "Hippocampus",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
        "training": [
            {"image": f"./imagesTr/hippocampus_{n:03}.nii.gz", "label": f"./labelsTr/hippocampus_{n:03}.nii.gz"}
            for n in (1, 3)
        ],
        "test": ["./imagesTs/hippocampus_002.nii.gz"],
    }
    (root / "dataset.json").write_text(json.dumps(index))
    return root


def make_totalsegmentator(folder: Path) -> Path:
    with (folder / "meta.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(("image_id", "age", "split"))
        writer.writerows((("s0001", 60, "train"), ("s0002", 70, "test")))
    for number, (case, image) in enumerate((("s0001", "ct.nii.gz"), ("s0002", "mri.nii.gz"))):
        write_nifti(folder / case / image, intensities(number))
        for place, structure in enumerate(("liver", "spleen", "left_ear_ring")):
            mask = np.zeros(SHAPE, np.uint8)
            mask[place, 2, 1] = 1
            write_nifti(folder / case / "segmentations" / f"{structure}.nii.gz", mask)
    return folder


def make_btcv(folder: Path) -> Path:
    training = folder / "Abdomen" / "RawData" / "Training"
    write_nifti(training / "img" / "img0001.nii.gz", intensities(1))
    write_nifti(training / "label" / "label0001.nii.gz", labels_with(BTCV_ORGANS))
    write_nifti(folder / "Abdomen" / "RawData" / "Testing" / "img" / "img0061.nii.gz", intensities(2))
    return folder


def make_amos(folder: Path) -> Path:
    root = folder / "amos22"
    for ending, numbers in (("Tr", (1, 507)), ("Va", (8,))):
        for number in numbers:
            write_nifti(root / f"images{ending}" / f"amos_{number:04}.nii.gz", intensities(number))
            write_nifti(root / f"labels{ending}" / f"amos_{number:04}.nii.gz", labels_with(range(1, 16)))
    write_nifti(root / "imagesTs" / "amos_0002.nii.gz", intensities(2))
    index = {
        "name": "AMOS",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "1": "spleen", "8": "arota", "9": "postcava"},
        "training": [{"image": "./imagesTr/amos_0001.nii.gz", "label": "./labelsTr/amos_0001.nii.gz"}],
        "validation": [{"image": "./imagesVa/amos_0008.nii.gz", "label": "./labelsVa/amos_0008.nii.gz"}],
        "test": [{"image": "./imagesTs/amos_0002.nii.gz"}],
    }
    (root / "dataset.json").write_text(json.dumps(index))
    return folder


MAKERS = {
    "ph2": make_ph2,
    "ham10000": make_ham10000,
    "busi": make_busi,
    "precise": make_precise,
    "msd": make_msd,
    "totalsegmentator": make_totalsegmentator,
    "btcv": make_btcv,
    "amos22": make_amos,
}


class Maker:
    """Makes one data set per call, in a folder of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path

    def __call__(self, name: str) -> Path:
        folder = self.tmp_path / f"download-{name}"
        folder.mkdir()
        return make_isic(folder, name) if name.startswith("isic") else MAKERS[name](folder)


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """A complete download of the named data set; returns the folder that a person would name."""
    return Maker(tmp_path)


@pytest.fixture
def files() -> SimpleNamespace:
    """What writes single files, and the grid they are written in."""
    return SimpleNamespace(
        picture=write_picture,
        mask=write_mask,
        nifti=write_nifti,
        intensities=intensities,
        labels_with=labels_with,
        shape=SHAPE,
        affine=RAS,
    )
