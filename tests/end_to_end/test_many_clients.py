"""Eight clients on four images at once; SAMANTIC_MANY_CLIENTS_SECONDS=120 for the full two minutes."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SECONDS = float(os.environ.get("SAMANTIC_MANY_CLIENTS_SECONDS", "12"))


@pytest.fixture
def eight_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The benchmark of the same name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("eight_clients", BENCHMARKS / "eight_clients.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "eight_clients", module)
    spec.loader.exec_module(module)
    yield module


@pytest.mark.slow
def test_eight_clients_get_the_answers_of_a_single_one_and_memory_stays_bounded(
    eight_clients: ModuleType, a_server: Any, tmp_path: Path
) -> None:
    objects = requests.get(f"{a_server.url}/datastore/?output=all", timeout=30).json()["objects"]
    (series,) = [name for name in objects if name.startswith("series")]
    images = {"ct": (64, 64, 24), series: (64, 64, 12), "lesion": (64, 48, 1), "scan": (64, 48, 1)}
    server = eight_clients.Server(a_server.url, a_server.process.pid, a_server.temporary)
    report = eight_clients.hammer(server, images, SECONDS, tmp_path)
    assert report.failures == []
    assert report.different == []
    assert report.answers > 8 * eight_clients.STEPS
    half = len(report.resident_mib) // 2
    assert max(report.resident_mib) < report.alone_mib + 300
    assert max(report.resident_mib[half:]) < max(report.resident_mib[:half]) + 100
    assert report.left_behind == []
    assert requests.get(f"{a_server.url}/info/", timeout=30).ok
