"""The job `batch` on a real studies folder, with a model that answers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel
import numpy as np
import pytest
from fastapi import HTTPException

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.wire import RequestError
from samantic.app.lib.jobs import JobControl
from samantic.app.lib.jobs.batch import batch_work
from samantic.segsam.cancelling import Cancelled

Steps = list[tuple[int, int, str]]


@pytest.fixture
def store(studies: Path, write_nifti: Callable[..., Path]) -> SamanticDatastore:
    """The images `ct`, `ct2` and `ct3`."""
    for path in studies.glob("*.*g"):
        path.unlink()
    for name in ("ct2", "ct3"):
        write_nifti(studies / f"{name}.nii.gz", 1)
    return SamanticDatastore(studies)


@pytest.fixture
def control() -> tuple[JobControl, Steps, threading.Event]:
    steps: Steps = []
    cancelled = threading.Event()
    return JobControl(lambda *step: steps.append(step), cancelled), steps, cancelled


def answering(folder: Path, asked: list[Mapping[str, Any]]) -> Callable[..., tuple[str, dict[str, Any]]]:
    """A model that labels everything, but cannot read ct2."""

    def answer(params: Mapping[str, Any], _: JobControl) -> tuple[str, dict[str, Any]]:
        asked.append(params)
        if "ct2" in params["image"]:
            raise RequestError("there is nothing in this image")
        file = folder / "answer.nii.gz"
        nibabel.save(nibabel.Nifti1Image(np.ones((8, 9, 5), np.uint8), np.diag([-1.0, -1.0, 2.0, 1.0])), file)
        return str(file), {"label_names": {"liver": 1}, "weights_hash": "abc"}

    return answer


def test_every_image_without_a_label_gets_one_and_a_failure_stops_nobody(
    store: SamanticDatastore, tmp_path: Path, control: Any, write_nifti: Callable[..., Path]
) -> None:
    asked: list[Mapping[str, Any]] = []
    app = SimpleNamespace(datastore=lambda: store)
    result = batch_work(app, "auto", answering(tmp_path, asked), {"classes": "liver"})(control[0])
    assert result["labelled"] == ["ct", "ct3"] and result["failed"] == {"ct2": "There is nothing in this image."}
    assert control[1] == [(0, 3, "ct"), (1, 3, "ct2"), (2, 3, "ct3"), (3, 3, "")]
    info = store.get_label_info("ct", "original")
    assert info["model"] == "auto" and info["params"]["label_names"] == {"liver": 1}
    assert info["provenance"]["weights_hash"] == "abc"
    assert all(params["classes"] == "liver" for params in asked)
    assert not (tmp_path / "answer.nii.gz").exists()
    # The next batch goes on where this one ended, and leaves alone what a person has labelled.
    store.save_label("ct3", str(write_nifti(tmp_path / "l.nii.gz", 1)), "final", {})
    again = batch_work(app, "auto", answering(tmp_path, asked), {"again": True})(control[0])
    assert again["labelled"] == ["ct"]
    rest = batch_work(app, "auto", answering(tmp_path, asked), {})(control[0])
    assert (rest["labelled"], rest["left_out"]) == ([], ["ct"])


def test_an_image_that_a_person_labels_meanwhile_is_theirs(
    store: SamanticDatastore, tmp_path: Path, control: Any, write_nifti: Callable[..., Path]
) -> None:
    model = answering(tmp_path, [])

    def answer(params: Mapping[str, Any], inner: JobControl) -> tuple[str, dict[str, Any]]:
        store.save_label("ct", str(write_nifti(tmp_path / "l.nii.gz", 1)), "final", {})
        return model(params, inner)

    work = batch_work(SimpleNamespace(datastore=lambda: store), "auto", answer, {"images": ["ct"]})
    work(control[0])
    assert set(store.get_labels_by_image_id("ct")) == {"final"}
    assert not (tmp_path / "answer.nii.gz").exists()


def test_it_stops_between_images_and_keeps_what_it_has(store: SamanticDatastore, tmp_path: Path, control: Any) -> None:
    model = answering(tmp_path, [])

    def answer(params: Mapping[str, Any], inner: JobControl) -> tuple[str, dict[str, Any]]:
        control[2].set()
        return model(params, inner)

    with pytest.raises(Cancelled):
        batch_work(SimpleNamespace(datastore=lambda: store), "auto", answer, {})(control[0])
    assert set(store.get_labels_by_image_id("ct")) == {"original"}
    assert store.get_labels_by_image_id("ct3") == {}


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"label_tag": "final"}, RequestError),
        ({"label_tag": "../evil"}, ValueError),
        ({"images": ["nothing"]}, HTTPException),
        ({"images": 7}, RequestError),
        ({"again": "perhaps"}, RequestError),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_begins(
    store: SamanticDatastore, tmp_path: Path, params: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        batch_work(SimpleNamespace(datastore=lambda: store), "auto", answering(tmp_path, []), params)
