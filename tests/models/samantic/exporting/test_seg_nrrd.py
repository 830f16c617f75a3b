from __future__ import annotations

from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import SimpleITK

from samantic.exporting import export
from samantic.imaging import read_mask, read_segments, read_volume
from samantic.vocabulary import load_vocabulary, terminology_string


def test_segments_carry_names_values_and_codes_and_values_stay(studies: Any, tmp_path: Path) -> None:
    export(studies.folder, "seg-nrrd", tmp_path / "out")
    label = tmp_path / "out" / "segmentations" / "ct_b.seg.nrrd"
    liver, own = read_segments(label)
    assert (liver.value, liver.name, own.value, own.name) == (4, "liver", 9, "My finding")
    assert liver.terminology == terminology_string(load_vocabulary()["liver"])
    assert own.terminology is None
    np.testing.assert_array_equal(read_mask(label, studies.volumes["ct_b"]), studies.labels["ct_b"])


def test_other_readers_see_the_same_voxels_in_the_same_place(studies: Any, tmp_path: Path) -> None:
    export(studies.folder, "seg-nrrd", tmp_path / "out")
    image, label = tmp_path / "out" / "images" / "ct_a.nrrd", tmp_path / "out" / "segmentations" / "ct_a.seg.nrrd"
    array, header = nrrd.read(str(label))
    np.testing.assert_array_equal(array, studies.labels["ct_a"])
    assert header["Segment0_Name"] == "liver"
    for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(SimpleITK.ReadImage(str(image)), what)() == getattr(SimpleITK.ReadImage(str(label)), what)()


def test_a_photograph_stays_a_picture(studies: Any, tmp_path: Path) -> None:
    export(studies.folder, "seg-nrrd", tmp_path / "out")
    picture = read_volume(tmp_path / "out" / "images" / "mole.png")
    np.testing.assert_array_equal(picture.array, studies.volumes["mole"].array)
    label = tmp_path / "out" / "segmentations" / "mole.seg.nrrd"
    np.testing.assert_array_equal(read_mask(label, picture), studies.labels["mole"])
