"""Real servers in processes of their own, on a free port of this machine, over a folder of small real images."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import requests
from PIL import Image
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

START_SECONDS = 180
EXTENSION = Path(__file__).parents[2] / "slicer_extension" / "Samantic"

if str(EXTENSION) not in sys.path:  # as 3D Slicer does it
    sys.path.insert(0, str(EXTENSION))


@dataclass
class RunningServer:
    """A server: where it listens, what it serves, where it keeps its own files, what it printed."""

    url: str
    studies: Path
    home: Path
    temporary: Path
    log: Path
    process: subprocess.Popen

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """What a power cut does to the process, and to every process that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


ServerStarter = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def write_studies() -> Callable[[Path], Path]:
    """Writes a studies folder: `ct` (NIfTI), `series` (DICOM folder), `lesion` (JPEG), `scan` (PNG)."""
    return _write_studies


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Finds a port on which nobody listens."""
    return _free_port


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerStarter]:
    """Starts servers with `samantic.app.launch`; `start_server(studies=…, home=…, port=…, conf=…)`, all optional."""
    with _servers(tmp_path_factory, _samantic_command) as start:
        yield start


@pytest.fixture(scope="session")
def a_server(start_server: ServerStarter) -> RunningServer:
    """One server for many tests; who changes its studies puts them back."""
    return start_server()


@pytest.fixture(scope="session")
def a_plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The stock `monailabel start_server` with a copy of our app folder and without our ASGI module."""
    with _servers(tmp_path_factory, _plain_command) as start:
        yield start()


@contextmanager
def _servers(tmp_path_factory: pytest.TempPathFactory, command: Callable[..., list[str]]) -> Iterator[ServerStarter]:
    started: list[RunningServer] = []

    def start(
        studies: Path | None = None,
        home: Path | None = None,
        port: int | None = None,
        environment: dict[str, str] | None = None,
        conf: dict[str, str] | None = None,
    ) -> RunningServer:
        place = tmp_path_factory.mktemp("server")
        studies = studies or _write_studies(place / "studies")
        home = home or place / "home"
        port = port or _free_port()
        temporary = place / "tmp"
        temporary.mkdir()
        log = place / "log.txt"
        variables = {
            **os.environ,
            "SAMANTIC_HOME": str(home),
            "TMPDIR": str(temporary),
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(studies, home, port, conf or {"models": "segsam"}),
                env=variables,
                cwd=place,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = RunningServer(f"http://127.0.0.1:{port}", studies, home, temporary, log, process)
        started.append(server)
        _wait_for(server)
        return server

    try:
        yield start
    finally:
        for server in started:
            _stop(server)


def _samantic_command(studies: Path, _home: Path, port: int, conf: dict[str, str]) -> list[str]:
    code = f"from samantic.app.launch import serve; serve({str(studies)!r}, port={port}, conf={conf!r})"
    return [sys.executable, "-c", code]


def _plain_command(studies: Path, home: Path, port: int, conf: dict[str, str]) -> list[str]:
    # The stock server makes folders inside the app's folder, so it gets a copy.
    app = home / "plain-app"
    source = Path(str(files("samantic.app")))
    for path in source.rglob("*.py"):
        target = app / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    options = ["--app", str(app), "--studies", str(studies), "--host", "127.0.0.1", "--port", str(port)]
    return [
        sys.executable,
        "-m",
        "monailabel.main",
        "start_server",
        *options,
        *(word for pair in conf.items() for word in ("--conf", *pair)),
    ]


def _wait_for(server: RunningServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if requests.get(f"{server.url}/info/", timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start; its last words:\n{server.logged()[-4000:]}")


def _stop(server: RunningServer) -> None:
    for stop in (signal.SIGTERM, signal.SIGKILL):
        if server.process.poll() is None:
            os.killpg(server.process.pid, stop)
            try:
                server.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _write_studies(folder: Path) -> Path:
    folder.mkdir(parents=True)
    volume = _ct_like()
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([-1.5, -1.5, 3.0, 1.0])), folder / "ct.nii.gz")
    _write_series(folder / "series", volume[:, :, :12])
    photograph = _lesion_like()
    Image.fromarray(photograph).save(folder / "lesion.jpg", quality=95)
    Image.fromarray(photograph[:, :, 0]).save(folder / "scan.png")
    return folder


def _ct_like() -> np.ndarray:
    """(64, 64, 24) int16 in Hounsfield units: air, a body, a bright organ and a darker one."""
    i, j, k = np.ogrid[:64, :64, :24]
    volume = np.full((64, 64, 24), -1000, np.int16)
    volume[((i - 32) / 28) ** 2 + ((j - 32) / 22) ** 2 + 0 * k < 1] = 0
    volume[((i - 22) / 9) ** 2 + ((j - 30) / 8) ** 2 + ((k - 12) / 9) ** 2 < 1] = 120
    volume[((i - 43) / 7) ** 2 + ((j - 34) / 9) ** 2 + ((k - 12) / 8) ** 2 < 1] = 60
    noise = np.random.default_rng(7).normal(0, 8, volume.shape)
    return (volume + noise).astype(np.int16)


def _lesion_like() -> np.ndarray:
    """(48, 64, 3) uint8: skin with one dark spot around x = 30, y = 22."""
    y, x = np.ogrid[:48, :64]
    picture = np.full((48, 64, 3), (222, 178, 150), np.float64)
    picture[((x - 30) / 13) ** 2 + ((y - 22) / 10) ** 2 < 1] = (96, 60, 48)
    picture += np.random.default_rng(8).normal(0, 4, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def _write_series(folder: Path, volume: np.ndarray) -> None:
    """One DICOM CT series of axial slices, 1.5 x 1.5 x 3 mm, its files named against the order of the slices."""
    folder.mkdir()
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    for index in range(volume.shape[2]):
        slice_ = pydicom.Dataset()
        slice_.file_meta = pydicom.dataset.FileMetaDataset()
        slice_.file_meta.MediaStorageSOPClassUID = CTImageStorage
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        slice_.SOPClassUID, slice_.SOPInstanceUID = CTImageStorage, slice_.file_meta.MediaStorageSOPInstanceUID
        slice_.StudyInstanceUID, slice_.SeriesInstanceUID, slice_.FrameOfReferenceUID = study, series, frame
        slice_.PatientName, slice_.PatientID, slice_.Modality = "Phantom^A", "phantom", "CT"
        slice_.SeriesDescription, slice_.InstanceNumber = "phantom", index + 1
        slice_.ImagePositionPatient = [0.0, 0.0, 3.0 * index]
        slice_.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        slice_.PixelSpacing, slice_.SliceThickness = [1.5, 1.5], 3.0
        slice_.Rows, slice_.Columns = volume.shape[1], volume.shape[0]
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 16, 15, 1
        slice_.RescaleSlope, slice_.RescaleIntercept = 1, 0
        slice_.PixelData = np.ascontiguousarray(volume[:, :, index].T).tobytes()
        slice_.is_little_endian, slice_.is_implicit_VR = True, False
        slice_.save_as(folder / f"{99 - index:03d}.dcm", write_like_original=False)
