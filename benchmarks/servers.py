"""Servers to measure, each in a process of its own, and the synthetic images that they serve."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import requests
from PIL import Image

START_SECONDS = 180


@dataclass(frozen=True)
class Server:
    """Where a server listens, which process it is and where its temporary files go."""

    url: str
    pid: int
    temporary: Path

    @property
    def resident_mib(self) -> float:
        """Memory that the process holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


@contextmanager
def samantic_server(
    studies: Path, home: Path, conf: Mapping[str, str] | None = None, **environment: str
) -> Iterator[Server]:
    """`samantic serve` on a folder, with `--conf` and further environment variables."""
    code = (
        "import json, sys; from samantic.app.launch import serve; "
        "serve(sys.argv[1], port=int(sys.argv[2]), conf=json.loads(sys.argv[3]))"
    )

    def command(port: int) -> list[str]:
        return [sys.executable, "-c", code, str(studies), str(port), json.dumps(dict(conf or {}))]

    with _running(command, home, environment) as server:
        yield server


@contextmanager
def stock_server(app: Path, studies: Path, home: Path, **environment: str) -> Iterator[Server]:
    """The stock `monailabel start_server` with an app folder."""

    def command(port: int) -> list[str]:
        options = ["--app", str(app), "--studies", str(studies), "--host", "127.0.0.1", "--port", str(port)]
        return [sys.executable, "-m", "monailabel.main", "start_server", *options]

    with _running(command, home, environment) as server:
        yield server


def write_ct(path: Path, shape: tuple[int, int, int], seed: int = 0) -> Path:
    """A CT-like volume: air, a body, two organs and noise."""
    i, j, k = (np.linspace(-1, 1, size, dtype=np.float32) for size in shape)
    i, j, k = i[:, None, None], j[None, :, None], k[None, None, :]
    volume = np.full(shape, -1000, np.int16)
    volume[(i / 0.9) ** 2 + (j / 0.7) ** 2 + 0 * k < 1] = 0
    volume[((i + 0.35) / 0.3) ** 2 + ((j + 0.05) / 0.25) ** 2 + (k / 0.9) ** 2 < 1] = 120
    volume[((i - 0.4) / 0.2) ** 2 + (j / 0.3) ** 2 + (k / 0.8) ** 2 < 1] = 60
    volume += np.random.default_rng(seed).integers(-12, 13, shape, dtype=np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([-0.8, -0.8, 2.0, 1.0])), path)
    return path


def write_photograph(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Skin with one dark spot."""
    y, x = np.ogrid[:height, :width]
    picture = np.full((height, width, 3), (222, 178, 150), np.int16)
    spot = ((x / width - 0.45) / 0.2) ** 2 + ((y / height - 0.5) / 0.25) ** 2 < 1
    picture[spot] = (96, 60, 48)
    picture += np.random.default_rng(seed).integers(-6, 7, picture.shape, dtype=np.int16)
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)
    return path


@contextmanager
def _running(command, home: Path, environment: dict[str, str]) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {**os.environ, "SAMANTIC_HOME": str(home), "TMPDIR": str(temporary), **environment}
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(port), env=variables, cwd=home, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, log)
        yield Server(url, process.pid, temporary)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/info/", timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise SystemExit(f"The server did not start; its last words:\n{log.read_text(errors='replace')[-3000:]}")
