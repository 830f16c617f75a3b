import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from samantic.app.lib.infers import images
from samantic.app.lib.infers.images import OpenImages
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import ImageReadError, Volume


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are really read, in order."""
    read: list[Path] = []
    really_read = images.read_volume

    def counting(path: Path) -> Volume:
        read.append(path)
        return really_read(path)

    monkeypatch.setattr(images, "read_volume", counting)
    return read


def test_an_image_is_read_once(a_ct_file: Path, readings: list[Path]) -> None:
    opened = OpenImages()
    assert opened.open(str(a_ct_file)) is opened.open(str(a_ct_file))
    assert readings == [a_ct_file]


def test_the_same_file_uploaded_under_another_name_is_not_read_again(a_ct_file: Path, readings: list[Path]) -> None:
    opened = OpenImages()
    again = Path(shutil.copy(a_ct_file, a_ct_file.with_name("tmpabcd.nii.gz")))
    assert opened.open(str(a_ct_file)) is opened.open(str(again))
    assert readings == [a_ct_file]


def test_a_replaced_file_is_read_anew(a_ct_file: Path, a_volume: Volume, readings: list[Path]) -> None:
    import nibabel

    opened = OpenImages()
    first = opened.open(str(a_ct_file))
    nibabel.save(nibabel.Nifti1Image(np.asarray(a_volume.array) + 1, a_volume.affine), a_ct_file)
    os.utime(a_ct_file, ns=(1, 1))
    second = opened.open(str(a_ct_file))
    assert len(readings) == 2
    assert first.content_hash != second.content_hash


def test_eight_clients_that_open_one_image_wait_for_one_reading(a_ct_file: Path, readings: list[Path]) -> None:
    opened = OpenImages()
    start = threading.Barrier(8)
    volumes: list[Volume] = []

    def open_it() -> None:
        start.wait()
        volumes.append(opened.open(str(a_ct_file)))

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(volumes) == 8
    assert len({id(volume) for volume in volumes}) == 1
    assert len(readings) == 1


def test_memory_stays_below_its_bound(tmp_path: Path, a_volume: Volume, readings: list[Path]) -> None:
    import nibabel

    size = a_volume.array.nbytes
    opened = OpenImages(max_bytes=2 * size)
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(np.asarray(a_volume.array) + number, a_volume.affine), path)
        opened.open(str(path))
        paths.append(path)
        assert opened.bytes_kept <= 2 * size
    opened.open(str(paths[3]))
    opened.open(str(paths[0]))
    assert readings == [*paths, paths[0]]


@pytest.mark.parametrize("name", ["", "/no/such/image.nii.gz"])
def test_an_image_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=r"image"):
        OpenImages().open(name)


def test_a_broken_image_is_refused_and_the_next_attempt_tries_again(tmp_path: Path) -> None:
    path = tmp_path / "broken.nii.gz"
    path.write_bytes(b"not an image")
    opened = OpenImages()
    for _ in range(2):
        with pytest.raises(ImageReadError):
            opened.open(str(path))
    assert opened.bytes_kept == 0
