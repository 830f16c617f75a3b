from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import HTTPException

from samantic import __version__
from samantic.app.lib.datastore import SamanticDatastore, drafts, provenance
from samantic.app.lib.datastore.drafts import Drafts, owners_of
from samantic.app.lib.datastore.provenance import Submitter, agreement, of_model, of_submission
from samantic.app.lib.server.client_provenance import client_provenance

ANSWER = {"weights_hash": "aa", "label_names": {"liver": 1}, "axis": 2, "slice": 3, "predicted_class": "liver"}


def note(kept: Drafts, asked: dict[str, Any], owner: str = "client a", file: Path | None = None, **answer: Any) -> None:
    kept.note([owner], "ct", "segsam", asked, {**ANSWER, **answer}, file)


def test_clicks_are_counted_once_however_often_a_client_repeats_them() -> None:
    kept = Drafts()
    note(kept, {"foreground": [[1, 2, 3]], "background": []})
    note(kept, {"foreground": [[1, 2, 3], [4, 5, 3]], "background": "[[9, 9, 3]]", "roi": [0, 4, 0, 4, 3, 4]})
    note(kept, {"spleen": [[1, 2, 3], [7, 7, 3]], "roi": [0, 4, 0, 4, 3, 4]})
    found = kept.of(["client a"], "ct")
    assert found is not None
    assert (found.answers, len(found.clicks), len(found.boxes)) == (3, 5, 1)


def test_a_draft_belongs_to_one_person_and_one_image() -> None:
    kept = Drafts()
    note(kept, {"foreground": [[1, 2, 3]]}, "client a")
    assert kept.of(["client b"], "ct") is None
    assert kept.of(["client a"], "other") is None
    assert kept.of(["session x", "client a"], "ct") is not None


def test_a_person_is_found_by_the_session_as_well_as_by_the_client() -> None:
    owners = owners_of({"session": "s", "client_id": "user-xyz", "client_address": "10.0.0.1"})
    assert owners == ("session s", "client user-xyz 10.0.0.1")
    kept = Drafts()
    kept.note(owners, "ct", "segsam", {"foreground": [[1, 2, 3]]}, ANSWER, None)
    without_session = owners_of({"client_id": "user-xyz", "client_address": "10.0.0.1"})
    assert kept.of(without_session, "ct") is not None
    assert kept.of(owners_of({"client_id": "user-xyz", "client_address": "10.0.0.2"}), "ct") is None
    assert owners_of({"client_id": 7}) == ()


def test_drafts_expire_and_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [0.0]
    kept = Drafts(life_s=10, clock=lambda: now[0])
    note(kept, {"foreground": [[1, 2, 3]]})
    now[0] = 11.0
    assert kept.of(["client a"], "ct") is None
    monkeypatch.setattr(drafts, "MAX_BYTES", 250)
    mask = tmp_path / "mask.nii.gz"
    mask.write_bytes(b"x" * 100)
    for number in range(5):
        note(kept, {"foreground": [[1, 2, 3]]}, f"client {number}", mask)
    assert len(kept) == 2
    monkeypatch.setattr(drafts, "MAX_ANSWER_BYTES", 99)
    note(kept, {"foreground": [[1, 2, 3]]}, "client z", mask)
    large = kept.of(["client z"], "ct")
    assert large is not None and large.last.mask == b""


def test_the_prompts_that_are_kept_are_short_and_name_no_file() -> None:
    kept = Drafts()
    note(kept, {"foreground": [[n, n, 3] for n in range(900)], "label": "/tmp/upload.nii.gz", "label_file": "/tmp/x"})
    found = kept.of(["client a"], "ct")
    assert found is not None
    assert found.last.notes["prompts"] == {"foreground": "900 entries"}
    assert found.label_files == 1 and len(found.clicks) == 900


