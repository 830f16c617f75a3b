"""What a label's record says after unmodified clients have clicked and submitted on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests
from monailabel.client import MONAILabelClient

from samantic.exporting import export

CLICK = {"foreground": [[22, 30, 12]], "background": [[43, 34, 12]]}


@pytest.fixture
def submit(a_server: Any, tmp_path: Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """Clicks twice as a stock client, submits what `change` makes of the answer, and returns the label's record."""

    def clicked(name: str, change: Callable[[np.ndarray], None] | None, **params: Any) -> dict[str, Any]:
        client = MONAILabelClient(a_server.url, str(tmp_path), name)
        client.infer("segsam", "ct", {"foreground": [[22, 30, 12]], "background": []})
        file, answer = client.infer("segsam", "ct", dict(CLICK))
        mask = nibabel.load(file)
        labels = np.asarray(mask.dataobj).astype(np.uint8)
        if change is not None:
            change(labels)
        nibabel.save(nibabel.Nifti1Image(labels, mask.affine), tmp_path / "mine.nii.gz")
        names = [{"name": name, "idx": value} for name, value in answer["label_names"].items()]
        client.save_label("ct", str(tmp_path / "mine.nii.gz"), params={"label_info": names, **params})
        return label_info(a_server)["provenance"] | {"answer": answer}

    yield clicked
    requests.delete(f"{a_server.url}/datastore/label?id=ct&tag=final", timeout=30)


def label_info(server: Any, tag: str = "final") -> dict[str, Any]:
    answer = requests.get(f"{server.url}/datastore/label/info?label=ct&tag={tag}", timeout=30)
    return dict(answer.json())


def test_a_stock_client_that_clicked_leaves_a_whole_record(submit: Callable[..., dict[str, Any]]) -> None:
    record = submit("reader-1", None)
    draft = record["draft"]
    assert record["schema"] == "samantic.provenance/1"
    assert record["who"] == {"client_id": "reader-1", "user": "admin", "address": "127.0.0.1"}
    assert (draft["clicks"], draft["answers"]) == (2, 2)
    assert 0 < draft["seconds"] < 600
    weights = record["answer"]["weights_hash"]
    assert draft["models"] == [{"model": "segsam", "weights_hash": weights, "answers": 2}]
    assert draft["last"]["prompts"] == CLICK
    assert draft["last"]["slice"] == 12
    assert draft["edited"] is False and draft["agreement"]["dice"] == 1.0
    assert [entry["name"] for entry in record["classes"]] == list(record["answer"]["label_names"])


def test_a_label_that_was_corrected_says_how_much(submit: Callable[..., dict[str, Any]]) -> None:
    def erase_half(labels: np.ndarray) -> None:
        columns = np.flatnonzero(labels[:, :, 12].any(axis=1))
        labels[: int(columns[len(columns) // 2]), :, 12] = 0

    draft = submit("reader-2", erase_half)["draft"]
    assert draft["edited"] is True
    assert 0.3 < draft["agreement"]["dice"] < 0.95


def test_what_the_client_tells_is_kept_beside_and_cannot_replace_the_record(
    submit: Callable[..., dict[str, Any]],
) -> None:
    record = submit("reader-3", None, provenance={"schema": "forged", "seconds": 41.5})
    assert record["client"] == {"schema": "forged", "seconds": 41.5}
    assert record["schema"] == "samantic.provenance/1"


def test_a_label_from_somebody_who_never_clicked_has_no_draft(a_server: Any, tmp_path: Path) -> None:
    labels = np.zeros((64, 64, 24), np.uint8)
    labels[20:24, 28:32, 12] = 1
    path = tmp_path / "drawn.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([-1.5, -1.5, 3.0, 1.0])), path)
    client = MONAILabelClient(a_server.url, str(tmp_path), "painter")
    try:
        client.save_label("ct", str(path), params={"label_info": [{"name": "liver", "idx": 1}]})
        record = label_info(a_server)["provenance"]
        assert record["draft"] is None
        assert record["classes"][0]["type"]["value"] == "10200004"
    finally:
        requests.delete(f"{a_server.url}/datastore/label?id=ct&tag=final", timeout=30)


def test_a_path_in_what_the_client_tells_is_refused_and_nothing_is_saved(a_server: Any, tmp_path: Path) -> None:
    path = tmp_path / "drawn.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((64, 64, 24), np.uint8), np.diag([-1.5, -1.5, 3.0, 1.0])), path)
    params = json.dumps({"provenance": {"file": "/home/somebody/ct.nii.gz"}})
    with path.open("rb") as file:
        answer = requests.put(
            f"{a_server.url}/datastore/label?image=ct", data={"params": params}, files={"label": file}, timeout=30
        )
    assert answer.status_code == 422
    assert "the path of a file" in answer.json()["detail"]
    assert requests.get(f"{a_server.url}/datastore/label/info?label=ct&tag=final", timeout=30).status_code == 404


def test_a_pre_annotation_is_recorded_as_the_models(a_server: Any, tmp_path: Path) -> None:
    client = MONAILabelClient(a_server.url, str(tmp_path), "reader-4")
    try:
        _, answer = client.infer("segsam", "ct", {**CLICK, "save_label": True})
        record = label_info(a_server, "original")["provenance"]
        assert (record["kind"], record["model"]) == ("model", "segsam")
        assert record["weights_hash"] == answer["weights_hash"]
    finally:
        requests.delete(f"{a_server.url}/datastore/label?id=ct&tag=original", timeout=30)


def test_an_export_carries_the_record_of_a_label_that_a_client_saved(
    submit: Callable[..., dict[str, Any]], a_server: Any, tmp_path: Path
) -> None:
    record = submit("reader-5", None)
    export(a_server.studies, "seg-nrrd", tmp_path / "out")
    index = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert index["images"]["ct"]["provenance"]["draft"] == record["draft"]
    assert len(index["without_label"]) == 3
