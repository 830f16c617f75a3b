from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK
from PIL import Image

from samantic.exporting import export
from samantic.imaging import read_mask, read_volume


def test_each_kind_of_image_is_one_data_set_with_values_by_class(studies: Any, tmp_path: Path) -> None:
    export(studies.folder, "nnunet", tmp_path / "out")
    ct, colour = tmp_path / "out" / "Dataset502_ct", tmp_path / "out" / "Dataset501_colour_pictures"
    index = json.loads((ct / "dataset.json").read_text())
    assert index == {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "liver": 1, "spleen": 2, "My finding": 3},
        "numTraining": 2,
        "file_ending": ".nii.gz",
    }
    assert sorted(path.name for path in (ct / "imagesTr").iterdir()) == ["ct_a_0000.nii.gz", "ct_b_0000.nii.gz"]
    assert sorted(path.name for path in (ct / "labelsTr").iterdir()) == ["ct_a.nii.gz", "ct_b.nii.gz"]
    a, b = (read_mask(ct / "labelsTr" / f"{name}.nii.gz", studies.volumes[name]) for name in ("ct_a", "ct_b"))
    np.testing.assert_array_equal(a, studies.labels["ct_a"])
    np.testing.assert_array_equal(b == 1, studies.labels["ct_b"] == 4)
    np.testing.assert_array_equal(b == 3, studies.labels["ct_b"] == 9)
    colours = json.loads((colour / "dataset.json").read_text())
    assert colours["channel_names"] == {"0": "R", "1": "G", "2": "B"}
    assert colours["labels"] == {"background": 0, "skin_lesion": 1}
    assert colours["file_ending"] == ".png"


def test_images_keep_their_voxels_and_lie_where_their_labels_lie(studies: Any, tmp_path: Path) -> None:
    export(studies.folder, "nnunet", tmp_path / "out")
    ct = tmp_path / "out" / "Dataset502_ct"
    image, label = ct / "imagesTr" / "ct_a_0000.nii.gz", ct / "labelsTr" / "ct_a.nii.gz"
    np.testing.assert_array_equal(read_volume(image).array, studies.volumes["ct_a"].array)
    np.testing.assert_allclose(nibabel.load(image).affine, studies.volumes["ct_a"].affine, atol=1e-5)
    np.testing.assert_array_equal(nibabel.load(image).affine, nibabel.load(label).affine)
    for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(SimpleITK.ReadImage(str(image)), what)() == getattr(SimpleITK.ReadImage(str(label)), what)()


def test_a_photograph_is_one_png_with_three_channels_and_a_gray_one_of_labels(studies: Any, tmp_path: Path) -> None:
    export(studies.folder, "nnunet", tmp_path / "out")
    colour = tmp_path / "out" / "Dataset501_colour_pictures"
    picture = np.asarray(Image.open(colour / "imagesTr" / "mole_0000.png"))
    np.testing.assert_array_equal(picture, studies.volumes["mole"].array[:, :, 0].swapaxes(0, 1))
    labels = np.asarray(Image.open(colour / "labelsTr" / "mole.png"))
    np.testing.assert_array_equal(labels, (studies.labels["mole"][:, :, 0] > 0).T)
