"""What a server noted about labels, as something to learn from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from samantic.datasets.studies import class_of_value, read_studies
from samantic.imaging import SegmentInfo, Volume, write_mask, write_volume


@pytest.mark.parametrize(
    "notes",
    [
        {"label_names": {"Liver": 1, "left kidney": 2}},
        {"params": {"label_names": {"liver": 1, "kidney_left": 2}}},
        {"label_info": [{"name": "liver", "idx": 1}, {"name": "kidney_left", "idx": 2}]},
        {
            "label_info": [
                {"name": "10200004", "id": 1},
                {"name": "kidney_left", "id": 2},
                {"name": "background", "id": 0},
            ]
        },
        {"label_names": {}, "label_info": [{"name": "liver", "idx": 1}, {"name": "kidney_left", "idx": 2}, {"idx": 3}]},
    ],
)
def test_the_classes_of_a_label_are_read_in_every_form(notes):
    assert class_of_value(notes) == {1: "liver", 2: "kidney_left"}


def test_a_name_of_ones_own_stays_as_it_is():
    assert class_of_value({"label_names": {"my stent": 3, "background": 0, "": 4}}) == {3: "my stent"}


@pytest.mark.parametrize("notes", [{}, {"params": None}, {"label_names": [1]}, {"label_info": [{"name": "liver"}]}])
def test_notes_without_names_say_nothing(notes):
    assert class_of_value(notes) == {}


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    volume = Volume(np.zeros((4, 5, 6), np.int16), np.eye(4), "MR")
    final = tmp_path / "labels" / "final"
    final.mkdir(parents=True)
    for name in ("a", "b", "c", "d"):
        write_volume(tmp_path / f"{name}.nii.gz", volume)
    write_mask(final / "a.nii.gz", np.ones((4, 5, 6), np.uint8), volume)
    write_mask(final / "b.seg.nrrd", np.ones((4, 5, 6), np.uint8), volume, [SegmentInfo(1, "Spleen", (1, 2, 3))])
    write_mask(final / "c.nii.gz", np.ones((4, 5, 6), np.uint8), volume)
    image = {"image": {"ext": ".nii.gz", "info": {}}}
    objects = {
        "a": {**image, "labels": {"final": {"ext": ".nii.gz", "info": {"label_names": {"liver": 1}}}}},
        "b": {**image, "labels": {"final": {"ext": ".seg.nrrd", "info": {}}}},
        "c": {**image, "labels": {"final": {"ext": ".nii.gz", "info": {}}}},
        "d": {**image, "labels": {"original": {"ext": ".nii.gz", "info": {}}}},
        "gone": {**image, "labels": {}},
    }
    (tmp_path / "datastore_v2.json").write_text(json.dumps({"objects": objects}))
    return tmp_path


def test_a_studies_folder_is_read_as_the_server_noted_it(studies: Path):
    found = read_studies(studies)
    assert [(one.image_id, one.label.name, one.class_of_value) for one in found.labelled] == [
        ("a", "a.nii.gz", {1: "liver"}),
        ("b", "b.seg.nrrd", {1: "spleen"}),
    ]
    assert [path.name for path in found.without_label] == ["d.nii.gz"]
    assert found.left_out == ("The label of 'c' is left out: nothing says which classes its values mean.",)


def test_a_record_cannot_lead_out_of_the_folder(studies: Path):
    record = json.loads((studies / "datastore_v2.json").read_text())
    record["objects"]["a"]["labels"]["final"]["info"]["name"] = "../../../../etc/passwd"
    (studies / "datastore_v2.json").write_text(json.dumps(record))
    found = read_studies(studies)
    assert [one.image_id for one in found.labelled] == ["b"]
    assert "its file is missing" in found.left_out[0]


def test_a_folder_without_a_record_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"has no datastore_v2\.json"):
        read_studies(tmp_path)
    (tmp_path / "datastore_v2.json").write_text("[]")
    with pytest.raises(ValueError, match="cannot be read"):
        read_studies(tmp_path)


def test_what_a_person_called_a_segment_goes_before_what_the_model_had_called_it():
    notes = {"label_info": [{"name": "spleen", "idx": 1}], "params": {"label_names": {"liver": 1}}}
    assert class_of_value(notes) == {1: "spleen"}
    assert class_of_value({"params": {"label_names": {"liver": 1}}}) == {1: "liver"}
