import zlib
from pathlib import Path

import numpy as np
import pytest

from samantic.imaging import ImageReadError, read_volume

VALUES = np.arange(24, dtype=np.int16)
HEADER = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryDataByteOrderMSB": "False",
    "DimSize": "2 3 4",
    "ElementType": "MET_SHORT",
}


def write(path: Path, data: bytes | None = None, data_file: str = "LOCAL", **fields: str | None) -> Path:
    header = {**HEADER, **fields, "ElementDataFile": data_file}
    text = "".join(f"{name} = {value}\n" for name, value in header.items() if value is not None)
    path.write_bytes(text.encode() + (VALUES.tobytes() if data is None else data))
    return path


def test_i_runs_fastest_and_axes_are_lps(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mha", ElementSpacing="2 3 4", Offset="10 20 30")
    back = read_volume(path)
    assert np.array_equal(back.array, VALUES.reshape(2, 3, 4, order="F"))
    assert np.array_equal(back.affine, [[-2, 0, 0, -10], [0, -3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1]])


def test_big_endian_compressed_data_is_read(tmp_path: Path) -> None:
    data = zlib.compress(VALUES.astype(">i2").tobytes())
    back = read_volume(write(tmp_path / "a.mha", data, BinaryDataByteOrderMSB="True", CompressedData="True"))
    assert np.array_equal(back.array, VALUES.reshape(2, 3, 4, order="F"))


def test_the_modality_of_the_header_is_believed(tmp_path: Path) -> None:
    assert read_volume(write(tmp_path / "a.mha", Modality="MET_MOD_CT")).modality == "CT"
    assert read_volume(write(tmp_path / "a.mha", Modality="MET_MOD_UNKNOWN")).modality == "MR"


def test_a_two_dimensional_image_gets_a_third_axis(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mha", NDims="2", DimSize="6 4", ElementSpacing="2 3", TransformMatrix="0 1 -1 0")
    back = read_volume(path)
    assert back.shape_ijk == (6, 4, 1)
    # i steps 2 mm along +P, j 3 mm along -L
    np.testing.assert_array_equal(back.affine[:3, :2], [[0, 3], [-2, 0], [0, 0]])


def test_a_detached_header_reads_its_own_data_file(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(VALUES.tobytes())
    back = read_volume(write(tmp_path / "a.mhd", b"", "a.raw"))
    assert np.array_equal(back.array, VALUES.reshape(2, 3, 4, order="F"))


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../a.raw", "b.raw", "LIST", "a%03d.raw 1 3 1", "sub/a.raw", "a.mha", ""]
)
@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
def test_a_header_that_points_at_a_foreign_file_is_refused(tmp_path: Path, name: str, suffix: str) -> None:
    (tmp_path / "b.raw").write_bytes(VALUES.tobytes())
    with pytest.raises(ImageReadError, match="points at the data file"):
        read_volume(write(tmp_path / f"a{suffix}", b"", name))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ElementType": "MET_STRING"}, "values of type 'MET_STRING'"),
        ({"ElementType": None}, "lacks the field 'elementtype'"),
        ({"DimSize": "2 3"}, "where 3 numbers belong"),
        ({"DimSize": "2 3 0"}, "every axis needs at least one voxel"),
        ({"NDims": "4", "DimSize": "2 3 2 2"}, "give one 3-D volume at a time"),
        ({"NDims": "7"}, "has 7 dimensions"),
        ({"ElementNumberOfChannels": "2"}, "2 values per voxel"),
        ({"HeaderSize": "-1"}, "uses HeaderSize -1"),
        ({"ElementSpacing": "1 1 inf"}, "ElementSpacing, where 3 numbers belong"),
        ({"ElementSpacing": "1 1 0"}, "not invertible"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, fields: dict, sentence: str) -> None:
    with pytest.raises(ImageReadError, match=sentence):
        read_volume(write(tmp_path / "a.mha", **fields))
