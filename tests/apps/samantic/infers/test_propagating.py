from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from fastapi import HTTPException
from scipy import ndimage

from samantic.app.lib.infers.propagating import propagate_request
from samantic.app.lib.infers.segsam import SegSam
from samantic.imaging import read_mask, read_segments, read_volume
from samantic.segsam import ImageFeatures, InputTransform, Look, LookLogits, ObjectPrediction, SegSamPredictor
from samantic.segsam.cancelling import Cancelled

SHAPE = (24, 20, 12)
BOX = [7, 17, 5, 13, 4, 5]


class BrightFinder(SegSamPredictor):
    """Finds the connected bright parts that a prompt touches, so that a test can say where every voxel must be."""

    has_prompt_free_head = False

    def encode(self, image: np.ndarray, spacing_yx_mm: tuple[float, float] = (1.0, 1.0)) -> ImageFeatures:
        shape = (image.shape[0], image.shape[1])
        return ImageFeatures({}, InputTransform(shape, spacing_yx_mm, 64), lambda: image)

    def decode(
        self, features: Any, prompts: Sequence[Any], classes: Any = None, _multimask: bool = False
    ) -> list[ObjectPrediction]:
        return [self._found(features, one, classes) for one in prompts]

    def _found(self, features: Any, prompts: Any, classes: Sequence[str] | None) -> ObjectPrediction:
        parts, _ = ndimage.label(features.picture()[..., 0] >= 128)
        touched = np.zeros(parts.shape, bool) if prompts.mask is None else prompts.mask.copy()
        if prompts.box_xyxy is not None:
            x0, y0, x1, y1 = (round(bound) for bound in prompts.box_xyxy)
            touched[y0:y1, x0:x1] = True
        for (x, y), label in zip(prompts.points_xy.astype(int), prompts.point_labels, strict=True):
            touched[y, x] |= label == 1
        mask = np.isin(parts, np.setdiff1d(parts[touched], 0))
        names = {name: 0.9 if name == "liver" else 0.1 for name in classes or ("liver", "spleen")}
        low = LookLogits(torch.zeros(1, 4, 4), Look.whole(parts.shape), features.transform)
        logits = np.where(mask, 8.0, -8.0).astype(np.float32)
        return ObjectPrediction(mask, logits, low, 0.9, names, max(names, key=names.__getitem__), {}, 0.9, None, None)


@pytest.fixture(scope="module")
def task() -> SegSam:
    return SegSam(BrightFinder.from_bundled(), None)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where answers are written to, and where the server puts a label file."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def truth() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint8)
    array[8:16, 6:12, 2:9] = 1
    return array


@pytest.fixture
def image(tmp_path: Path, truth: np.ndarray) -> Path:
    path = tmp_path / "bar.nii.gz"
    nibabel.save(nibabel.Nifti1Image((truth * 200).astype(np.int16), np.diag([-1.0, -1.0, 2.0, 1.0])), path)
    return path


