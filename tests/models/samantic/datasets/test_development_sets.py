from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.datasets import development_sets
from samantic.datasets.development_sets import TRAINING_SETS, data_folder, image_ids, slices
from samantic.datasets.labelled_view import LabelledView
from samantic.imaging import SliceView, Volume
from samantic.vocabulary import load_vocabulary

SPLIT_SETS = ("isic2017", "busi", "msd_hippocampus")


@pytest.fixture(scope="module")
def folder() -> Path:
    if "SAMANTIC_DATA" not in os.environ:
        pytest.skip("SAMANTIC_DATA is not set: the public data sets cannot be read")
    return data_folder()


class TestFolder:
    def test_without_the_variable_the_error_says_how_to_set_it(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("SAMANTIC_DATA", raising=False)
        with pytest.raises(FileNotFoundError, match=r"export SAMANTIC_DATA="):
            data_folder()

    def test_a_folder_without_the_parts_is_refused_by_name(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        monkeypatch.setenv("SAMANTIC_DATA", str(tmp_path))
        with pytest.raises(FileNotFoundError, match=tmp_path.name):
            data_folder()

    def test_ids_come_in_the_order_of_the_file(self, tmp_path: Path):
        (tmp_path / "splits.json").write_text(json.dumps({"busi": {"train": ["b", "a"], "val": [], "test": ["c"]}}))
        assert image_ids(tmp_path, "busi", "train") == ["b", "a"]
        assert image_ids(tmp_path, "busi", "test") == ["c"]

    def test_an_unknown_part_is_refused_listing_the_parts(self, tmp_path: Path):
        with pytest.raises(ValueError, match=r"'training' is not a part.*train, val or test"):
            image_ids(tmp_path, "busi", "training")


class TestSlices:
    @pytest.fixture
    def volume(self) -> Volume:
        """A block of label 1 and one of label 2, as bright in the image as in the labels."""
        labels = np.zeros((12, 10, 8), dtype=np.int16)
        labels[2:6, 3:8, 1:5] = 1
        labels[7:10, 1:4, 4:7] = 2
        return Volume(labels * 100, np.diag([1.0, -2.0, 3.0, 1.0]), "MR")

    def test_every_slice_with_a_label_is_a_view_along_every_axis(self, volume: Volume):
        views = list(slices("block", "mr", volume, (volume.array // 100).astype(np.int16), ("liver", "spleen")))
        along = [sum(f"axis{axis}" in view.image_id for view in views) for axis in range(3)]
        assert along == [7, 7, 6]
        assert len({view.image_id for view in views}) == len(views)
        assert all(view.labels.any() for view in views)

    def test_image_and_labels_are_cut_alike(self, volume: Volume):
        for view in slices("block", "mr", volume, (volume.array // 100).astype(np.int16), ("liver", "spleen")):
            assert view.image.shape == (*view.labels.shape, 3) and view.image.dtype == np.uint8
            assert ((view.image[..., 0] > 0) == (view.labels > 0)).all()

    def test_a_step_skips_slices(self, volume: Volume):
        labels = (volume.array // 100).astype(np.int16)
        every = [view.image_id for view in slices("block", "mr", volume, labels, ("liver", "spleen"))]
        second = [view.image_id for view in slices("block", "mr", volume, labels, ("liver", "spleen"), step=2)]
        assert second == [name for name in every if int(name.split("slice")[1]) % 2 == 0]

    def test_a_view_knows_its_spacing(self, volume: Volume):
        views = slices("block", "mr", volume, (volume.array // 100).astype(np.int16), ("liver", "spleen"), axes=(1,))
        assert {view.spacing_yx_mm for view in views} == {SliceView.of(volume, 1, 0).spacing_yx_mm}


class TestPublicSets:
    @pytest.mark.parametrize("name", SPLIT_SETS)
    def test_the_parts_of_a_set_share_no_image(self, name: str, folder: Path):
        parts = [image_ids(folder, name, part) for part in ("train", "val", "test")]
        assert all(parts)
        ids = list(itertools.chain(*parts))
        assert len(set(ids)) == len(ids)

    @pytest.mark.parametrize("name", [*TRAINING_SETS, "dicom_ct"])
    def test_views_are_as_documented(self, name: str, folder: Path):
        read: Callable[[Path], Iterator[LabelledView]] = {
            **TRAINING_SETS,
            "dicom_ct": development_sets.dicom_ct,
        }[name]
        domain = {
            "isic2017": "dermoscopy",
            "busi": "breast_ultrasound",
            "hippocampus": "mr",
            "mr": "mr",
            "ct": "ct",
            "dicom_ct": "ct",
        }[name]
        count = {"isic2017": 1, "busi": 1, "hippocampus": 2, "ct": 104, "mr": None, "dicom_ct": None}[name]
        vocabulary = load_vocabulary()
        views = list(itertools.islice(read(folder), 6))
        assert len({view.image_id for view in views}) == 6
        for view in views:
            assert view.image.ndim == 3 and view.image.shape[2] == 3 and view.image.dtype == np.uint8
            assert view.labels.shape == view.image.shape[:2] and view.labels.dtype == np.int16
            assert view.labels.min() >= 0 and view.labels.max() <= len(view.class_names)
            assert view.domain == domain
            assert count is None or len(view.class_names) == count
            assert all(domain in vocabulary[class_name].domains for class_name in view.class_names)
            assert all(spacing > 0 for spacing in view.spacing_yx_mm)
            assert view.image.std() > 5

    @pytest.mark.parametrize("part", ["train", "val", "test"])
    def test_the_lesion_of_a_photograph_lies_where_its_mask_says(self, part: str, folder: Path):
        for view in itertools.islice(development_sets.isic2017(folder, part), 3):
            assert view.image_id in image_ids(folder, "isic2017", part)
            mask = np.asarray(Image.open(folder / "isic2017" / "masks" / f"{view.image_id}.png").convert("L")) > 0
            photograph = Image.open(folder / "isic2017" / "images" / f"{view.image_id}.jpg").convert("RGB")
            assert np.array_equal(view.labels > 0, mask)
            assert np.array_equal(view.image, np.asarray(photograph))
            assert not np.array_equal(mask, mask.T)

    def test_normal_ultrasound_shows_no_lesion_and_the_others_do(self, folder: Path):
        views = itertools.islice(development_sets.busi(folder, "val"), 30)
        shown = {(view.image_id.startswith("normal"), bool(view.labels.any())) for view in views}
        assert shown <= {(True, False), (False, True)}
        assert (False, True) in shown

    def test_both_parts_of_the_hippocampus_are_shown_from_three_sides(self, folder: Path):
        views = list(itertools.islice(development_sets.hippocampus(folder, "val"), 100))
        first = [view for view in views if view.image_id.split("/")[0] == views[0].image_id.split("/")[0]]
        assert {view.image_id.split("/")[1].split("-")[0] for view in first} == {"axis0", "axis1", "axis2"}
        assert set(np.unique(np.concatenate([view.labels.ravel() for view in first]))) == {0, 1, 2}

    @pytest.mark.parametrize("name", ["ct", "mr"])
    def test_the_coarse_training_volumes_are_learned_from_at_1_5_mm(self, name: str, folder: Path):
        views = list(getattr(development_sets, name)(folder))
        assert {view.spacing_yx_mm for view in views} == {(1.5, 1.5)}
        assert {view.image_id.split("/")[1].split("-")[0] for view in views} == {"axis0", "axis1", "axis2"}
        assert all(int(view.image_id.split("slice")[1]) % 2 == 0 and view.labels.any() for view in views)

    def test_the_test_ct_stays_on_its_own_grid(self, folder: Path):
        view = next(development_sets.dicom_ct(folder))
        assert view.labels.shape == (512, 512) and view.spacing_yx_mm[0] < 1.0

    @pytest.mark.parametrize("name", ["ct", "dicom_ct"])
    def test_labelled_bones_of_a_ct_are_bright_in_the_bone_window(self, name: str, folder: Path):
        views = getattr(development_sets, name)(folder)
        chosen = [view for view in views if "/axis2-" in view.image_id][::4]
        bones, others = [], []
        for view in chosen:
            is_bone = np.isin(
                view.labels, [n for n, c in enumerate(view.class_names, 1) if c.startswith(("vertebrae", "rib", "hip"))]
            )
            bones.append(view.image[..., 2][is_bone])
            others.append(view.image[..., 2][(view.labels > 0) & ~is_bone])
        # Soft tissue at 50 HU is 53 of 255 between -200 and 1000 HU, bone at 250 HU is 96.
        assert np.median(np.concatenate(bones)) > np.median(np.concatenate(others)) + 15
