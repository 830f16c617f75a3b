"""What a check says of a download that is incomplete, damaged or hostile."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from samantic.datasets.layouts import DatasetError, Depth, open_dataset, recognise

Make = Callable[[str], Path]
IMAGE, LABELS = "imagesTr/hippocampus_001.nii.gz", "labelsTr/hippocampus_001.nii.gz"


def problems(folder: Path, depth: Depth = Depth.labels) -> list[str]:
    return [str(problem) for problem in recognise(folder).problems(folder, depth)]


class TestMissingFiles:
    @pytest.mark.parametrize(
        ("name", "removed", "said"),
        [
            (
                "isic2017",
                "ISIC-2017_Training_Part1_GroundTruth/ISIC_0000000_segmentation.png",
                "ISIC-2017_Training_Data/ISIC_0000000.jpg: has no mask "
                "ISIC-2017_Training_Part1_GroundTruth/ISIC_0000000_segmentation.png",
            ),
            (
                "isic2018",
                "ISIC2018_Task1-2_Test_Input/ISIC_0000002.jpg",
                "ISIC2018_Task1_Test_GroundTruth/ISIC_0000002_segmentation.png: has no image "
                "ISIC2018_Task1-2_Test_Input/ISIC_0000002.jpg",
            ),
            (
                "ph2",
                "PH2Dataset/PH2 Dataset images/IMD002/IMD002_lesion/IMD002_lesion.bmp",
                "PH2Dataset/PH2 Dataset images/IMD002: has no mask IMD002_lesion/IMD002_lesion.bmp",
            ),
            (
                "ph2",
                "PH2Dataset/PH2 Dataset images/IMD003/IMD003_Dermoscopic_Image/IMD003.bmp",
                "PH2Dataset/PH2 Dataset images/IMD003: has no image IMD003_Dermoscopic_Image/IMD003.bmp",
            ),
            (
                "ham10000",
                "HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png",
                "HAM10000_images_part_1/ISIC_0024306.jpg: has no mask "
                "HAM10000_segmentations_lesion_tschandl/ISIC_0024306_segmentation.png",
            ),
            (
                "busi",
                "Dataset_BUSI_with_GT/normal/normal (1)_mask.png",
                "Dataset_BUSI_with_GT/normal/normal (1).png: has no mask 'normal (1)_mask.png'",
            ),
            (
                "busi",
                "Dataset_BUSI_with_GT/malignant/malignant (1).png",
                "Dataset_BUSI_with_GT/malignant/malignant (1)_mask.png: has no image 'malignant (1).png'",
            ),
            (
                "precise",
                "Validation/images/PABC_00002_002_BBR.png",
                "Validation/masks/PABC_00002_002_BBR_mask.png: has no image PABC_00002_002_BBR.png",
            ),
            (
                "totalsegmentator",
                "s0001/segmentations/spleen.nii.gz",
                "s0001: has no segmentations/spleen.nii.gz, which other cases have",
            ),
            ("totalsegmentator", "s0002/mri.nii.gz", "s0002: has no image ct.nii.gz or mri.nii.gz"),
            (
                "totalsegmentator",
                "meta.csv",
                "meta.csv: is missing; it says which cases are for training and which for testing",
            ),
            (
                "btcv",
                "Abdomen/RawData/Training/label/label0001.nii.gz",
                "Abdomen/RawData/Training/img/img0001.nii.gz: has no labels label/label0001.nii.gz",
            ),
            (
                "amos22",
                "amos22/imagesTr/amos_0507.nii.gz",
                "amos22/labelsTr/amos_0507.nii.gz: has no image in imagesTr",
            ),
            (
                "amos22",
                "amos22/imagesTs/amos_0002.nii.gz",
                'amos22/dataset.json: "test" lists ./imagesTs/amos_0002.nii.gz, which is not there',
            ),
            (
                "msd",
                "imagesTs/hippocampus_002.nii.gz",
                'dataset.json: "test" lists ./imagesTs/hippocampus_002.nii.gz, which is not there',
            ),
        ],
    )
    def test_it_is_named(self, make: Make, name: str, removed: str, said: str):
        folder = make(name)
        (folder / removed).unlink()
        assert problems(folder, Depth.headers) == [said]

    def test_a_missing_folder_of_masks_is_one_problem(self, make: Make):
        folder = make("isic2016")
        for path in (folder / "ISBI2016_ISIC_Part1_Test_GroundTruth").iterdir():
            path.unlink()
        (folder / "ISBI2016_ISIC_Part1_Test_GroundTruth").rmdir()
        assert problems(folder) == [
            "ISBI2016_ISIC_Part1_Test_GroundTruth: the folder is missing beside ISBI2016_ISIC_Part1_Test_Data"
        ]

    def test_a_case_that_the_table_lists_and_that_is_not_there_is_named(self, make: Make):
        folder = make("totalsegmentator")
        (folder / "meta.csv").write_text("image_id;split\ns0001;train\ns0002;test\ns0003;val\n")
        assert problems(folder) == ["meta.csv: lists s0003, which is not there"]


class TestDamagedFiles:
    def test_an_image_of_the_table_of_ham10000_that_is_not_there_is_named(self, make: Make):
        folder = make("ham10000")
        with (folder / "HAM10000_metadata.csv").open("a") as table:
            table.write("HAM_3,ISIC_0099999,mel\n")
        assert problems(folder) == [
            "HAM10000_metadata.csv: names ISIC_0099999, and there is no ISIC_0099999.jpg in HAM10000_images_part_1 or "
            "HAM10000_images_part_2"
        ]
        (folder / "HAM10000_metadata.csv").write_text("image;lesion\n")
        with pytest.raises(DatasetError, match="no columns lesion_id and image_id"):
            problems(folder)

    def test_a_label_map_of_another_size_is_named_from_the_header(self, make: Make, files: SimpleNamespace):
        folder = make("msd")
        files.nifti(folder / LABELS, files.labels_with((1, 2), (8, 10, 5)))
        said = f"{LABELS}: 'hippocampus_001.nii.gz' has 8 x 10 x 5 voxels and its image 8 x 10 x 6; they must be equal"
        assert problems(folder, Depth.headers) == [said]

    def test_a_mask_of_another_size_is_named(self, make: Make, files: SimpleNamespace):
        folder = make("busi")
        files.mask(folder / "Dataset_BUSI_with_GT/benign/benign (1)_mask_1.png", None, (9, 12))
        (said,) = problems(folder, Depth.headers)
        assert "'benign (1)_mask_1.png' has 9 x 12 x 1 voxels and its image 12 x 9 x 1" in said

    def test_labels_of_another_place_are_named(self, make: Make, files: SimpleNamespace):
        folder = make("msd")
        affine = files.affine.copy()
        affine[0, 3] = 0.5
        files.nifti(folder / LABELS, files.labels_with((1, 2)), affine)
        (said,) = problems(folder)
        assert "do not lie on those of the image" in said
        with pytest.raises(DatasetError, match="do not lie on those of the image"):
            list(open_dataset(folder))

    def test_unknown_label_values_are_named_and_never_read(self, make: Make, files: SimpleNamespace):
        folder = make("msd")
        files.nifti(folder / LABELS, files.labels_with((1, 2, 7)))
        assert problems(folder) == [f"{LABELS}: 'hippocampus_001.nii.gz' holds the label values 7; known are 0, 1, 2"]
        assert problems(folder, Depth.headers) == []
        with pytest.raises(DatasetError, match="holds the label values 7"):
            list(open_dataset(folder))

    def test_a_file_that_is_cut_short_is_named(self, make: Make):
        folder = make("msd")
        whole = (folder / LABELS).read_bytes()
        (folder / LABELS).write_bytes(whole[: len(whole) - 20])
        (said,) = problems(folder)
        assert said.startswith(f"{LABELS}: ") and "cut short" in said

    def test_an_image_that_is_cut_short_is_found_by_the_deepest_check(self, make: Make):
        folder = make("msd")
        whole = (folder / IMAGE).read_bytes()
        (folder / IMAGE).write_bytes(whole[: len(whole) // 2])
        (said,) = problems(folder, Depth.everything)
        assert said.startswith(f"{IMAGE}: ") and "cut short" in said

    def test_what_is_no_image_is_named(self, make: Make):
        folder = make("isic2017")
        path = folder / "ISIC-2017_Training_Data" / "ISIC_0000000.jpg"
        path.write_text("<html>404</html>")
        assert problems(folder, Depth.headers) == [
            "ISIC-2017_Training_Data/ISIC_0000000.jpg: 'ISIC_0000000.jpg' is not a PNG, JPEG or BMP picture"
        ]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "is not JSON"),
            ("[1]", "must hold a JSON object"),
            ('{"modality": {"0": "MRI"}}', "names no labels"),
            ('{"labels": {"1": "liver"}}', "names no modality"),
            ('{"modality": {"0": "CT"}, "labels": {"background": 0, "liver": 1}}', "must map values to names"),
        ],
    )
    def test_an_index_that_says_nothing_is_refused(self, make: Make, text: str, said: str):
        folder = make("msd")
        (folder / "dataset.json").write_text(text)
        with pytest.raises(DatasetError, match=said):
            open_dataset(folder)

    def test_a_table_without_the_part_is_named_and_its_cases_are_in_no_part(self, make: Make):
        folder = make("totalsegmentator")
        (folder / "meta.csv").write_text("image_id,split\ns0001,train\n")
        assert problems(folder) == [
            "meta.csv: meta.csv must have the columns image_id and split, separated by semicolons."
        ]
        assert recognise(folder).listing(folder).parts == ("all",)


class TestHostileFolders:
    def test_a_link_that_leaves_the_folder_is_not_followed(self, make: Make, tmp_path: Path):
        folder = make("msd")
        outside = tmp_path / "secret.nii.gz"
        (folder / LABELS).rename(outside)
        (folder / LABELS).symlink_to(outside)
        said = problems(folder)
        assert f"{LABELS}: is a link that leaves the folder; it is not followed" in said
        assert f"{IMAGE}: has no labels {LABELS}" in said
        assert {view.image_id.split("/")[0] for view in open_dataset(folder)} == {"hippocampus_003"}

    def test_a_link_within_the_folder_is_followed(self, make: Make):
        folder = make("msd")
        (folder / "imagesTr").rename(folder / "images")
        (folder / "imagesTr").symlink_to("images")
        assert problems(folder) == []

    def test_a_folder_behind_a_link_that_leaves_is_not_there(self, make: Make, tmp_path: Path):
        folder = make("msd")
        (folder / "imagesTr").rename(tmp_path / "elsewhere")
        (folder / "imagesTr").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(DatasetError, match="no data set that is read"):
            recognise(folder)

    def test_paths_of_an_index_that_lead_out_are_not_looked_at(self, make: Make):
        folder = make("msd")
        index = json.loads((folder / "dataset.json").read_text())
        index["training"] = [{"image": "/etc/hostname", "label": "../../../../../../etc/hostname"}, 7, {"image": "\0"}]
        (folder / "dataset.json").write_text(json.dumps(index))
        assert problems(folder) == [
            'dataset.json: "training" lists /etc/hostname, which is not there',
            'dataset.json: "training" lists ../../../../../../etc/hostname, which is not there',
            'dataset.json: "training" has an entry that is no path',
            'dataset.json: "training" has an entry that is no path',
        ]

    def test_an_absurd_size_in_a_header_is_refused_before_memory_is_asked_for(self, make: Make, files: SimpleNamespace):
        folder = make("msd")
        path = folder / "imagesTr" / "hippocampus_001.nii"
        (folder / IMAGE).unlink()
        files.nifti(path, files.intensities())
        header = bytearray(path.read_bytes())
        header[42:48] = struct.pack("<3h", 32000, 32000, 32000)
        path.write_bytes(header)
        (said,) = [line for line in problems(folder) if "claims" in line]
        assert "claims a size of 32000 x 32000 x 32000 voxels" in said

    def test_a_picture_with_an_absurd_size_is_refused(self, make: Make, files: SimpleNamespace):
        folder = make("busi")
        path = folder / "Dataset_BUSI_with_GT/benign/benign (1).png"
        files.picture(path)
        data = bytearray(path.read_bytes())
        data[16:24] = struct.pack(">2I", 60000, 60000)
        path.write_bytes(data)
        (said,) = problems(folder, Depth.headers)
        assert said.startswith("Dataset_BUSI_with_GT/benign/benign (1).png: ")

    def test_an_index_of_many_megabytes_is_no_index(self, make: Make):
        folder = make("msd")
        with (folder / "dataset.json").open("ab") as file:
            file.truncate(20 << 20)
        with pytest.raises(DatasetError, match="larger than 16 MiB"):
            open_dataset(folder)


def test_progress_counts_the_images(make: Make):
    folder = make("msd")
    seen: list[tuple[int, int]] = []
    recognise(folder).problems(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_labels_may_be_stored_as_whole_floats(make: Make, files: SimpleNamespace):
    folder = make("msd")
    files.nifti(folder / LABELS, files.labels_with((1, 2)).astype(np.float32))
    assert problems(folder) == []
