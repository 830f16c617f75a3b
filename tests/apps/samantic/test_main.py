from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import HTTPException
from monailabel.interfaces.config import TaskConfig
from monailabel.interfaces.tasks.infer_v2 import InferType
from monailabel.utils.others.class_utils import get_class_of_subclass_from_file
from monailabel.utils.sessions import Sessions

from samantic.app import main
from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.image_source import image_file
from samantic.app.lib.model_choice import UnknownModelError, chosen_configs, merged
from samantic.app.main import SamanticApp


@pytest.fixture(scope="module")
def an_app(tmp_path_factory: pytest.TempPathFactory) -> SamanticApp:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMANTIC_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("monailabel.config.settings.MONAI_LABEL_SESSION_PATH", str(tmp_path_factory.mktemp("sessions")))
        yield SamanticApp(str(tmp_path_factory.mktemp("app")), str(tmp_path_factory.mktemp("studies")), {})


def test_without_a_choice_every_model_is_offered(an_app: SamanticApp) -> None:
    info = an_app.info()
    assert "segsam" in info["models"] and set(info["strategies"]) >= {"random", "first"}
    assert (info["models"]["segsam"]["type"], info["models"]["segsam"]["dimension"]) == (InferType.DEEPGROW, 2)


def test_the_labels_are_the_classes_that_the_models_know(an_app: SamanticApp) -> None:
    info = an_app.info()
    assert set(info["labels"]) == {name for model in info["models"].values() for name in model["labels"]}
    assert "liver" in info["labels"] and "skin_lesion" in info["labels"]


def test_a_server_starts_without_the_weights_of_a_model_unless_that_was_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        "samantic.app.lib.initial_weights.bundled_models", lambda: ("segsam-tiny", "besadiff-segmenter")
    )
    caplog.set_level("INFO")
    (tmp_path / "studies").mkdir()

    def started(conf: dict[str, str]) -> SamanticApp:
        return SamanticApp(str(tmp_path / "app"), str(tmp_path / "studies"), conf)

    info = started({"models": "all"}).info()
    assert set(info["models"]) == {"segsam", "segsam_auto", "besadiff"}
    assert set(info["trainers"]) == {"segsam", "besadiff"}
    assert [line.split()[2] for line in caplog.messages if "is not offered" in line] == [
        "breast",
        "skin_photo",
        "student_dermoscopy",
        "student_breast_ultrasound",
        "student_hippocampus",
    ]
    with pytest.raises(UnknownModelError, match="the weights of breast are missing"):
        started({"models": "segsam,breast"})


def test_monai_label_finds_the_app_by_its_file(tmp_path: Path) -> None:
    copy = tmp_path / "main.py"
    copy.write_bytes(Path(main.__file__).read_bytes())
    assert get_class_of_subclass_from_file("main", str(copy), "MONAILabelApp").__name__ == "SamanticApp"


@pytest.mark.parametrize("models", ["segsam", " segsam , segsam", "all", "all,segsam"])
def test_models_are_chosen_by_name(models: str) -> None:
    chosen = chosen_configs(models)
    assert "segsam" in chosen and all(issubclass(config, TaskConfig) for config in chosen.values())


@pytest.mark.parametrize("models", ["nothing", "segsam,nothing", "", ","])
def test_an_unknown_model_ends_the_start_with_the_names_of_the_known_ones(models: str) -> None:
    with pytest.raises(UnknownModelError, match="segsam"):
        chosen_configs(models)


def test_a_model_may_bring_several_tasks_or_none() -> None:
    assert merged([("a", 1), ("b", {"b1": 2, "b2": 3}), ("c", None)]) == {"a": 1, "b1": 2, "b2": 3}


def test_an_image_is_an_id_an_upload_or_a_session_and_never_another_file(
    studies: Path, tmp_path: Path, write_nifti: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(uploads))
    store, sessions = SamanticDatastore(studies), Sessions(str(tmp_path / "sessions"))
    upload, other = write_nifti(uploads / "tmpab12_xyz.nii.gz"), write_nifti(uploads / "other.nii.gz")
    _, session = sessions.add_session(str(write_nifti(tmp_path / "s.nii.gz")))
    assert image_file("ct", store, sessions) == (studies / "ct.nii.gz", True)
    assert image_file(str(upload), store, sessions) == (upload, False)
    assert image_file(session.image, store, sessions) == (Path(session.image), False)
    outside = tmp_path / "sessions" / ".." / "studies" / "ct.nii.gz"
    for wrong in (
        "",
        "nothing",
        "/etc/passwd",
        str(other),
        str(studies / "ct.nii.gz"),
        str(outside),
        "../ct",
        "ct.nii.gz",
    ):
        with pytest.raises(HTTPException) as refusal:
            image_file(wrong, store, sessions)
        assert refusal.value.status_code == 404


def test_an_unknown_model_is_refused_before_anything_is_opened(an_app: SamanticApp) -> None:
    with pytest.raises(HTTPException, match="segsam"):
        an_app.infer({"model": "nothing", "image": "/etc/passwd"})
