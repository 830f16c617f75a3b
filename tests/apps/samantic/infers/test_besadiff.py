"""The infer task `besadiff` with a tiny segmenter that has learned to find dark spots."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.infers.besadiff import BesaDiff
from samantic.besadiff.doubt import SURE_FROM
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.imaging import read_segments
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor
from samantic.segsam.cancelling import Cancelled

LESION = "skin_lesion"


@pytest.fixture(scope="module")
def segmenter(a_trained_segmenter: Path) -> LesionSegmenter:
    return LesionSegmenter.load(a_trained_segmenter, "cpu")


@pytest.fixture(scope="module")
def task(segmenter: LesionSegmenter, small_encoder: str) -> BesaDiff:
    torch.manual_seed(1)
    network = SegSam(SegSamConfig(("liver", LESION), encoder=small_encoder, transformer_mlp_dim=64)).eval()
    predictor = SegSamPredictor(network, "clicks", device="cpu")
    return BesaDiff(lambda: segmenter, lambda: predictor)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where answers are written to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def spot(lesion_views: Callable[..., list[LabelledView]]) -> LabelledView:
    return lesion_views(1, seed=2)[0]


@pytest.fixture
def spot_file(spot: LabelledView, tmp_path: Path) -> Path:
    Image.fromarray(spot.image).save(tmp_path / "spot.png")
    return tmp_path / "spot.png"


def ask(task: BesaDiff, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "besadiff", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def test_info_is_that_of_a_segmentation_model_of_the_lesion(task: BesaDiff):
    info = task.info()
    assert (info["type"], info["labels"]) == ("segmentation", [LESION])
    json.dumps(info)


def test_a_photograph_gives_a_png_with_the_lesion_and_how_sure_it_is(
    task: BesaDiff, spot_file: Path, spot: LabelledView, segmenter: LesionSegmenter
):
    path, result = ask(task, spot_file)
    mask = np.asarray(Image.open(path))
    assert path.suffix == ".png" and mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 1}
    assert dice(mask == 1, spot.labels == 1) > 0.7
    assert result["label_names"] == {LESION: 1}
    assert result["vocabulary"][LESION]["type"] == {"scheme": "SCT", "value": "95324001", "meaning": "Skin lesion"}
    (structure,) = result["structures"]
    assert (structure["class"], structure["value"], structure["voxels"]) == (LESION, 1, int(mask.sum()))
    x0, x1, y0, y1, z0, z1 = structure["extent"]
    assert mask[y0:y1, x0:x1].sum() == mask.sum() and (z0, z1) == (0, 1)
    assert 0 < result["boundary_confidence"] <= 1 and 0 <= result["mean_variance"] <= 0.25
    assert (result["members"], result["steps"], result["seed"], result["coarse"]) == (5, 4, 0, None)
    assert result["unsure"] is (result["boundary_confidence"] < SURE_FROM)
    assert result["weights_hash"] == segmenter.weights_hash
    assert not result["empty"] and set(result["latencies"]) >= {"read", "segment", "write", "total"}


def test_the_uncertainty_is_the_members_variance_as_fractions_or_as_a_16_bit_png(
    task: BesaDiff, spot_file: Path, spot: LabelledView, segmenter: LesionSegmenter
):
    variance = segmenter.segment(spot.image, members=3, seed=7).variance
    asked = {"map": "uncertainty", "members": 3, "seed": 7, "refine": False}
    path, result = ask(task, spot_file, **asked)
    levels = np.asarray(Image.open(path))
    assert path.suffix == ".png" and levels.dtype == np.uint16 and result["map"] == "uncertainty"
    np.testing.assert_allclose(levels / 65535 * 0.25, variance, atol=1e-5)
    path, _ = ask(task, spot_file, **asked, result_extension=".nii.gz")
    stored = np.asarray(nibabel.load(path).dataobj)
    assert stored.dtype == np.float32
    np.testing.assert_allclose(stored[:, :, 0].T, variance, atol=1e-6)
    confidence, _ = ask(task, spot_file, map="confidence")
    assert np.asarray(Image.open(confidence)).min() > 0.3 * 65535


def test_segsam_redraws_the_mask_where_it_agrees_and_the_variance_stays(
    segmenter: LesionSegmenter, spot_file: Path, spot: LabelledView
):
    task = BesaDiff(lambda: segmenter, lambda: SegSamPredictor.from_bundled(device="cpu"))
    alone, refined = (ask(task, spot_file, refine=refine)[1] for refine in (False, True))
    assert (alone["refined"], refined["refined"]) == (False, True)
    assert dice(np.asarray(Image.open(ask(task, spot_file)[0])) == 1, spot.labels == 1) > 0.8
    maps = [np.asarray(Image.open(ask(task, spot_file, map="uncertainty", refine=on)[0])) for on in (False, True)]
    assert np.abs(maps[0].astype(int) - maps[1]).max() < 0.02 * 65535
    with pytest.raises(HTTPException, match="'refine' is 'perhaps', but it must be true or false"):
        ask(task, spot_file, refine="perhaps")


def test_the_same_seed_gives_the_same_answer_and_another_one_another(task: BesaDiff, spot_file: Path):
    first, second, other = (
        np.asarray(Image.open(ask(task, spot_file, map="uncertainty", seed=seed)[0])) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_a_segmentation_file_names_the_lesion_and_a_crop_holds_only_it(task: BesaDiff, spot_file: Path):
    path, result = ask(task, spot_file, result_extension=".seg.nrrd", result="crop")
    (segment,) = read_segments(path)
    assert (segment.value, segment.name) == (1, "skin lesion") and "95324001" in segment.terminology
    assert result["written_extent"] == result["extent"]


@pytest.mark.parametrize(
    "prompts",
    [
        {"foreground": [[30, 24]]},
        {"roi": [12, 50, 8, 40]},
        {"boxes": [[12, 50, 8, 40]], "background": [[2, 2]]},
        {LESION: [[30, 24]]},
    ],
)
def test_prompts_go_to_segsam_whose_mask_is_sharpened(
    task: BesaDiff, spot_file: Path, prompts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    sharpened = []
    sharpen = LesionSegmenter.sharpen

    def noted(self: LesionSegmenter, image: np.ndarray, coarse: np.ndarray, **options: Any) -> Any:
        sharpened.append((coarse, options))
        return sharpen(self, image, coarse, **options)

    monkeypatch.setattr(LesionSegmenter, "sharpen", noted)
    _, result = ask(task, spot_file, members=2, steps=3, seed=5, **prompts)
    ((coarse, options),) = sharpened
    assert coarse.shape == (48, 64) and coarse.any()
    assert options == {"members": 2, "steps": 3, "seed": 5}
    assert result["coarse"] == "prompt"


def test_a_drawn_mask_is_sharpened_as_it_is(
    task: BesaDiff, spot_file: Path, spot: LabelledView, temporary_folder: Path
):
    drawn = temporary_folder / "tmpabcd1234.png"
    rough = np.zeros((48, 64), np.uint8)
    y, x = np.argwhere(spot.labels).mean(axis=0).round().astype(int)
    rough[y - 9 : y + 9, x - 9 : x + 9] = 1
    Image.fromarray(rough).save(drawn)
    path, result = ask(task, spot_file, label=str(drawn))
    assert result["coarse"] == "mask"
    assert dice(np.asarray(Image.open(path)) == 1, spot.labels == 1) > 0.7


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"members": 0}, "'members' is 0, but it must be a whole number from 1 to 20"),
        ({"members": 21}, "1 to 20"),
        ({"steps": 51}, "'steps' is 51, but it must be a whole number from 1 to 50"),
        ({"steps": 2.5}, "'steps' is 2.5"),
        ({"seed": -1}, "'seed' is -1"),
        ({"seed": "many"}, "'seed' is"),
        ({"map": "entropy"}, "labels, confidence, uncertainty"),
        ({"map": "uncertainty", "save_label": True}, "cannot be saved"),
        ({"map": "uncertainty", "result_extension": ".seg.nrrd"}, "is written as .png, .nii.gz"),
        ({"classes": ["liver"]}, "does not know the class 'liver'"),
        ({"boxes": [[1, 20, 1, 20], [30, 50, 10, 40]]}, "one lesion a request"),
        ({"foreground": [[300, 2]]}, "outside the image"),
        ({"axis": 1}, "only one view"),
        ({"result_extension": ".jpg"}, "'result_extension'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(task: BesaDiff, spot_file: Path, params: dict, told: str):
    with pytest.raises(HTTPException) as refused:
        task({"image": str(spot_file), **params})
    assert refused.value.status_code == 422
    assert told in refused.value.detail and refused.value.detail.endswith(".")


def test_what_is_no_colour_photograph_is_refused(task: BesaDiff, a_ct_file: Path, tmp_path: Path):
    Image.new("L", (40, 30), 90).save(tmp_path / "gray.png")
    for path, told in ((a_ct_file, "a CT image of 12 slices"), (tmp_path / "gray.png", "a picture without colour")):
        with pytest.raises(HTTPException) as refused:
            task({"image": str(path)})
        assert refused.value.status_code == 422 and told in refused.value.detail
        assert "colour photographs of skin" in refused.value.detail


def test_a_job_hears_of_every_step_and_stops_between_two(task: BesaDiff, spot_file: Path, segmenter: LesionSegmenter):
    heard: list[tuple[int, int]] = []
    path, _ = task.answer(
        {"image": str(spot_file), "steps": 3, "refine": False}, lambda *progress: heard.append(progress)
    )
    assert path is not None and heard == [(0, 3), (1, 3), (2, 3), (3, 3)]
    heard.clear()
    with pytest.raises(Cancelled):
        task.answer(
            {"image": str(spot_file), "steps": 50}, lambda *progress: heard.append(progress), lambda: len(heard) > 1
        )
    assert len(heard) == 2
    # Nothing of it is left in the network, which other requests use.
    assert not segmenter.network._forward_pre_hooks


def test_a_picture_in_which_nothing_is_found_is_empty_and_unsure(task: BesaDiff, tmp_path: Path, monkeypatch):
    Image.new("RGB", (64, 48), (222, 178, 150)).save(tmp_path / "skin.png")
    segment = LesionSegmenter.segment

    def nothing(self: LesionSegmenter, image: np.ndarray, **options: Any) -> Any:
        answer = segment(self, image, **options)
        nowhere = np.zeros_like(answer.probability)
        return replace(answer, mask=nowhere > 0, probability=nowhere, boundary_confidence=0.0)

    monkeypatch.setattr(LesionSegmenter, "segment", nothing)
    path, result = ask(task, tmp_path / "skin.png", result="crop")
    assert result["empty"] and result["unsure"] and result["structures"] == [] and result["extent"] is None
    assert Image.open(path).size == (1, 1)
