"""The pinned set that `make` installs with."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_every_line_pins_one_version_and_names_no_place(pins: list[Requirement]) -> None:
    for pin in pins:
        assert pin.url is None
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12"])
def test_no_package_is_pinned_twice_for_one_python(pins: list[Requirement], python: str) -> None:
    names = [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate({"python_version": python})]
    assert len(names) == len(set(names))


def test_torch_and_torchvision_are_the_pair_that_imports(pins: list[Requirement]) -> None:
    versions = {pin.name: str(pin.specifier) for pin in pins}
    assert versions["torch"] == "==2.12.1"
    assert versions["torchvision"] == "==0.27.1"


def test_the_pins_satisfy_what_the_package_asks_for(pins: list[Requirement]) -> None:
    pinned = {canonicalize_name(pin.name): [p for p in pins if p.name == pin.name] for pin in pins}
    for text in metadata.requires("samantic") or []:
        wanted = Requirement(text)
        assert canonicalize_name(wanted.name) in pinned, f"{wanted.name} is not pinned"
        for pin in pinned[canonicalize_name(wanted.name)]:
            version = str(pin.specifier).removeprefix("==")
            assert wanted.specifier.contains(version), f"{pin} is outside {wanted}"