def test_a_submission_is_recorded_with_codes_clicks_seconds_and_weights() -> None:
    now = [1_700_000_000.0]
    kept = Drafts(clock=lambda: now[0])
    note(kept, {"foreground": [[1, 2, 3]]})
    now[0] += 4
    note(kept, {"foreground": [[1, 2, 3], [2, 2, 3]]}, weights_hash="bb")
    notes = {"label_info": [{"name": "Liver", "idx": 1}, {"name": "my thing", "idx": 2}], "client_id": "a"}
    who = Submitter("a", "admin", "127.0.0.1")
    record = of_submission(notes, who, kept.of(["client a"], "ct"), {"dice": 0.5, "by": "class"}, {}, now[0] + 37.5)
    assert record["saved_at"] == "2023-11-14T22:14:01Z"
    assert record["who"] == {"client_id": "a", "user": "admin", "address": "127.0.0.1"}
    assert record["software"] == {"name": "samantic", "version": __version__}
    liver, own = record["classes"]
    assert (liver["name"], liver["value"], liver["class"]) == ("Liver", 1, "liver")
    assert liver["type"] == {"scheme": "SCT", "value": "10200004", "meaning": "Liver"}
    assert own == {"name": "my thing", "value": 2}
    draft = record["draft"]
    assert (draft["clicks"], draft["answers"], draft["seconds"], draft["edited"]) == (2, 2, 41.5, True)
    assert [entry["weights_hash"] for entry in draft["models"]] == ["aa", "bb"]
    assert draft["last"]["weights_hash"] == "bb"
    assert draft["last"]["prompts"] == {"foreground": [[1, 2, 3], [2, 2, 3]]}
    assert json.loads(json.dumps(record)) == record


def test_a_label_of_unknown_making_is_recorded_as_such() -> None:
    record = of_submission({}, Submitter(), None, None, {"seconds": 12.5}, 0.0)
    assert record["draft"] is None and record["client"] == {"seconds": 12.5} and record["classes"] == []


def test_a_pre_annotation_is_recorded_as_the_models() -> None:
    record = of_model({"params": {"label_names": {"liver": 1}}}, "segsam", {"weights_hash": "aa"}, 0.0)
    assert (record["kind"], record["model"], record["weights_hash"]) == ("model", "segsam", "aa")
    assert record["classes"][0]["class"] == "liver"


def test_agreement_is_dice_over_the_classes_that_both_name_on_the_answers_slice() -> None:
    answer, submitted = np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 2), np.uint8)
    answer[:2, :2, 1] = 1
    submitted[:2, :1, 1] = 7
    submitted[3, 3, 1] = 5
    submitted[:, :, 0] = 7
    by_name = agreement(answer, {"liver": 1}, submitted, [("Liver", 7), ("spleen", 5)], (2, 1))
    assert by_name == {"dice": round(4 / 6, 4), "by": "class", "axis": 2, "slice": 1}
    bare = agreement(answer, {"liver": 1}, submitted, [], (2, 1))
    assert bare == {"dice": round(4 / 7, 4), "by": "foreground", "axis": 2, "slice": 1}
    assert agreement(answer * 0, {"liver": 1}, submitted * 0, [], None) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([1], "object"),
        ({"a": [1]}, "list or object"),
        ({"a": "x" * 501}, "501 characters"),
        ({f"a{n}": 1 for n in range(65)}, "too long"),
        ({f"a{n}": "x" * 400 for n in range(30)}, "too long"),
        ({"a b": 1}, "a name is"),
        ({"file": "/home/person/ct.nii"}, "path"),
        ({"file": "from C:\\Users\\person"}, "path"),
        ({"file": "file:///x"}, "path"),
        ({"file": "../../x"}, "path"),
    ],
)
def test_what_a_client_tells_is_refused_with_a_reason(facts: Any, words: str) -> None:
    with pytest.raises(HTTPException) as refused:
        client_provenance({"provenance": facts})
    assert refused.value.status_code == 422
    assert words in refused.value.detail


def test_plain_facts_of_a_client_are_kept() -> None:
    facts = {"seconds": 41.5, "clicks": 7, "tool": "paint and/or erase", "slicer": "5.10", "kept": True, "note": None}
    assert client_provenance({"provenance": facts}) == facts
    assert client_provenance({}) == {}


def test_notes_that_come_later_do_not_replace_the_record(studies: Path) -> None:
    store = SamanticDatastore(studies)
    store.save_label("ct", str(studies / "ct.nii.gz"), "final", {provenance.KEY: {"schema": "s"}})
    store.update_label_info("ct", "final", {provenance.KEY: {}, "comment": "looked at again"})
    info = store.get_label_info("ct", "final")
    assert (info[provenance.KEY], info["comment"]) == ({"schema": "s"}, "looked at again")
