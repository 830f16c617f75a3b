"""Whatever bytes arrive, the answer is an image or one plain sentence, and memory stays small."""

import gzip
import os
import resource
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samantic.imaging import ImageReadError, Volume, read_mask, read_volume, write_volume

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha", ".png", ".jpg"]


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """A gibibyte more of address space than now: an absurd allocation fails instead of swapping the machine."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def nifti_header(*sizes: int, code: int = 4, bits: int = 16, offset: float = 352) -> bytes:
    block = bytearray(352)
    struct.pack_into("<i", block, 0, 348)
    struct.pack_into("<8h", block, 40, len(sizes), *sizes, *([1] * (7 - len(sizes))))
    struct.pack_into("<hh", block, 70, code, bits)
    struct.pack_into("<8f", block, 76, *([1.0] * 8))
    struct.pack_into("<f", block, 108, offset)
    block[344:348] = b"n+1\0"
    return bytes(block)


def nrrd_header(sizes: str, kind: str = "short", encoding: str = "raw") -> bytes:
    return f"NRRD0004\ntype: {kind}\ndimension: 3\nsizes: {sizes}\nendian: little\nencoding: {encoding}\n\n".encode()


def meta_header(sizes: str, compressed: bool = False) -> bytes:
    lines = ["NDims = 3", f"DimSize = {sizes}", "ElementType = MET_SHORT", f"CompressedData = {compressed}"]
    return "\n".join([*lines, "ElementDataFile = LOCAL\n"]).encode()


HUGE = {
    "a.nii": nifti_header(30000, 30000, 30000),
    "b.nii.gz": gzip.compress(nifti_header(30000, 30000, 30000)),
    "c.nrrd": nrrd_header("60000 60000 60000"),
    "d.nrrd": nrrd_header("99999999999999999999 1 1"),
    "e.mha": meta_header("60000 60000 60000"),
    "f.png": png_header(60000, 60000),
    "g.png": png_header(2**31 - 1, 2**31 - 1),
    "h.nrrd": nrrd_header("1024 1024 1023", "double"),
}


@pytest.mark.parametrize("name", HUGE)
def test_an_absurd_size_is_refused_before_memory_is_asked_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(HUGE[name])
    with pytest.raises(ImageReadError, match=f"'{name}' (claims|says)"):
        read_volume(path)


TOO_SHORT = {
    "a.nii": nifti_header(1000, 1000, 1000) + bytes(1000),
    "b.nii.gz": gzip.compress(nifti_header(1000, 1000, 1000) + bytes(1000)),
    "c.nrrd": nrrd_header("1000 1000 1000") + bytes(1000),
    "d.nrrd": nrrd_header("1000 1000 1000", encoding="gzip") + gzip.compress(bytes(1000)),
    "e.mha": meta_header("1000 1000 1000") + bytes(1000),
    "f.mha": meta_header("1000 1000 1000", True) + zlib.compress(bytes(1000)),
}


@pytest.mark.parametrize("name", TOO_SHORT)
def test_a_size_that_the_file_cannot_hold_is_refused_before_memory_is_asked_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(TOO_SHORT[name])
    with pytest.raises(ImageReadError, match=f"'{name}' is cut short: its header promises 2000000000 bytes"):
        read_volume(path)


def test_a_stream_that_unpacks_to_far_more_than_the_header_promises_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(nifti_header(2, 2, 2, code=2, bits=8) + bytes(3 << 30 >> 4), 1)
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(bomb)
    assert read_volume(path).shape_ijk == (2, 2, 2)


@pytest.mark.parametrize("offset", [-8.0, 0.0, float("nan"), float("inf"), 1e9])
def test_a_data_offset_that_cannot_be_is_refused(tmp_path: Path, offset: float) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(nifti_header(2, 2, 2, offset=offset) + bytes(64))
    with pytest.raises(ImageReadError, match=r"'a\.nii'"):
        read_volume(path)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".dcm", ".nhdr", ".mhd", ".jpeg", ".bmp", ".seg.nrrd"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 4096, b"\xff" * 4096, b"\x1f\x8b" + bytes(100)])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(ImageReadError, match=f"a{suffix}"):
        read_volume(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, phantom: Volume, suffix: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (16, 12, 1, 3)).astype(np.uint8)
    volume = Volume(picture, np.diag([-1.0, -1, 1, 1]), "RGB", "photograph") if suffix in (".png", ".jpg") else phantom
    path = tmp_path / f"a{suffix}"
    write_volume(path, volume)
    whole = path.read_bytes()
    # Behind the pixels of a picture only checksums and end marks follow; a picture without them is whole.
    end = len(whole) - (24 if suffix == ".png" else 2 if suffix == ".jpg" else 0)
    for length in {*range(0, end, 7), end - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ImageReadError):
            read_volume(path)


def test_a_bmp_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 12, 3)).astype(np.uint8)).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageReadError, match=r"a\.bmp"):
            read_volume(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_single_wrong_byte_gives_an_image_or_a_plain_sentence(tmp_path: Path, phantom: Volume, suffix: str) -> None:
    random = np.random.default_rng(11)
    picture = random.integers(0, 255, (16, 12, 1, 3)).astype(np.uint8)
    volume = Volume(picture, np.diag([-1.0, -1, 1, 1]), "RGB", "photograph") if suffix in (".png", ".jpg") else phantom
    path = tmp_path / f"a{suffix}"
    write_volume(path, volume)
    whole = path.read_bytes()
    refused = 0
    for position in random.permutation(min(len(whole), 700))[:250]:
        broken = bytearray(whole)
        broken[position] ^= 1 << int(random.integers(8))
        path.write_bytes(broken)
        try:
            read_volume(path)
        except ImageReadError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_wrong_byte_in_compressed_voxels_is_noticed(tmp_path: Path, phantom: Volume, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_volume(path, phantom)
    whole = bytearray(path.read_bytes())
    whole[-100] ^= 0x10
    path.write_bytes(whole)
    with pytest.raises(ImageReadError, match="damaged or cut short"):
        read_volume(path)


def test_things_that_are_not_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "device.nii").symlink_to("/dev/zero")
    (tmp_path / "dangling.nii").symlink_to(tmp_path / "nothing")
    for name, sentence in {
        "folder.png": "holds no DICOM images",
        "pipe.nii": "is not a regular file",
        "device.nii": "is not a regular file",
        "dangling.nii": "there is no file 'dangling.nii'",
        "missing.nii": "there is no file 'missing.nii'",
    }.items():
        with pytest.raises(ImageReadError, match=sentence):
            read_volume(tmp_path / name)


def test_a_link_to_an_image_is_read(tmp_path: Path, phantom: Volume) -> None:
    write_volume(tmp_path / "a.nii.gz", phantom)
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "a.nii.gz")
    assert read_volume(tmp_path / "link.nii.gz").content_hash == read_volume(tmp_path / "a.nii.gz").content_hash


@pytest.mark.parametrize("name", ["a.txt", "a", "a.nii.bz2", "a.gz", ".nii"])
def test_other_suffixes_are_refused_with_those_that_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"hello")
    with pytest.raises(ImageReadError, match=r"use one of \.nii, \.nii\.gz"):
        read_volume(tmp_path / name)


def test_a_modality_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="the modality 'XRAY' does not exist; use one of CT, MR, US, RGB, unknown"):
        read_volume(tmp_path / "a.nii", modality="XRAY")  # type: ignore[arg-type]


def test_a_folder_is_no_mask(tmp_path: Path, phantom: Volume) -> None:
    with pytest.raises(ImageReadError, match="is not a regular file"):
        read_mask(tmp_path, phantom)
