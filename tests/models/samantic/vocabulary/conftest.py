from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from samantic.vocabulary import Vocabulary, load_vocabulary


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


@pytest.fixture(scope="session")
def totalsegmentator_folder() -> Path:
    if "SAMANTIC_DATA" not in os.environ:
        pytest.skip("SAMANTIC_DATA is not set: the label lists of the training data cannot be read")
    return Path(os.environ["SAMANTIC_DATA"]) / "totalsegmentator"


@pytest.fixture
def label_names(totalsegmentator_folder: Path):
    def read(file_name: str) -> dict[int, str]:
        with (totalsegmentator_folder / file_name).open() as lines:
            return {int(row["value"]): row["name"] for row in csv.DictReader(lines)}

    return read
