from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from samantic.imaging import ImageReadError, ImageWriteError, SegmentInfo, Volume, read_mask, read_segments, write_mask

KIDNEY = (
    "Segmentation category and type~SCT^123037004^Anatomical Structure~SCT^64033007^Kidney~SCT^7771000^Left"
    "~Anatomic codes - DICOM master list~^^~^^"
)
SEGMENTS = [
    SegmentInfo(2, "left kidney", (185, 102, 83), KIDNEY),
    SegmentInfo(7, "Läsion", (255, 0, 1)),
    SegmentInfo(300, "back\\slash\nline", (1, 2, 3), identifier="own id"),
]


@pytest.fixture
def mask(phantom: Volume) -> np.ndarray:
    return np.random.default_rng(1).choice([0, 2, 7, 300], phantom.shape_ijk).astype(np.uint16)


def test_names_colours_values_and_terminology_come_back(tmp_path: Path, phantom: Volume, mask: np.ndarray) -> None:
    write_mask(tmp_path / "m.seg.nrrd", mask, phantom, SEGMENTS)
    back = read_segments(tmp_path / "m.seg.nrrd")
    assert [(one.value, one.name, one.colour_rgb, one.terminology) for one in back] == [
        (one.value, one.name, one.colour_rgb, one.terminology) for one in SEGMENTS
    ]
    assert [one.identifier for one in back] == ["Segment_2", "Segment_7", "own id"]


def test_the_header_says_what_slicer_asks_for(tmp_path: Path, phantom: Volume, mask: np.ndarray) -> None:
    write_mask(tmp_path / "m.seg.nrrd", mask, phantom, SEGMENTS)
    image = SimpleITK.ReadImage(str(tmp_path / "m.seg.nrrd"))
    texts = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.startswith("Segment")}
    assert texts["Segment0_ID"] == "Segment_2"
    assert texts["Segment0_Name"] == "left kidney"
    assert texts["Segment0_LabelValue"] == "2"
    assert texts["Segment0_Layer"] == "0"
    assert texts["Segment0_Extent"] == "0 4 0 6 0 8"
    assert texts["Segment0_Tags"] == f"Segmentation.Status:inprogress|TerminologyEntry:{KIDNEY}|"
    assert [float(word) for word in texts["Segment0_Color"].split()] == pytest.approx(
        [185 / 255, 0.4, 83 / 255], abs=1e-5
    )
    assert texts["Segmentation_MasterRepresentation"] == "Binary labelmap"
    assert texts["Segmentation_ContainedRepresentationNames"] == "Binary labelmap|"
    assert texts["Segmentation_ReferenceImageExtentOffset"] == "0 0 0"
    assert "Segment3_ID" not in texts


def test_a_part_says_where_it_begins_in_the_image(tmp_path: Path, phantom: Volume) -> None:
    write_mask(tmp_path / "m.seg.nrrd", np.ones((2, 3, 4), bool), phantom, lower_ijk=(1, 2, 3))
    image = SimpleITK.ReadImage(str(tmp_path / "m.seg.nrrd"))
    assert image.GetMetaData("Segment0_Extent") == "0 1 0 2 0 3"  # Slicer adds the offset
    assert image.GetMetaData("Segmentation_ReferenceImageExtentOffset") == "1 2 3"


def test_a_single_voxel_is_not_written_alone_because_slicer_takes_that_for_nothing(
    tmp_path: Path, phantom: Volume
) -> None:
    write_mask(tmp_path / "m.seg.nrrd", np.full((1, 1, 1), 5), phantom, lower_ijk=(4, 6, 8))
    assert SimpleITK.ReadImage(str(tmp_path / "m.seg.nrrd")).GetSize() == (1, 1, 2)
    back = read_mask(tmp_path / "m.seg.nrrd", phantom)
    assert back[4, 6, 8] == 5
    assert np.count_nonzero(back) == 1


def test_undescribed_labels_become_segments_with_their_own_values_and_colours(
    tmp_path: Path, phantom: Volume, mask: np.ndarray
) -> None:
    write_mask(tmp_path / "m.seg.nrrd", mask, phantom)
    back = read_segments(tmp_path / "m.seg.nrrd")
    assert [(one.value, one.name) for one in back] == [(2, "Segment_2"), (7, "Segment_7"), (300, "Segment_300")]
    assert len({one.colour_rgb for one in back}) == 3


def test_an_empty_mask_has_no_segments(tmp_path: Path, phantom: Volume) -> None:
    write_mask(tmp_path / "m.seg.nrrd", np.zeros(phantom.shape_ijk, np.uint8), phantom)
    assert read_segments(tmp_path / "m.seg.nrrd") == ()


@pytest.mark.parametrize("values", [(1, 1), (0,), (-1,)])
def test_segments_need_values_of_their_own(tmp_path: Path, phantom: Volume, values: tuple[int, ...]) -> None:
    segments = [SegmentInfo(value, "a", (0, 0, 0)) for value in values]
    with pytest.raises(ImageWriteError, match="every segment needs a label value of its own from 1 on"):
        write_mask(tmp_path / "m.seg.nrrd", np.zeros(phantom.shape_ijk, np.uint8), phantom, segments)


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5"])
def test_a_segment_without_a_proper_value_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "m.seg.nrrd").write_text(f"NRRD0004\nSegment0_ID:=a\nSegment0_LabelValue:={value}\n\n")
    with pytest.raises(ImageReadError, match=r"the segment 'a' of 'm.seg.nrrd' has the label value"):
        read_segments(tmp_path / "m.seg.nrrd")


def test_a_segment_with_a_broken_colour_still_has_one(tmp_path: Path) -> None:
    (tmp_path / "m.seg.nrrd").write_text(
        "NRRD0004\nSegment0_ID:=a\nSegment0_LabelValue:=1\nSegment0_Color:=nan 2 x\n"
        "Segment1_ID:=b\nSegment1_LabelValue:=2\nSegment1_Color:=-1 9 0.5\n\n"
    )
    first, second = read_segments(tmp_path / "m.seg.nrrd")
    assert len(first.colour_rgb) == 3
    assert second.colour_rgb == (0, 255, 128)


@pytest.mark.parametrize("name", ["missing.seg.nrrd", "."])
def test_what_is_no_nrrd_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageReadError, match="cannot be read"):
        read_segments(tmp_path / name)
