import gzip
from pathlib import Path

import numpy as np
import pytest

from samantic.imaging import ImageReadError, Volume, read_volume, write_volume

VALUES = np.arange(24, dtype=np.int16)
HEADER = {
    "type": "short",
    "dimension": "3",
    "sizes": "2 3 4",
    "endian": "little",
    "encoding": "raw",
}


def write(path: Path, data: bytes | None = None, magic: str = "NRRD0004", **fields: str | None) -> Path:
    header = {**HEADER, **{name.replace("_", " "): value for name, value in fields.items()}}
    lines = [magic, "# a comment", *(f"{name}: {value}" for name, value in header.items() if value is not None)]
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + (VALUES.tobytes() if data is None else data))
    return path


def test_i_runs_fastest(tmp_path: Path) -> None:
    back = read_volume(write(tmp_path / "a.nrrd"))
    assert np.array_equal(back.array, VALUES.reshape(2, 3, 4, order="F"))


def test_without_a_space_axes_are_taken_as_lps(tmp_path: Path) -> None:
    affine = read_volume(write(tmp_path / "a.nrrd", spacings="2 3 4")).affine
    assert np.array_equal(affine, np.diag([-2, -3, 4, 1]))


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (-1, -1)),
        ("LPS", (-1, -1)),
        ("right-anterior-superior", (1, 1)),
        ("RAS", (1, 1)),
        ("left-anterior-superior", (-1, 1)),
    ],
)
def test_every_named_space_is_turned_to_ras(tmp_path: Path, space: str, signs: tuple[int, int]) -> None:
    path = write(
        tmp_path / "a.nrrd", space=space, space_directions="(2,0,0) (0,3,0) (0,0,4)", space_origin="(10,20,30)"
    )
    x, y = signs
    expected = [[2 * x, 0, 0, 10 * x], [0, 3 * y, 0, 20 * y], [0, 0, 4, 30], [0, 0, 0, 1]]
    assert np.array_equal(read_volume(path).affine, expected)


def test_big_endian_values_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nrrd", VALUES.astype(">i2").tobytes(), endian="big")
    assert np.array_equal(read_volume(path).array, VALUES.reshape(2, 3, 4, order="F"))


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nrrd", b"")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + VALUES.tobytes())
    assert np.array_equal(read_volume(path).array, VALUES.reshape(2, 3, 4, order="F"))


def test_gzip_data_in_several_members_is_read(tmp_path: Path) -> None:
    data = VALUES.tobytes()
    path = write(tmp_path / "a.nrrd", gzip.compress(data[:7]) + gzip.compress(data[7:]), encoding="gzip")
    assert np.array_equal(read_volume(path).array, VALUES.reshape(2, 3, 4, order="F"))


def test_a_two_dimensional_image_gets_a_third_axis(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.nrrd",
        dimension="2",
        sizes="6 4",
        space_dimension="2",
        space_directions="(2,0) (0,3)",
        space_origin="(1,2)",
    )
    back = read_volume(path)
    assert back.shape_ijk == (6, 4, 1)
    assert np.array_equal(back.affine, [[-2, 0, 0, -1], [0, -3, 0, -2], [0, 0, 1, 0], [0, 0, 0, 1]])


def test_colour_makes_the_round_trip(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 4, 5, 3)).astype(np.uint8)
    for suffix in (".nrrd", ".mha"):
        write_volume(tmp_path / f"a{suffix}", Volume(pixels, np.diag([2.0, 3, 4, 1]), "RGB"))
        back = read_volume(tmp_path / f"a{suffix}")
        assert np.array_equal(back.array, pixels)
        assert back.spacing_mm == (2, 3, 4)


