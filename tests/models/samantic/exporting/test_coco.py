from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.measure import label as connected

from samantic.exporting import export
from samantic.exporting.run_length import coco_rle, mask_of
from samantic.imaging import SliceView


@pytest.fixture
def coco(studies: Any, tmp_path: Path) -> dict[str, Any]:
    export(studies.folder, "coco", tmp_path / "out")
    return json.loads((tmp_path / "out" / "annotations" / "instances.json").read_text())


def drawn_again(coco: dict[str, Any], image: dict[str, Any], category: str) -> np.ndarray:
    (number,) = [entry["id"] for entry in coco["categories"] if entry["name"] == category]
    mask = np.zeros((image["height"], image["width"]), bool)
    for one in coco["annotations"]:
        if one["image_id"] == image["id"] and one["category_id"] == number:
            mask |= mask_of(one["segmentation"])
    return mask


def test_every_slice_with_a_label_is_a_picture_and_its_masks_come_back(coco: dict[str, Any], studies: Any) -> None:
    slices = [image for image in coco["images"] if image["source"] == "ct_a"]
    assert [image["file_name"] for image in slices] == [f"ct_a_k000{index}.png" for index in (1, 2, 3, 4)]
    for image in slices:
        view = SliceView.of(studies.volumes["ct_a"], image["axis"], image["slice"])
        truth = view.extract(studies.labels["ct_a"])
        np.testing.assert_array_equal(drawn_again(coco, image, "liver"), truth == 1)
        np.testing.assert_array_equal(drawn_again(coco, image, "spleen"), truth == 2)


def test_each_connected_part_is_an_annotation_with_its_area_and_box(coco: dict[str, Any], studies: Any) -> None:
    (mole,) = [image for image in coco["images"] if image["source"] == "mole"]
    assert (mole["width"], mole["height"]) == (16, 9)
    parts = [one for one in coco["annotations"] if one["image_id"] == mole["id"]]
    assert len(parts) == connected(studies.labels["mole"][:, :, 0]).max() == 2
    assert [one["bbox"] for one in parts] == [[3, 2, 6, 4], [12, 7, 2, 1]]
    assert [one["area"] for one in parts] == [24, 2]
    assert [one["iscrowd"] for one in parts] == [0, 0]


def test_numbers_are_unique_and_categories_carry_codes(coco: dict[str, Any], tmp_path: Path) -> None:
    for what in ("images", "annotations", "categories"):
        numbers = [entry["id"] for entry in coco[what]]
        assert len(set(numbers)) == len(numbers) > 0
    by_name = {entry["name"]: entry for entry in coco["categories"]}
    assert by_name["liver"]["code"]["value"] == "10200004"
    assert by_name["My finding"]["supercategory"] == "other"
    for image in coco["images"]:
        assert Image.open(tmp_path / "out" / "images" / image["file_name"]).size == (image["width"], image["height"])


def test_run_lengths_are_those_of_cocos_own_example() -> None:
    mask = np.array([[0, 0, 1], [1, 1, 1], [0, 1, 1]], bool)
    assert coco_rle(mask) == {"counts": [1, 1, 2, 5], "size": [3, 3]}
    chance = np.random.default_rng(3).random((17, 23)) > 0.6
    np.testing.assert_array_equal(mask_of(coco_rle(chance)), chance)
    assert coco_rle(np.ones((2, 2), bool))["counts"] == [0, 4]