def ask(task: SegSam, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "segsam", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def labelled(folder: Path, image: Path, labels: np.ndarray) -> str:
    """A label file where and as the server puts it."""
    path = folder / "tmpabcdefgh.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.uint8), nibabel.load(image).affine), path)
    return str(path)


def test_a_box_is_followed_both_ways(task: SegSam, image: Path, truth: np.ndarray) -> None:
    path, result = ask(task, image, roi=BOX, propagate="both", label="mine")
    np.testing.assert_array_equal(read_mask(path, read_volume(image)), truth)
    assert result["propagation"]["slices"] == [2, 8]
    assert result["propagation"]["stopped"] == dict.fromkeys(("up", "down"), "end seen from the side")
    assert set(result["propagation"]["confidence"]) == {str(index) for index in range(2, 9)}
    assert tuple(result["extent"]) == tuple(result["objects"][0]["extent"]) == (8, 16, 6, 12, 2, 9)
    assert result["label_names"] == {"mine": 1}
    assert result["slice"] == 4


@pytest.mark.parametrize(("ways", "slices"), [("up", [4, 8]), ("down", [2, 4]), (True, [2, 8])])
def test_each_direction_is_its_own(task: SegSam, image: Path, ways: Any, slices: list[int]) -> None:
    assert ask(task, image, roi=BOX, propagate=ways)[1]["propagation"]["slices"] == slices


@pytest.mark.parametrize("ways", ["none", False, "", None])
def test_without_a_direction_one_slice_is_answered(task: SegSam, image: Path, ways: Any) -> None:
    path, result = ask(task, image, foreground=[[12, 8, 4]], propagate=ways)
    assert "propagation" not in result
    assert np.flatnonzero(np.asarray(nibabel.load(path).dataobj).any(axis=(0, 1))).tolist() == [4]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_crop_lies_where_the_whole_mask_does(task: SegSam, image: Path, truth: np.ndarray, axis: int) -> None:
    path, result = ask(task, image, foreground=[[12, 8, 4]], axis=axis, propagate="both", result="crop")
    assert nibabel.load(path).shape == (8, 6, 7)
    np.testing.assert_array_equal(read_mask(path, read_volume(image)), truth)
    assert tuple(result["written_extent"]) == (8, 16, 6, 12, 2, 9)


def test_the_mask_has_the_value_of_its_class_and_segments_have_its_name(task: SegSam, image: Path) -> None:
    asked = {"classes": ["spleen", "liver"], "propagate": "both", "result_extension": ".seg.nrrd"}
    path, result = ask(task, image, roi=BOX, **asked)
    assert result["label_names"] == {"spleen": 1, "liver": 2}
    assert [segment.value for segment in read_segments(path)] == [1, 2]
    assert set(np.unique(read_mask(path, read_volume(image)))) == {0, 2}


def test_points_and_boxes_on_several_slices_are_one_object(task: SegSam, image: Path, truth: np.ndarray) -> None:
    asked = {"foreground": [[12, 8, 3], [10, 8, 7]], "boxes": [[7, 17, 5, 13, 5, 6]], "propagate": "both"}
    path, result = ask(task, image, **asked)
    np.testing.assert_array_equal(read_mask(path, read_volume(image)), truth)
    assert result["slice"] == 3
    assert ask(task, image, **asked, slice=7)[1]["slice"] == 7


def test_hand_corrected_slices_are_kept_and_the_gap_between_them_is_filled(
    task: SegSam, image: Path, truth: np.ndarray, temporary_folder: Path
) -> None:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[9:14, 7:11, 3], drawn[9:15, 7:11, 7] = 1, 1
    path, result = ask(task, image, label_file=labelled(temporary_folder, image, drawn), propagate="both")
    mask = read_mask(path, read_volume(image))
    np.testing.assert_array_equal(mask[:, :, (3, 7)], drawn[:, :, (3, 7)])
    np.testing.assert_array_equal(mask[:, :, 4:7], truth[:, :, 4:7])
    confidence = result["propagation"]["confidence"]
    assert confidence["3"] == confidence["7"] == 1.0


def test_only_the_slices_that_are_named_are_kept(
    task: SegSam, image: Path, truth: np.ndarray, temporary_folder: Path
) -> None:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[9:14, 7:11, 3:8] = 1
    file = labelled(temporary_folder, image, drawn)
    path, _ = ask(task, image, label_file=file, kept_slices=[3], propagate="both")
    mask = read_mask(path, read_volume(image))
    np.testing.assert_array_equal(mask[:, :, 3], drawn[:, :, 3])
    np.testing.assert_array_equal(mask[:, :, 5], truth[:, :, 5])


def test_nothing_found_is_an_empty_mask(task: SegSam, image: Path) -> None:
    path, result = ask(task, image, foreground=[[1, 1, 4]], propagate="both", result="crop")
    assert result["empty"] is True
    assert result["extent"] is result["written_extent"] is None
    assert result["propagation"]["slices"] is None
    assert nibabel.load(path).shape == (1, 1, 1)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"roi": BOX, "propagate": "sideways"}, "must be one of none, up, down, both"),
        ({"propagate": "both"}, "Nothing is prompted"),
        ({"foreground": [[12, 8, 12]], "propagate": "up"}, "outside the image"),
        ({"boxes": [BOX, [1, 4, 1, 4, 4, 5]], "propagate": "up"}, "two boxes"),
        ({"liver": [[12, 8, 4]], "spleen": [[9, 8, 4]], "propagate": "up"}, "one object is propagated at a time"),
        (
            {"foreground": [[12, 8, 4]], "background": [[1, 1, 6]], "propagate": "up"},
            "Slice 6 .* background marks alone",
        ),
        ({"roi": BOX, "multimask": True, "propagate": "up"}, "Alternatives are for one slice"),
        ({"roi": BOX, "kept_slices": [4], "propagate": "up"}, "holds nothing"),
        ({"roi": BOX, "kept_slices": "all", "propagate": "up"}, "must be a list of slices"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_sentence(
    task: SegSam, image: Path, params: dict[str, Any], said: str
) -> None:
    with pytest.raises(HTTPException, match=said) as refused:
        task({"image": str(image), **params})
    assert refused.value.status_code == 422


def test_a_job_hears_of_progress_and_can_be_cancelled(task: SegSam, image: Path) -> None:
    said: list[tuple[int, int]] = []
    params = {"image": str(image), "roi": BOX, "propagate": "both"}
    path, result = propagate_request(task, params, lambda done, total: said.append((done, total)), lambda: False)
    assert path is not None
    assert said[-1] == (12, 12)
    assert result["propagation"]["slices"] == [2, 8]
    with pytest.raises(Cancelled):
        propagate_request(task, params, lambda *_: None, lambda: True)
    with pytest.raises(HTTPException, match="nothing to do"):
        propagate_request(task, {**params, "propagate": "none"}, lambda *_: None, lambda: False)
