from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from samantic.datasets import DemoStudy, DemoStudyError, write_demo_study
from samantic.datasets.phantoms import demo_study as demo_study_module
from samantic.vocabulary import load_vocabulary


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copy_of_study(demo_study: DemoStudy, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_study.folder, tmp_path / "copy"))


def test_the_same_bytes_come_out_every_time(demo_study: DemoStudy, tmp_path: Path) -> None:
    again = write_demo_study(tmp_path / "again")
    assert contents(again.folder) == contents(demo_study.folder)


def test_a_second_run_makes_nothing_and_touches_nothing(copy_of_study: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in copy_of_study.rglob("*")}
    made: list[str] = []
    write_demo_study(copy_of_study, made.append)
    assert made == []
    assert {path: path.stat().st_mtime_ns for path in copy_of_study.rglob("*")} == before


def test_a_missing_file_alone_is_made_again(copy_of_study: Path, demo_study: DemoStudy) -> None:
    (copy_of_study / "dermoscopy_1.jpg").unlink()
    (copy_of_study / "truth" / "ultrasound_2.png").unlink()
    made: list[str] = []
    write_demo_study(copy_of_study, made.append)
    assert made == ["dermoscopy_1", "ultrasound_2"]
    assert contents(copy_of_study) == contents(demo_study.folder)


@pytest.mark.parametrize("index", ["", "[]", '{"images": 3}', None])
def test_a_lost_or_damaged_index_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: str | None) -> None:
    one = {"dermoscopy_1": demo_study_module.MAKERS["dermoscopy_1"]}
    monkeypatch.setattr(demo_study_module, "MAKERS", one)
    write_demo_study(tmp_path)
    before = contents(tmp_path)
    path = tmp_path / "truth" / "truth.json"
    path.unlink()
    if index is not None:
        path.write_text(index)
    write_demo_study(tmp_path)
    assert contents(tmp_path) == before


def test_somebody_elses_image_of_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ct_abdomen.nii.gz").write_bytes(b"mine")
    with pytest.raises(DemoStudyError, match=r"ct_abdomen.nii.gz' is in the way.*choose another folder"):
        write_demo_study(tmp_path)
    assert contents(tmp_path) == {"ct_abdomen.nii.gz": b"mine"}


def test_a_file_in_place_of_the_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("not a folder")
    with pytest.raises(DemoStudyError, match=r"cannot be written to .*study.*choose another folder"):
        write_demo_study(tmp_path / "study")


def test_the_stock_datastore_lists_the_images_and_not_their_truth(copy_of_study: Path, demo_study: DemoStudy) -> None:
    from monailabel.datastore.local import LocalDatastore

    datastore = LocalDatastore(str(copy_of_study), extensions=("*.nii.gz", "*.nii", "*.jpg", "*.png"))
    assert sorted(datastore.list_images()) == sorted(image.id for image in demo_study)
    assert datastore.get_labeled_images() == []


def test_every_image_has_truth_in_its_own_grid_and_clicks_inside_it(demo_study: DemoStudy) -> None:
    for image in demo_study:
        truth = image.truth()
        assert truth.shape == image.volume().shape_ijk
        assert set(np.unique(truth)) == {0, *image.names}
        for name, click in image.clicks.items():
            assert image.names[int(truth[click])] == name


def test_modality_survives_the_file(demo_study: DemoStudy) -> None:
    kinds = {image.id: (image.volume().modality, image.volume().kind) for image in demo_study}
    assert kinds["ct_abdomen"] == ("CT", "volume")
    assert kinds["mr_head"] == ("MR", "volume")
    assert kinds["dermoscopy_1"] == ("RGB", "photograph")
    assert kinds["ultrasound_1"][1] == "photograph"


def test_every_class_is_in_the_vocabulary(demo_study: DemoStudy) -> None:
    vocabulary = load_vocabulary()
    assert [name for image in demo_study for name in image.names.values() if name not in vocabulary] == []


def test_an_unknown_image_is_named_beside_the_known_ones(demo_study: DemoStudy) -> None:
    with pytest.raises(KeyError, match=r"no image 'ct_thorax'; it has ct_abdomen"):
        demo_study["ct_thorax"]
