"""What is read from a complete download of each data set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from samantic.datasets.labelled_view import LabelledView
from samantic.datasets.layouts import LAYOUTS, DatasetError, open_dataset, recognise
from samantic.datasets.layouts.ham10000 import lesion_ids
from samantic.datasets.layouts.stored_grid import read_channel
from samantic.vocabulary import load_vocabulary

Make = Callable[[str], Path]
NAMES = tuple(layout.name for layout in LAYOUTS)


def axial(views: list[LabelledView], image_id: str, index: int) -> LabelledView:
    return next(view for view in views if view.image_id == f"{image_id}/axis2-slice{index}")


def pixels_of(view: LabelledView) -> dict[str, list[tuple[int, int]]]:
    """Where each class lies in the picture, (row, column)."""
    return {
        name: [(int(row), int(column)) for row, column in np.argwhere(view.labels == number)]
        for number, name in enumerate(view.class_names, start=1)
    }


class TestEveryLayout:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_is_recognised_and_whole(self, make: Make, name: str):
        folder = make(name)
        layout = recognise(folder)
        assert layout.name == name
        assert [str(problem) for problem in layout.problems(folder)] == []

    @pytest.mark.parametrize("name", NAMES)
    def test_its_views_have_classes_of_the_vocabulary_and_their_domain(self, make: Make, name: str):
        views = list(open_dataset(make(name)))
        assert views
        for view in views:
            known = {entry.name for entry in load_vocabulary().domain(view.domain)}
            assert set(view.class_names) <= known
            assert view.image.dtype == np.uint8 and view.image.shape == (*view.labels.shape, 3)
            assert view.labels.max() <= len(view.class_names)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_part_that_is_not_there_is_refused_with_those_that_are(self, make: Make, name: str):
        with pytest.raises(DatasetError, match="no part 'practice'; the parts that are there: "):
            open_dataset(make(name), "practice")


class TestPhotographs:
    def test_isic_parts_are_read_apart(self, make: Make):
        folder = make("isic2017")
        ids = {part: [view.image_id for view in open_dataset(folder, part)] for part in ("train", "val", "test")}
        assert ids == {"train": ["ISIC_0000000"], "val": ["ISIC_0000001"], "test": ["ISIC_0000002"]}

    @pytest.mark.parametrize("year", ["isic2016", "isic2017", "isic2018"])
    def test_an_isic_mask_lies_where_it_was_drawn(self, make: Make, year: str):
        view = next(open_dataset(make(year), "train"))
        assert (view.domain, view.class_names, view.image.shape) == ("dermoscopy", ("skin_lesion",), (9, 12, 3))
        expected = np.zeros((9, 12), np.int16)
        expected[3:5, 2:7] = 1
        np.testing.assert_array_equal(view.labels, expected)

    @pytest.mark.parametrize(
        ("name", "ids"),
        [("ph2", ["IMD002", "IMD003"]), ("ham10000", ["ISIC_0024306", "ISIC_0024307", "ISIC_0034321"])],
    )
    def test_ph2_and_ham10000_are_all_in_one_part_with_the_outline_of_the_lesion(
        self, make: Make, name: str, ids: list[str]
    ):
        views = list(open_dataset(make(name), "all"))
        assert [view.image_id for view in views] == ids
        expected = np.zeros((9, 12), np.int16)
        expected[3:5, 2:7] = 1
        for view in views:
            assert (view.domain, view.class_names, view.image.shape) == ("dermoscopy", ("skin_lesion",), (9, 12, 3))
            np.testing.assert_array_equal(view.labels, expected)

    @pytest.mark.parametrize("below", ["PH2Dataset", "PH2Dataset/PH2 Dataset images"])
    def test_ph2_is_known_from_the_archives_folder_down_to_that_of_the_cases(self, make: Make, below: str):
        folder = make("ph2") / below
        assert recognise(folder).name == "ph2"
        assert len(list(open_dataset(folder))) == 2

    def test_ham10000_says_which_images_show_one_lesion(self, make: Make):
        assert lesion_ids(make("ham10000")) == {
            "ISIC_0024306": "HAM_1",
            "ISIC_0024307": "HAM_1",
            "ISIC_0034321": "HAM_2",
        }

    def test_the_masks_of_a_busi_image_are_united_and_normal_images_have_none(self, make: Make):
        views = {view.image_id: view for view in open_dataset(make("busi"))}
        assert list(views) == ["benign_1", "malignant_1", "normal_1"]
        united = np.zeros((9, 12), np.int16)
        united[1:4, 1:4] = united[5:8, 8:10] = 1
        np.testing.assert_array_equal(views["benign_1"].labels, united)
        assert not views["normal_1"].labels.any()
        assert {view.class_names for view in views.values()} == {("breast_lesion",)}

    def test_precise_is_known_by_its_names_in_any_folder(self, make: Make):
        folder = make("precise")
        assert [view.image_id for view in open_dataset(folder, "train")] == ["PACE_00001_001_BUS"]
        assert [view.image_id for view in open_dataset(folder, "val")] == ["PABC_00002_002_BBR"]


class TestVolumes:
    def test_hippocampus_labels_get_the_names_of_the_vocabulary(self, make: Make):
        views = list(open_dataset(make("msd"), "train"))
        view = axial(views, "hippocampus_001", 1)
        assert (view.domain, view.class_names) == ("mr", ("hippocampus_anterior", "hippocampus_posterior"))
        # An axial picture runs from the patient's right to the left and from anterior to posterior: RAS i and j turn.
        assert pixels_of(view) == {"hippocampus_anterior": [(7, 7)], "hippocampus_posterior": [(7, 6)]}
        assert view.spacing_yx_mm == pytest.approx((2, 1))

    def test_images_without_published_labels_are_no_part_to_read(self, make: Make):
        with pytest.raises(DatasetError, match="part 'test' of Medical Segmentation Decathlon have no labels"):
            open_dataset(make("msd"), "test")

    @pytest.mark.parametrize("turn", ["flip i", "flip k", "swap i and j"])
    def test_labels_stored_with_other_axes_are_turned_to_the_image(self, make: Make, files: SimpleNamespace, turn: str):
        folder = make("msd")
        labels = files.labels_with((1, 2))
        path = folder / "labelsTr" / "hippocampus_001.nii.gz"
        upright = {view.image_id: view.labels for view in open_dataset(folder)}
        if turn == "swap i and j":
            files.nifti(path, labels.transpose(1, 0, 2).copy(), files.affine[:, [1, 0, 2, 3]])
        else:
            axis = "ijk".index(turn[-1])
            affine = files.affine.copy()
            affine[:3, 3] += affine[:3, axis] * (files.shape[axis] - 1)
            affine[:3, axis] *= -1
            files.nifti(path, np.flip(labels, axis).copy(), affine)
        turned = {view.image_id: view.labels for view in open_dataset(folder)}
        assert list(turned) == list(upright)
        for image_id in upright:
            np.testing.assert_array_equal(turned[image_id], upright[image_id])
        assert recognise(folder).problems(folder) == []

    def test_a_flipped_image_with_its_labels_gives_the_same_pictures(self, make: Make, files: SimpleNamespace):
        folder = make("msd")
        upright = [view for view in open_dataset(folder) if "axis2" in view.image_id]
        affine = files.affine.copy()
        affine[0, 3], affine[0, 0] = files.shape[0] - 1, -1
        files.nifti(folder / "imagesTr" / "hippocampus_001.nii.gz", files.intensities(1)[::-1].copy(), affine)
        files.nifti(folder / "labelsTr" / "hippocampus_001.nii.gz", files.labels_with((1, 2))[::-1].copy(), affine)
        for before, after in zip(upright, (v for v in open_dataset(folder) if "axis2" in v.image_id), strict=True):
            np.testing.assert_array_equal(before.image, after.image)
            np.testing.assert_array_equal(before.labels, after.labels)

    def test_of_several_channels_the_first_is_read(self, make: Make, files: SimpleNamespace):
        folder = make("msd")
        path = folder / "imagesTr" / "hippocampus_001.nii.gz"
        plain = [view.image for view in open_dataset(folder)]
        both = np.stack([files.intensities(1), files.intensities(9)], axis=-1)
        files.nifti(path, both)
        for before, after in zip(plain, (view.image for view in open_dataset(folder)), strict=True):
            np.testing.assert_array_equal(before, after)
        np.testing.assert_array_equal(read_channel(path, 1, "MR").array, both[..., 1])

    def test_a_tumour_within_the_liver_counts_as_liver(self, make: Make):
        folder = make("msd")
        (folder / "dataset.json").write_text(
            '{"name": "Liver", "modality": {"0": "CT"}, "labels": {"0": "background", "1": "liver", "2": "cancer"}}'
        )
        renamed = folder.rename(folder.with_name("Task03_Liver"))
        view = axial(list(open_dataset(renamed)), "hippocampus_001", 1)
        assert (view.domain, view.class_names) == ("ct", ("liver",))
        assert len(pixels_of(view)["liver"]) == 2

    def test_a_name_that_the_vocabulary_lacks_is_left_out_with_one_warning(
        self, make: Make, caplog: pytest.LogCaptureFixture
    ):
        with caplog.at_level(logging.WARNING):
            views = list(open_dataset(make("totalsegmentator"), "train"))
        assert {view.class_names for view in views} == {("liver", "spleen")}
        (warning,) = caplog.records
        assert warning.getMessage().startswith("TotalSegmentator: the vocabulary has no class for left_ear_ring in")
        assert pixels_of(axial(views, "s0001", 1)) == {"liver": [(7, 7)], "spleen": [(7, 6)]}

    def test_a_set_of_which_no_class_is_known_is_refused(self, make: Make):
        folder = make("msd")
        (folder / "dataset.json").write_text(
            '{"modality": {"0": "FLAIR"}, "labels": {"0": "background", "1": "edema"}}'
        )
        with pytest.raises(DatasetError, match=r"no class of Medical Segmentation Decathlon: .*edema"):
            open_dataset(folder)

    def test_totalsegmentator_parts_and_modalities_are_those_of_its_table_and_files(self, make: Make):
        folder = make("totalsegmentator")
        train, test = (list(open_dataset(folder, part)) for part in ("train", "test"))
        assert {(view.image_id.split("/")[0], view.domain) for view in train} == {("s0001", "ct")}
        assert {(view.image_id.split("/")[0], view.domain) for view in test} == {("s0002", "mr")}

    def test_the_thirteen_organs_of_btcv_have_their_values(self, make: Make):
        view = axial(list(open_dataset(make("btcv"), "train")), "img0001", 1)
        places = pixels_of(view)
        assert places["spleen"] == [(7, 7)]  # value 1
        assert places["liver"] == [(7, 2)]  # value 6
        assert places["portal_vein_and_splenic_vein"] == [(6, 6)]  # value 10, the second of the second row
        assert places["adrenal_gland_left"] == [(6, 3)]  # value 13
        assert len(view.class_names) == 13

    def test_amos_is_ct_below_500_and_mr_above_and_leaves_prostate_or_uterus_out(self, make: Make):
        folder = make("amos22")
        domains = {view.image_id.split("/")[0]: view for view in open_dataset(folder, "train")}
        assert {image_id: view.domain for image_id, view in domains.items()} == {"amos_0001": "ct", "amos_0507": "mr"}
        view = axial(list(open_dataset(folder, "val")), "amos_0008", 1)
        assert "prostate" not in view.class_names and len(view.class_names) == 14
        assert pixels_of(view)["inferior_vena_cava"] == [(6, 7)]  # value 9
        assert view.labels[6, 1] == 0  # value 15

    def test_volumes_are_read_one_at_a_time(self, make: Make):
        folder = make("msd")
        views = open_dataset(folder)
        (folder / "imagesTr" / "hippocampus_003.nii.gz").write_bytes(b"not an image")
        assert next(views).image_id.startswith("hippocampus_001")
        with pytest.raises(DatasetError, match=r"image hippocampus_003 cannot be used: 'hippocampus_003.nii.gz' is"):
            list(views)


class TestFolders:
    def test_a_folder_of_something_else_is_told_what_was_looked_for(self, tmp_path: Path):
        (tmp_path / "holiday.jpg").write_bytes(b"")
        with pytest.raises(DatasetError, match="no data set that is read") as error:
            open_dataset(tmp_path)
        assert all(layout.title in str(error.value) for layout in LAYOUTS)

    def test_a_missing_folder_is_told(self, tmp_path: Path):
        with pytest.raises(DatasetError, match="There is no folder"):
            recognise(tmp_path / "nowhere")

    def test_two_sets_in_one_folder_are_refused(self, make: Make):
        folder = make("isic2016")
        for part in make("isic2018").iterdir():
            part.rename(folder / part.name)
        with pytest.raises(DatasetError, match="holds ISIC 2016 and ISIC 2018 task 1"):
            recognise(folder)

    @pytest.mark.parametrize(
        ("name", "inner"), [("busi", "Dataset_BUSI_with_GT"), ("btcv", "Abdomen/RawData"), ("amos22", "amos22")]
    )
    def test_the_folder_within_is_recognised_too(self, make: Make, name: str, inner: str):
        folder = make(name) / inner
        assert recognise(folder).name == name
        assert list(open_dataset(folder)) and recognise(folder).problems(folder) == []
