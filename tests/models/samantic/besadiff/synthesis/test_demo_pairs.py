from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from samantic.app.lib.datastore import SamanticDatastore
from samantic.besadiff.synthesis import SynthesisError, demo_pairs, synthesizing
from samantic.besadiff.synthesis.demo_pairs import add_demo_pairs

Add = Callable[..., int]


@pytest.fixture
def add(tmp_path: Path, stand_ins: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Add:
    """Adds 5 pairs, 2 of them labelled, to the test's folder."""
    monkeypatch.setattr(synthesizing, "write_sheet", lambda *_: None)
    monkeypatch.setattr(demo_pairs, "PAIRS", 5)
    monkeypatch.setattr(demo_pairs, "LABELLED", 2)

    def add(seconds: float = 60, **changed: Any) -> int:
        parts = {**stand_ins, **changed}
        return add_demo_pairs(tmp_path, lambda: (parts["generator"](), parts["refiner"]()), seconds)

    return add


def test_some_images_have_a_label_and_most_are_to_be_annotated(add: Add, tmp_path: Path) -> None:
    assert add() == 5
    datastore = SamanticDatastore(tmp_path)
    assert sorted(datastore.get_labeled_images()) == ["synthetic_000001", "synthetic_000002"]
    assert sorted(datastore.get_unlabeled_images()) == [f"synthetic_{number:06d}" for number in (3, 4, 5)]
    assert datastore.get_image_info("synthetic_000005")["synthetic"] is True
    assert len(list((tmp_path / "truth" / "synthetic" / "labels" / "final").iterdir())) == 5


def test_the_second_call_loads_nothing_and_touches_nothing(add: Add, tmp_path: Path) -> None:
    add()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}

    def never() -> Any:
        raise AssertionError("loaded")

    assert add(generator=never) == 5
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == before


def test_what_the_time_did_not_suffice_for_comes_next_time_and_is_the_same(add: Add, tmp_path: Path, contents) -> None:
    assert add(seconds=-1) == 0
    assert add() == 5
    straight = contents(tmp_path)
    for path in tmp_path.glob("synthetic_*.png"):
        path.unlink()
    assert add() == 5
    assert contents(tmp_path) == straight


def test_labels_of_a_person_stay(add: Add, tmp_path: Path) -> None:
    add()
    label = tmp_path / "labels" / "final" / "synthetic_000001.png"
    Image.fromarray(np.zeros((256, 256), np.uint8)).save(label)
    (tmp_path / "synthetic_000004.png").unlink()
    add()
    assert not np.asarray(Image.open(label)).any()
    assert (tmp_path / "synthetic_000004.png").is_file()


def test_images_of_an_earlier_version_stay(add: Add, tmp_path: Path, stand_ins) -> None:
    add()
    (tmp_path / "synthetic_000004.png").unlink()
    assert add(generator=lambda: stand_ins["generator"]("newer weights")) == 4


def test_somebody_elses_image_of_the_same_name_is_not_overwritten(add: Add, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "synthetic_000003.png")
    with pytest.raises(SynthesisError, match=r"synthetic_000003.png' is in the way"):
        add()


def test_notes_of_other_images_stay(add: Add, tmp_path: Path) -> None:
    (tmp_path / "datastore_v2.json").write_text(json.dumps({"name": "mine", "objects": {"ct": {"image": {}}}}))
    add()
    record = json.loads((tmp_path / "datastore_v2.json").read_text())
    assert record["name"] == "mine"
    assert record["objects"].keys() == {"ct", *(f"synthetic_{number:06d}" for number in range(1, 6))}
