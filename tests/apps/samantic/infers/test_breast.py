"""The infer task `breast` with a tiny network that has learned to find dark spots."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.infers.breast import Breast
from samantic.breast import BreastCalibration, BreastConfig, BreastReader
from samantic.breast.diagnosis import LESION
from samantic.breast.training.calibrate import calibrate
from samantic.breast.training.examples import BreastExample
from samantic.breast.training.fit import fit_breast
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.imaging import read_segments
from samantic.segsam.cancelling import Cancelled
from samantic.training import FitOptions

Views = Callable[..., list[LabelledView]]


def grey(views: list[LabelledView]) -> list[BreastExample]:
    """Dark spots without their colours, all of them benign."""
    pictures = [np.repeat(view.image.mean(axis=2).astype(np.uint8)[..., None], 3, axis=2) for view in views]
    return [
        BreastExample(view.image_id, picture, view.labels > 0, (False, True, False))
        for view, picture in zip(views, pictures, strict=True)
    ]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, lesion_views: Views) -> BreastReader:
    run = tmp_path_factory.mktemp("breast")
    options = FitOptions(steps=40, batch_size=8, learning_rate=5e-3, average_decay=0.9)
    fit_breast(BreastConfig(image_size=64, hidden=32), grey(lesion_views(16, seed=9)), options, run)
    return BreastReader.load(run / "breast.safetensors", "cpu")


@pytest.fixture(scope="module")
def calibration(reader: BreastReader, lesion_views: Views) -> BreastCalibration:
    return calibrate(reader.network, grey(lesion_views(40, seed=10)), grey(lesion_views(20, seed=11)))


@pytest.fixture(scope="module")
def task(reader: BreastReader, calibration: BreastCalibration) -> Breast:
    told = BreastReader(reader.network, calibration, reader.weights_hash, "cpu")
    return Breast(lambda: told)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where answers are written to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def spot(lesion_views: Views) -> BreastExample:
    return grey(lesion_views(1, seed=2))[0]


@pytest.fixture
def spot_file(spot: BreastExample, tmp_path: Path) -> Path:
    Image.fromarray(spot.image[..., 0]).save(tmp_path / "spot.png")
    return tmp_path / "spot.png"


def ask(task: Breast, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "breast", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def test_info_is_that_of_a_segmentation_model_of_the_lesion(task: Breast):
    info = task.info()
    assert (info["type"], info["labels"]) == ("segmentation", [LESION])
    json.dumps(info)


def test_an_ultrasound_gives_a_png_with_the_lesion_and_probabilities_that_sum_to_one(
    task: Breast, spot_file: Path, spot: BreastExample, reader: BreastReader
):
    path, result = ask(task, spot_file)
    mask = np.asarray(Image.open(path))
    assert path.suffix == ".png" and mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 1}
    assert dice(mask == 1, spot.mask) > 0.7
    assert result["label_names"] == {LESION: 1}
    assert result["vocabulary"][LESION]["type"]["value"] == "52988006"
    (structure,) = result["structures"]
    x0, x1, y0, y1, z0, z1 = structure["extent"]
    assert mask[y0:y1, x0:x1].sum() == mask.sum() == structure["voxels"] and (z0, z1) == (0, 1)
    assert set(result["diagnosis_probabilities"]) == {"normal", "benign", "malignant"}
    assert sum(result["diagnosis_probabilities"].values()) == pytest.approx(1, abs=1e-3)
    # It has seen nothing but benign spots.
    assert result["diagnosis"] == "benign" and not result["contradicts_itself"]
    assert result["weights_hash"] == reader.weights_hash
    assert not result["empty"] and set(result["latencies"]) >= {"read", "segment", "write", "total"}


def test_the_attention_picture_shows_where_it_looked(task: Breast, spot_file: Path, spot: BreastExample):
    path, result = ask(task, spot_file, map="attention")
    levels = np.asarray(Image.open(path))
    assert path.suffix == ".png" and levels.dtype == np.uint16 and result["map"] == "attention"
    assert levels[spot.mask].mean() > 3 * levels[~spot.mask].mean()
    path, _ = ask(task, spot_file, map="attention", result_extension=".nii.gz")
    stored = np.asarray(nibabel.load(path).dataobj)
    np.testing.assert_allclose(stored[:, :, 0].T * 65535, levels, atol=1)
    assert np.asarray(Image.open(ask(task, spot_file, map="confidence")[0])).min() > 0.45 * 65535


def test_a_segmentation_file_names_the_lesion_and_a_crop_holds_only_it(task: Breast, spot_file: Path):
    path, result = ask(task, spot_file, result_extension=".seg.nrrd", result="crop")
    (segment,) = read_segments(path)
    assert (segment.value, segment.name) == (1, "breast lesion")
    assert result["written_extent"] == result["extent"]


def test_a_grey_picture_of_something_else_is_flagged_and_an_uncalibrated_network_says_nothing(
    task: Breast, reader: BreastReader, spot_file: Path, tmp_path: Path
):
    y, x = np.mgrid[:48, :64]
    Image.fromarray((127 + 120 * np.sin(x / 3 + y / 5)).astype(np.uint8)).save(tmp_path / "waves.png")
    _, result = ask(task, tmp_path / "waves.png")
    assert result["out_of_domain"] and result["unsure"] and result["domain_distance"] > 1
    _, result = ask(Breast(lambda: reader), spot_file)
    assert result["out_of_domain"] is None and result["domain_distance"] is None


def test_a_picture_stored_in_colour_that_has_none_is_read(task: Breast, spot: BreastExample, tmp_path: Path):
    burned_in = spot.image.copy()
    burned_in[:4, :8] = (240, 200, 20)
    Image.fromarray(burned_in).save(tmp_path / "stored.png")
    path, _ = ask(task, tmp_path / "stored.png")
    assert dice(np.asarray(Image.open(path)) == 1, spot.mask) > 0.7


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"map": "entropy"}, "labels, confidence, attention"),
        ({"map": "attention", "save_label": True}, "cannot be saved"),
        ({"map": "attention", "result_extension": ".seg.nrrd"}, "is written as .png, .nii.gz"),
        ({"classes": ["liver"]}, "does not know the class 'liver'"),
        ({"foreground": [[30, 2]]}, "'foreground' is a prompt"),
        ({"roi": [1, 20, 1, 20]}, "use segsam for it"),
        ({"axis": 1}, "only one view"),
        ({"result_extension": ".jpg"}, "'result_extension'"),
        ({"window": "soft"}, "window"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(task: Breast, spot_file: Path, params: dict, told: str):
    with pytest.raises(HTTPException) as refused:
        task({"image": str(spot_file), **params})
    assert refused.value.status_code == 422
    assert told in refused.value.detail and refused.value.detail.endswith(".")


def test_what_is_no_ultrasound_is_refused(task: Breast, a_ct_file: Path, tmp_path: Path):
    Image.new("RGB", (40, 30), (222, 178, 150)).save(tmp_path / "skin.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "skin.png").read_bytes()[:60])
    for path, told in (
        (a_ct_file, "a CT image of 12 slices"),
        (tmp_path / "skin.png", "a picture in colours"),
        (tmp_path / "cut.png", "cut.png"),
        (tmp_path / "gone.png", "no such image"),
    ):
        with pytest.raises(HTTPException) as refused:
            task({"image": str(path)})
        assert refused.value.status_code == 422 and told in refused.value.detail


def test_a_job_is_told_when_it_is_done_and_stops_before_it_reads(task: Breast, spot_file: Path, reader: BreastReader):
    heard: list[tuple[int, int]] = []
    task.answer({"image": str(spot_file)}, lambda *progress: heard.append(progress))
    assert heard == [(0, 1), (1, 1)]
    with pytest.raises(Cancelled):
        task.answer({"image": str(spot_file)}, is_cancelled=lambda: True)
    # Nothing of it is left in the network, which other requests use.
    assert not reader.network.encoder._forward_pre_hooks
