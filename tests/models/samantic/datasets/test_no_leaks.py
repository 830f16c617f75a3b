"""What is measured on was not learned from: ids, near-duplicates, and the model card."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from samantic.bundled import bundled_models, bundled_weights, model_card
from samantic.datasets.development_sets import busi, data_folder, image_ids, learnable_ids
from samantic.datasets.near_duplicates import DERMOSCOPY, HIPPOCAMPUS, ULTRASOUND, near_duplicates, signature
from samantic.datasets.overlaps import BUSI_LESIONS, hippocampus_person, training_overlaps
from samantic.imaging import read_volume, to_uint8, window_for
from samantic.segsam import TrainingManifest
from samantic.segsam.checkpoint import load_manifest

SETS = {"isic2017": DERMOSCOPY, "busi": ULTRASOUND, "msd_hippocampus": HIPPOCAMPUS}


@pytest.fixture(scope="module")
def folder() -> Path:
    if "SAMANTIC_DATA" not in os.environ:
        pytest.skip("SAMANTIC_DATA is not set: the public data sets cannot be read")
    return data_folder()


def parts_of(folder: Path, dataset: str) -> dict[str, list[str]]:
    return {part: image_ids(folder, dataset, part) for part in ("train", "val", "test")}


def signature_of(folder: Path, dataset: str, image_id: str) -> np.ndarray:
    paths = {
        "isic2017": folder / "isic2017" / "images" / f"{image_id}.jpg",
        "busi": folder / "busi" / "images" / image_id.split("_")[0] / f"{image_id}.png",
        "msd_hippocampus": folder / "msd_hippocampus" / "imagesTr" / f"{image_id}.nii.gz",
    }
    volume = read_volume(paths[dataset])
    array = volume.array.mean(axis=-1) if volume.is_rgb else volume.array
    if volume.kind == "photograph":
        return signature(array[:, :, 0].T)
    flat = to_uint8(array.reshape(len(array), -1), window_for(volume))
    return signature(flat[..., 0].reshape(array.shape))


@pytest.mark.parametrize("dataset", SETS)
def test_no_id_is_in_two_parts(folder: Path, dataset: str):
    parts = parts_of(folder, dataset)
    ids = [image_id for part in parts.values() for image_id in part]
    assert all(parts.values())
    assert len(ids) == len(set(ids))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", SETS)
def test_nothing_that_is_learned_from_is_nearly_a_held_out_image(folder: Path, dataset: str):
    parts = parts_of(folder, dataset)
    train = {image_id: signature_of(folder, dataset, image_id) for image_id in learnable_ids(folder, dataset)}
    held_out = {
        image_id: signature_of(folder, dataset, image_id) for part in ("val", "test") for image_id in parts[part]
    }
    assert near_duplicates(train, held_out, SETS[dataset]) == []


def test_training_reads_the_learnable_ultrasound_images_and_no_other(folder: Path):
    read = [view.image_id for view in busi(folder, "train")]
    assert read == learnable_ids(folder, "busi")
    parts = parts_of(folder, "busi")
    assert not set(read) & set(training_overlaps("busi", parts))
    assert len(read) == len(parts["train"]) - len(training_overlaps("busi", parts))


def test_the_comparison_finds_the_known_pairs_of_ultrasound(folder: Path):
    train = {image_id: signature_of(folder, "busi", image_id) for image_id in ("malignant_107", "benign_1")}
    held_out = {image_id: signature_of(folder, "busi", image_id) for image_id in ("malignant_106", "benign_10")}
    found = near_duplicates(train, held_out, ULTRASOUND)
    assert [(pair.first, pair.second) for pair in found] == [("malignant_107", "malignant_106")]


def test_every_listed_lesion_is_in_two_parts(folder: Path):
    part_of = {image_id: part for part, ids in parts_of(folder, "busi").items() for image_id in ids}
    assert all(len({part_of[image_id] for image_id in lesion}) == 2 for lesion in BUSI_LESIONS)


@pytest.mark.parametrize("name", bundled_models())
def test_no_bundled_weights_say_that_they_learned_from_an_image_that_is_measured_on(folder: Path, name: str):
    with safe_open(bundled_weights(name), framework="pt") as stored:
        manifest = TrainingManifest.from_json(stored.metadata()["manifest"])
    assert manifest.images
    for its_name, dataset in (("isic2017", "isic2017"), ("busi", "busi"), ("hippocampus", "msd_hippocampus")):
        learned = set(manifest.images.get(its_name, ()))
        parts = parts_of(folder, dataset)
        assert learned <= set(parts["train"])
        assert not learned & {*parts["val"], *parts["test"]}


@pytest.mark.parametrize("name", bundled_models())
def test_a_model_card_names_training_parts_only(folder: Path, name: str):
    split = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
    whole = {"totalsegmentator/example_ct", "totalsegmentator/example_mr_sm"}
    for source in model_card(name)["trained_on"]:
        dataset, _, part = source.partition("/")
        assert source in whole or (dataset in split and part == "train"), source


def test_the_two_hippocampi_of_a_person_have_the_same_intensities(folder: Path):
    ids = sorted(image_id for ids in parts_of(folder, "msd_hippocampus").values() for image_id in ids)
    bright = {
        image_id: read_volume(folder / "msd_hippocampus" / "imagesTr" / f"{image_id}.nii.gz").intensity_percentiles[1]
        for image_id in ids[:80]
    }
    neighbours = list(zip(bright, list(bright)[1:], strict=False))
    steps = {
        same: np.median(
            [
                abs(np.log(bright[first] / bright[second]))
                for first, second in neighbours
                if (hippocampus_person(first) == hippocampus_person(second)) == same
            ]
        )
        for same in (True, False)
    }
    assert steps[True] < 0.1 < steps[False]


def test_the_manifest_of_segsam_tiny_names_every_set_that_it_learned_from():
    manifest = load_manifest(bundled_weights("segsam-tiny"))
    assert manifest is not None
    assert manifest.images.keys() == {"isic2017", "busi", "hippocampus", "ct", "mr"}
    assert manifest.images["ct"] == ("example_ct",)