@pytest.mark.parametrize("value", [-(2**62), 2**62])
def test_64_bit_values_become_floats_and_small_ones_integers(tmp_path: Path, value: int) -> None:
    wide = VALUES.astype(np.int64)
    small = read_volume(write(tmp_path / "small.nrrd", wide.tobytes(), type="int64"))
    assert small.array.dtype == np.int16
    wide[0] = value
    large = read_volume(write(tmp_path / "large.nrrd", wide.tobytes(), type="int64"))
    assert large.array.dtype == np.float32
    assert large.array[0, 0, 0] == value


def test_a_detached_header_reads_its_own_data_file(tmp_path: Path) -> None:
    (tmp_path / "a.raw.gz").write_bytes(gzip.compress(VALUES.tobytes()))
    path = write(tmp_path / "a.nhdr", b"", encoding="gzip", data_file="a.raw.gz")
    assert np.array_equal(read_volume(path).array, VALUES.reshape(2, 3, 4, order="F"))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../a.raw",
        "b.raw",
        "sub/a.raw",
        "sub\\a.raw",
        "C:\\a.raw",
        "a.raw.gz/../a.raw",
        "LIST",
        "a.nrrd",
        "",
    ],
)
@pytest.mark.parametrize("field", ["data file", "datafile", "DATA FILE"])
def test_a_header_that_points_at_a_foreign_file_is_refused(tmp_path: Path, name: str, field: str) -> None:
    (tmp_path / "b.raw").write_bytes(VALUES.tobytes())
    path = write(tmp_path / "a.nrrd", b"", **{field.replace(" ", "_"): name})
    with pytest.raises(ImageReadError, match="points at the data file"):
        read_volume(path)


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"the data file 'a.raw' of 'a.nhdr' is missing"):
        read_volume(write(tmp_path / "a.nhdr", b"", data_file="a.raw"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"type": "block"}, "values of type 'block'"),
        ({"type": None}, "lacks the field 'type'"),
        ({"sizes": "2 3"}, "contradicts itself"),
        ({"sizes": "2 3 x"}, "says '2 3 x' for sizes, where numbers belong"),
        ({"sizes": "2 3 4.5"}, "whole numbers belong"),
        ({"sizes": "2 3 0"}, "every axis needs at least one voxel"),
        ({"sizes": "2 3 -4"}, "every axis needs at least one voxel"),
        ({"dimension": "4", "sizes": "2 3 2 2"}, "give one 3-D volume at a time"),
        ({"dimension": "4", "sizes": "2 3 2 2", "kinds": "vector domain domain domain"}, "of the kinds vector"),
        (
            {"dimension": "4", "sizes": "2 3 2 2", "kinds": "list domain domain domain"},
            "2 layers of overlapping segments",
        ),
        (
            {"dimension": "4", "sizes": "3 2 2 2", "kinds": "list domain domain domain"},
            "3 layers of overlapping segments",
        ),
        ({"encoding": "bzip2"}, "encoded as 'bzip2'; raw and gzip are read"),
        ({"endian": "middle"}, "endian 'middle'"),
        ({"byte_skip": "-1"}, "uses 'byte skip'"),
        ({"space": "LPS", "space_directions": "(1,0,0) (0,1,0)"}, "gives 2 space directions; 3 are needed"),
        ({"space": "LPS", "space_directions": "(1,0,0) (0,1,0) (0,0,nan)"}, "where 3 numbers belong"),
        ({"space": "LPS", "space_directions": "(1,0,0) (2,0,0) (0,0,1)"}, "not invertible"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, fields: dict, sentence: str) -> None:
    with pytest.raises(ImageReadError, match=sentence):
        read_volume(write(tmp_path / "a.nrrd", **fields))


def test_a_line_that_is_no_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\nhello\n\n")
    with pytest.raises(ImageReadError, match="has a line that is no field: 'hello'"):
        read_volume(tmp_path / "a.nrrd")


def test_a_last_axis_of_one_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nrrd", dimension="4", sizes="2 3 4 1", kinds="domain domain domain list")
    assert read_volume(path).shape_ijk == (2, 3, 4)
