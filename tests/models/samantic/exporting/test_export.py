from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from samantic.exporting import FORMATS, ExportError, export
from samantic.exporting import run as running
from samantic.exporting.class_values import unique_names
from samantic.exporting.label_names import noted_names
from samantic.imaging import write_mask


# DICOM SEG is for images that are DICOM series; test_dicom_seg.py has some.
@pytest.mark.parametrize("to", [to for to in FORMATS if to != "dicom-seg"])
def test_what_was_written_and_where_each_label_came_from_is_listed(studies: Any, tmp_path: Path, to: str) -> None:
    seen: list[tuple[int, int]] = []
    written = export(
        studies.folder, to, tmp_path / "out", on_progress=lambda done, total, _: seen.append((done, total))
    )
    assert sorted(seen) == [(1, 3), (2, 3), (3, 3)]
    assert written.without_label == ("bare",)
    index = json.loads((tmp_path / "out" / "export.json").read_text())
    assert (index["format"], index["tag"], index["without_label"]) == (to, "final", ["bare"])
    assert set(index["images"]) == {"ct_a", "ct_b", "mole"}
    listed = {file for image in index["images"].values() for file in image["files"]}
    assert all((tmp_path / "out" / file).is_file() for file in listed)
    assert index["images"]["ct_a"]["provenance"]["draft"]["clicks"] == 3
    assert index["images"]["ct_b"]["names"] == {"liver": 4, "My finding": 9}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_export_that_fails_leaves_what_was_there(
    studies: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(studies.folder, "coco", tmp_path / "out")
    before = (tmp_path / "out" / "export.json").read_bytes()

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(running, "write_seg_nrrd", broken)
    with pytest.raises(OSError, match="No space left"):
        export(studies.folder, "seg-nrrd", tmp_path / "out", overwrite=True)
    with pytest.raises(OSError, match="No space left"):
        export(studies.folder, "seg-nrrd", tmp_path / "new")
    assert (tmp_path / "out" / "export.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "studies"]


def test_an_earlier_export_is_replaced_only_when_asked_and_other_folders_never(studies: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(studies.folder, "coco", tmp_path / "out")
    with pytest.raises(ExportError, match="--overwrite"):
        export(studies.folder, "seg-nrrd", tmp_path / "out")
    export(studies.folder, "seg-nrrd", tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "annotations").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(ExportError, match="holds other files"):
        export(studies.folder, "coco", tmp_path / "mine", overwrite=True)


@pytest.mark.parametrize("place", [".", "..", "labels", "labels/final"])
def test_the_studies_themselves_are_never_the_target(studies: Any, place: str) -> None:
    with pytest.raises(ExportError, match="name a new folder"):
        export(studies.folder, "coco", studies.folder / place, overwrite=True)
    assert (studies.folder / "datastore_v2.json").is_file()


def test_a_value_with_two_names_is_refused_with_both(empty: Any, ct: Callable, tmp_path: Path) -> None:
    labels = np.ones((12, 10, 6), np.uint8)
    empty.add("x", ct(1), labels, [{"name": "liver", "idx": 1}], ".nii.gz", label_names={"spleen": 1})
    with pytest.raises(ExportError, match="'x' contradicts itself: the value 1 is named both 'spleen' and 'liver'"):
        export(empty.folder, "nnunet", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_words_for_one_class_are_no_contradiction(empty: Any, ct: Callable, tmp_path: Path) -> None:
    labels = np.ones((12, 10, 6), np.uint8)
    empty.add("x", ct(1), labels, [{"name": "left kidney", "idx": 1}], ".nii.gz", label_names={"kidney_left": 1})
    export(empty.folder, "nnunet", tmp_path / "out")
    index = json.loads((tmp_path / "out" / "Dataset501_ct" / "dataset.json").read_text())
    assert index["labels"] == {"background": 0, "kidney_left": 1}


def test_values_that_nobody_named_are_refused_until_they_are_named(empty: Any, ct: Callable, tmp_path: Path) -> None:
    labels = np.zeros((12, 10, 6), np.uint8)
    labels[0, 0, :3] = (1, 3, 5)
    empty.add("x", ct(1), labels, [{"name": "liver", "idx": 1}], ".nii.gz")
    with pytest.raises(ExportError, match=r"nobody has named: 3, 5\. Name them, for example with --name 3="):
        export(empty.folder, "coco", tmp_path / "out")
    export(empty.folder, "coco", tmp_path / "out", names={3: "spleen", 5: "mine", 1: "not asked for"})
    categories = json.loads((tmp_path / "out" / "annotations" / "instances.json").read_text())["categories"]
    assert [entry["name"] for entry in categories] == ["liver", "spleen", "mine"]


def test_segments_of_a_seg_nrrd_name_their_values_where_no_note_does(empty: Any, ct: Callable, tmp_path: Path) -> None:
    from samantic.imaging import SegmentInfo

    labels = np.full((12, 10, 6), 2, np.uint8)
    empty.add("x", ct(1), labels, None, ".nii.gz")
    file = empty.folder / "labels" / "final" / "x.seg.nrrd"
    write_mask(file, labels, empty.volumes["x"], [SegmentInfo(2, "Spleen", (1, 2, 3))])
    empty.objects["x"]["labels"]["final"] = {"ext": ".seg.nrrd", "info": {"name": "x.seg.nrrd"}}
    empty.save()
    export(empty.folder, "nnunet", tmp_path / "out")
    index = json.loads((tmp_path / "out" / "Dataset501_ct" / "dataset.json").read_text())
    assert index["labels"] == {"background": 0, "spleen": 1}


def test_a_record_cannot_name_files_outside_the_studies(empty: Any, ct: Callable, tmp_path: Path) -> None:
    (tmp_path / "secret.nii.gz").write_bytes(b"not theirs")
    labels = np.ones((12, 10, 6), np.uint8)
    empty.add("x", ct(1), labels, [{"name": "liver", "idx": 1}], ".nii.gz")
    empty.objects["x"]["image"]["info"]["name"] = "../secret.nii.gz"
    empty.objects["y"] = {"image": {"info": {"name": "..", "source": "dicom", "series_uid": "1"}}, "labels": {}}
    empty.save()
    with pytest.raises(ExportError, match="None of the 0 images"):
        export(empty.folder, "nnunet", tmp_path / "out")


def test_notes_name_values_by_the_labels_own_words_before_the_answers() -> None:
    answer = {"label_names": {"spleen": 1}}
    assert noted_names({"params": answer}) == (("spleen", 1),)
    assert noted_names({"params": answer, "label_info": [{"name": " liver ", "idx": 1}]}) == (("liver", 1),)
    assert noted_names({"label_names": {"background": 0, "": 2, "a": True, "b": -1, "c": 3}}) == (("c", 3),)
    assert noted_names({"label_info": "nonsense", "label_names": [], "params": 3}) == ()


def test_file_names_differ_also_where_capitals_do_not_count() -> None:
    assert unique_names(["Scan", "scan", "scan-2"]) == {"Scan": "Scan", "scan": "scan-2", "scan-2": "scan-2-2"}


@pytest.mark.parametrize("content", ["{", "[]", '{"objects": []}', '{"objects": {"a": 3}}'])
def test_a_damaged_record_is_one_plain_sentence(empty: Any, tmp_path: Path, content: str) -> None:
    (empty.folder / "datastore_v2.json").write_text(content)
    with pytest.raises(ExportError, match=r"datastore_v2\.json"):
        export(empty.folder, "coco", tmp_path / "out")
