"""The small NRRD reader and writer, against other people's readers and writers, and against files that lie."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import nrrd as pynrrd
import numpy as np
import pytest
import SimpleITK
from PIL import Image
from SamanticLib.errors import BadAnswer, DiskFull
from SamanticLib.label_files import write_label
from SamanticLib.nrrd import read_nrrd, write_nrrd
from SamanticLib.saving import whole_file
from tests.slicer_extension.servers import nrrd

OBLIQUE = np.array(
    [[-0.68, 0.36, 0.1, 31.25], [-0.31, -0.79, 0.2, -12.5], [0.05, 0.11, 2.9, 1 / 3], [0, 0, 0, 1]], np.float64
)


def some_labels(dtype: str = "uint8", shape: tuple[int, ...] = (5, 4, 3)) -> np.ndarray:
    return np.random.default_rng(11).integers(0, 200, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_what_pynrrd_writes_is_read_with_its_geometry(tmp_path: Path, dtype: str, encoding: str) -> None:
    values = some_labels(dtype)
    lps = np.diag([-1, -1, 1, 1]) @ OBLIQUE
    header = {
        "space": "left-posterior-superior",
        "space directions": lps[:3, :3].T,
        "space origin": lps[:3, 3],
        "encoding": encoding,
    }
    pynrrd.write(str(tmp_path / "a.nrrd"), values, header)
    read = read_nrrd((tmp_path / "a.nrrd").read_bytes(), (5, 4, 3))
    np.testing.assert_array_equal(read.values, values)
    assert read.values.dtype == dtype and not read.values.flags.writeable
    assert read.ijk_to_ras is not None
    np.testing.assert_allclose(read.ijk_to_ras, OBLIQUE, atol=1e-12)


def test_a_picture_of_two_dimensions_is_one_slice() -> None:
    read = read_nrrd(nrrd(some_labels(shape=(5, 4))), (5, 4, 1))
    np.testing.assert_array_equal(read.values[:, :, 0], some_labels(shape=(5, 4)))
    assert read.ijk_to_ras is None


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_is_written_is_read_by_itk_to_the_voxel_and_the_last_bit_of_its_geometry(
    tmp_path: Path, dtype: str
) -> None:
    write_nrrd(tmp_path / "a.nrrd", some_labels(dtype), OBLIQUE)
    values, header = pynrrd.read(str(tmp_path / "a.nrrd"))
    np.testing.assert_array_equal(values, some_labels(dtype))
    np.testing.assert_array_equal(header["space origin"], np.diag([-1, -1, 1]) @ OBLIQUE[:3, 3])
    np.testing.assert_array_equal(header["space directions"].T, np.diag([-1, -1, 1]) @ OBLIQUE[:3, :3])
    image = SimpleITK.ReadImage(str(tmp_path / "a.nrrd"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).transpose(), some_labels(dtype))
    np.testing.assert_array_equal(read_nrrd((tmp_path / "a.nrrd").read_bytes()).ijk_to_ras, OBLIQUE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nrrd"]


def test_an_absurd_header_is_refused_before_memory_is_taken() -> None:
    files = [
        nrrd(np.zeros((1, 1, 1), np.uint8), sizes="10000 10000 10000"),
        nrrd(np.zeros((1, 1, 1), np.uint8), sizes="100 10000 1000"),
        nrrd(np.zeros((1, 1, 1), np.uint8), sizes="999999999999 999999999999 999999999999"),
    ]
    tracemalloc.start()
    for file in files:
        with pytest.raises(BadAnswer, match="bytes of voxels"):
            read_nrrd(file)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_file_that_unpacks_to_more_than_it_says_is_not_unpacked() -> None:
    header = nrrd(np.zeros((10, 10, 1), np.uint8)).split(b"\n\n")[0]
    bomb = header + b"\n\n" + gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(BadAnswer, match="has 100 bytes of voxels, but 101 came"):
        read_nrrd(bomb, (10, 10, 1))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


GOOD = nrrd(some_labels())


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "no NRRD file"),
        (b"<html>not here</html>", "no NRRD file"),
        (b"NRRD0004\ntype: uint8\n", "no NRRD file"),
        (GOOD[:-6], "without its end"),
        (GOOD[:-1], "without its end"),
        (GOOD[:-5] + b"\x00" + GOOD[-4:], "damaged"),
        (GOOD.replace(b"encoding: gzip", b"encoding: bzip2"), "'bzip2'; raw and gzip"),
        (GOOD.replace(b"unsigned char", b"double"), "'double'; uint8, uint16, float"),
        (GOOD.replace(b"sizes: 5 4 3", b"sizes: 5 4 -3"), "'5 4 -3'; whole numbers"),
        (GOOD.replace(b"sizes: 5 4 3", b"sizes: 5 4 3 1"), "dimension '3' and 4 sizes"),
        (GOOD.replace(b"dimension: 3", b"dimension: 4"), "dimension '4' and 3 sizes"),
        (GOOD.replace(b"sizes: 5 4 3\n", b""), "lacks the field 'sizes'"),
        (GOOD.replace(b"endian: little", b"endian: middle"), "'middle'; little and big"),
        (GOOD.replace(b"endian: little", b"data file: /etc/passwd"), "elsewhere"),
        (GOOD.replace(b"endian: little", b"byte skip: -1"), "elsewhere"),
        (GOOD.replace(b"endian: little", b"nonsense"), "no field: 'nonsense'"),
        (GOOD.replace(b"endian: little", b"kinds: vector domain domain"), "kinds 'vector domain domain'"),
        (nrrd(some_labels(), encoding="raw")[:-1], "60 bytes of voxels, but 59 came"),
        (nrrd(some_labels(), encoding="raw") + b"\0", "60 bytes of voxels, but 61 came"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_with_a_sentence(file: bytes, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        read_nrrd(file)


def test_a_mask_of_another_size_than_was_to_come_is_refused() -> None:
    with pytest.raises(BadAnswer, match="5 x 3 x 4 voxels was to come, but one of 5 x 4 x 3 came"):
        read_nrrd(GOOD, (5, 3, 4))


def test_every_byte_that_is_damaged_is_noticed_or_changes_nothing() -> None:
    changed = np.random.default_rng(5).integers(0, len(GOOD), 200)
    for place in changed:
        damaged = bytearray(GOOD)
        damaged[place] ^= 0x15
        try:
            read = read_nrrd(bytes(damaged), (5, 4, 3))
        except BadAnswer:
            continue
        np.testing.assert_array_equal(read.values, some_labels(), err_msg=f"byte {place}")


@pytest.mark.parametrize("highest", [255, 256, 65535])
def test_a_label_of_a_photograph_is_a_png_with_x_to_the_right_and_y_down(tmp_path: Path, highest: int) -> None:
    labels = np.zeros((7, 5, 1), np.int64)
    labels[6, 0], labels[2, 4] = 3, highest
    path = write_label(tmp_path / "label.png", labels)
    pixels = np.asarray(Image.open(path))
    assert pixels.shape == (5, 7)
    np.testing.assert_array_equal(pixels.T[:, :, None], labels)


def test_a_label_of_a_volume_takes_two_bytes_only_where_values_need_them(tmp_path: Path) -> None:
    labels = np.zeros((3, 3, 3), np.int32)
    for highest, dtype in ((255, "uint8"), (256, "uint16")):
        labels[1, 2, 0] = highest
        read = read_nrrd(write_label(tmp_path / "label.nrrd", labels, OBLIQUE).read_bytes(), (3, 3, 3))
        np.testing.assert_array_equal(read.values, labels)
        assert read.values.dtype == dtype


@pytest.mark.parametrize(
    ("name", "labels", "geometry"),
    [
        ("label.jpg", np.zeros((2, 2, 1), np.uint8), None),
        ("label.nrrd", np.zeros((2, 2, 2), np.uint8), None),
        ("label.png", np.zeros((2, 2, 2), np.uint8), None),
        ("label.nrrd", np.zeros((2, 2, 2)), OBLIQUE),
        ("label.nrrd", np.full((2, 2, 2), -1), OBLIQUE),
        ("label.nrrd", np.full((2, 2, 2), 65536), OBLIQUE),
        ("label.nrrd", np.zeros((2, 2, 2), np.uint8), np.diag([1.0, 1.0, 0.0, 1.0])),
        ("label.nrrd", np.zeros((2, 2, 2), np.uint8), np.full((4, 4), np.nan)),
    ],
)
def test_a_label_that_would_not_be_read_back_as_it_is_is_not_written(
    tmp_path: Path, name: str, labels: np.ndarray, geometry: np.ndarray | None
) -> None:
    with pytest.raises(ValueError):
        write_label(tmp_path / name, labels, geometry)
    assert list(tmp_path.iterdir()) == []


def test_an_older_label_stays_whole_when_the_disk_is_full(tmp_path: Path) -> None:
    path = write_label(tmp_path / "label.nrrd", some_labels(), OBLIQUE)
    before = path.read_bytes()
    with (
        pytest.raises(DiskFull, match="no space left for the label"),
        whole_file(path, "the label", lambda _: Path("/dev/full").open("wb")) as file,
    ):
        file.write(b"x" * 100_000)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["label.nrrd"]
