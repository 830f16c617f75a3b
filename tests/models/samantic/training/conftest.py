"""The toy of toy.py for this folder's tests."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("training_toy", Path(__file__).with_name("toy.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["training_toy"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The module toy.py; as a script it is run in processes of its own."""
    return _load()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def metrics() -> Callable[[Path], list[dict[str, str]]]:
    """The lines of a run's metrics.csv."""

    def lines(run: Path) -> list[dict[str, str]]:
        with (run / "metrics.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    return lines
