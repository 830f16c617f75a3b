"""One demo study on disk for all tests of the phantoms."""

from __future__ import annotations

import pytest

from samantic.datasets import DemoStudy, write_demo_study


@pytest.fixture(scope="session")
def demo_study(tmp_path_factory: pytest.TempPathFactory) -> DemoStudy:
    return write_demo_study(tmp_path_factory.mktemp("demo") / "study")
