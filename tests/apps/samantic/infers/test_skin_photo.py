"""The infer task `skin_photo` with a segmenter that knows colours, and with photographs of every kind."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.infers.skin_photo import SkinPhoto
from samantic.imaging import read_segments
from samantic.skinphoto.classes import LESION, SKIN
from samantic.skinphoto.segmenter import SkinAnswer, seen_shape

COLOURS = np.array([(40, 90, 200), (225, 180, 150), (110, 50, 40)], np.uint8)


class ColourSegmenter:
    """In the place of the network: every pixel is the class whose colour is nearest."""

    weights_hash = "colours"
    network = torch.nn.Identity()

    def segment(self, photograph: np.ndarray) -> SkinAnswer:
        pixels = torch.from_numpy(photograph.transpose(2, 0, 1).copy())[None].float()
        size = seen_shape((photograph.shape[0], photograph.shape[1]), 192, 16)
        small = torch.nn.functional.interpolate(pixels, size=size, mode="bilinear", antialias=True)[0]
        colours = torch.from_numpy(COLOURS).float()[:, :, None, None]
        return SkinAnswer((-(small[None] - colours).square().sum(dim=1) / 500).softmax(dim=0).numpy())


@pytest.fixture(scope="module")
def task() -> SkinPhoto:
    return SkinPhoto(ColourSegmenter)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where answers are written to."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """A lesion in skin, background at the left, (rows, cols)."""
    y, x = np.ogrid[:240, :320]
    labels = (x >= 80) * np.full((240, 320), SKIN)
    labels[(y - 120) ** 2 + (x - 210) ** 2 < 50**2] = LESION
    return labels.astype(np.uint8)


@pytest.fixture
def photograph(truth: np.ndarray, tmp_path: Path) -> Path:
    Image.fromarray(COLOURS[truth]).save(tmp_path / "arm.png")
    return tmp_path / "arm.png"


def ask(task: SkinPhoto, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "skin_photo", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def test_info_is_that_of_a_segmentation_model_of_skin_and_lesions(task: SkinPhoto):
    info = task.info()
    assert (info["type"], info["labels"]) == ("segmentation", ["skin", "skin_lesion"])
    json.dumps(info)


def test_a_photograph_gives_skin_lesion_and_crops_that_keep_the_rule(
    task: SkinPhoto, photograph: Path, truth: np.ndarray
):
    path, result = ask(task, photograph)
    mask = np.asarray(Image.open(path))
    assert mask.shape == truth.shape and (mask == truth).mean() > 0.98
    assert result["label_names"] == {"skin": 1, "skin_lesion": 2}
    assert result["vocabulary"]["skin"]["type"]["value"] == "39937001"
    skin, lesion = result["structures"]
    assert (skin["class"], lesion["class"]) == ("skin", "skin_lesion")
    assert lesion["voxels"] == (mask == 2).sum() and skin["voxels"] == (mask == 1).sum()
    x0, x1, y0, y1, _, _ = lesion["extent"]
    assert (mask[y0:y1, x0:x1] == 2).sum() == lesion["voxels"]
    assert result["crops"] and result["crops_note"] is None
    for crop in result["crops"]:
        x0, x1, y0, y1, z0, z1 = crop["extent"]
        part = truth[y0:y1, x0:x1]
        assert part.shape == (x1 - x0, x1 - x0) and (z0, z1) == (0, 1)
        assert (part > 0).mean() == pytest.approx(crop["skin"], abs=0.03) and crop["skin"] > 0.8
        assert (part == 2).mean() == pytest.approx(crop["lesion"], abs=0.03) and crop["lesion"] > 0.1
    assert result["weights_hash"] == "colours" and set(result["latencies"]) >= {"read", "segment", "crop", "write"}


def test_without_a_crop_it_says_so(task: SkinPhoto, tmp_path: Path):
    Image.fromarray(np.broadcast_to(COLOURS[SKIN], (60, 80, 3))).save(tmp_path / "healthy.png")
    _, result = ask(task, tmp_path / "healthy.png")
    assert (
        result["crops"] == []
        and result["crops_note"] == "No part of it is surely more than 80 % skin and more than 10 % lesion."
    )
    assert result["skin_fraction"] == 1 and not result["empty"]


def test_only_the_classes_that_were_asked_for_are_in_the_mask(task: SkinPhoto, photograph: Path, truth: np.ndarray):
    path, result = ask(task, photograph, classes=["skin_lesion"], result_extension=".seg.nrrd")
    (segment,) = read_segments(path)
    assert (segment.value, segment.name) == (1, "skin lesion") and result["label_names"] == {"skin_lesion": 1}
    path, result = ask(task, photograph, classes=["mole", "skin"])
    mask = np.asarray(Image.open(path))
    assert ((mask == 1) == (truth == LESION)).mean() > 0.98 and result["label_names"] == {"skin_lesion": 1, "skin": 2}


def test_the_confidence_is_written_as_fractions(task: SkinPhoto, photograph: Path):
    path, result = ask(task, photograph, map="confidence", result_extension=".nii.gz")
    stored = np.asarray(nibabel.load(path).dataobj)
    assert stored.shape == (320, 240, 1) and stored.dtype == np.float32 and result["map"] == "confidence"
    assert stored.min() > 0.33 and stored.max() <= 1


def test_a_turned_photograph_is_answered_in_the_pixels_that_its_file_stores(
    task: SkinPhoto, truth: np.ndarray, tmp_path: Path
):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOURS[truth]).save(tmp_path / "turned.jpg", quality=95, exif=exif)
    path, _ = ask(task, tmp_path / "turned.jpg")
    mask = np.asarray(Image.open(path))
    assert mask.shape == truth.shape and (mask == truth).mean() > 0.97


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (3000, 4000)])
def test_tiny_and_huge_photographs_are_answered(task: SkinPhoto, shape: tuple[int, int], tmp_path: Path):
    Image.fromarray(np.broadcast_to(COLOURS[LESION], (*shape, 3)).copy()).save(tmp_path / "one.bmp")
    path, result = ask(task, tmp_path / "one.bmp", result_extension=".png")
    assert np.asarray(Image.open(path)).shape == shape
    assert result["lesion_fraction"] == 1 and bool(result["crops"]) is (min(shape) > 100)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_photographs_are_answered(task: SkinPhoto, dtype: type, tmp_path: Path):
    levels = np.linspace(0, np.iinfo(dtype).max, 64 * 48).reshape(48, 64).astype(dtype)
    Image.fromarray(levels).save(tmp_path / "gray.png")
    path, result = ask(task, tmp_path / "gray.png")
    assert np.asarray(Image.open(path)).shape == (48, 64) and result["structures"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"foreground": [[30, 24]]}, "takes no 'foreground'; use segsam"),
        ({"roi": [2, 30, 2, 30]}, "takes no 'roi'; use segsam"),
        ({"crops": 0}, "'crops' is 0, but it must be a whole number from 1 to 100"),
        ({"map": "uncertainty"}, "'map' is 'uncertainty', but it must be one of labels, confidence"),
        ({"classes": ["liver"]}, "does not know the class 'liver'"),
        ({"axis": 1}, "a photograph has only one view"),
    ],
)
def test_what_it_cannot_do_is_refused_in_a_sentence(task: SkinPhoto, photograph: Path, params: dict, said: str):
    with pytest.raises(HTTPException, match=said) as refused:
        ask(task, photograph, **params)
    assert refused.value.status_code == 422


def test_a_corrupt_photograph_and_a_volume_are_refused(task: SkinPhoto, photograph: Path, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(photograph.read_bytes()[:90])
    with pytest.raises(HTTPException, match=r"'broken\.png' is not a whole PNG, JPEG or BMP picture"):
        ask(task, tmp_path / "broken.png")
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 9, 5), np.int16), np.eye(4)), tmp_path / "mr.nii.gz")
    with pytest.raises(HTTPException, match="skin_photo finds skin in ordinary photographs; use segsam for it"):
        ask(task, tmp_path / "mr.nii.gz")
