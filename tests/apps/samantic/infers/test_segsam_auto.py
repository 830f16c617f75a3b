from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.infers.segsam_auto import SegSamAuto
from samantic.imaging import Volume, read_mask, read_segments, read_volume
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSam, SegSamConfig, SegSamPredictor
from samantic.segsam.cancelling import Cancelled
from samantic.segsam.training.fit import text_vectors

KNOWN = ("liver", "spleen", "kidney_left", "hippocampus_anterior", "hippocampus_posterior", "skin_lesion")
EVERYTHING = ("hippocampus_anterior", "hippocampus_posterior", "liver", "spleen", "kidney_left", "skin_lesion")


@pytest.fixture(scope="module")
def a_predictor() -> SegSamPredictor:
    """Untrained, with a head that takes everything for one class or another."""
    torch.manual_seed(4)
    config = SegSamConfig(KNOWN, image_size=64, prompt_free_width=8)
    network = SegSam(config, text_vectors(KNOWN))
    torch.nn.init.normal_(network.prompt_free_head.classes.weight, std=0.3)
    return SegSamPredictor(network, "hash of these weights", device="cpu")


@pytest.fixture(scope="module")
def task(a_predictor: SegSamPredictor) -> SegSamAuto:
    return SegSamAuto(lambda: a_predictor, EmbeddingCache(None))


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where answers are written to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def ask(task: SegSamAuto, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "segsam_auto", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def test_info_is_that_of_a_segmentation_model(task: SegSamAuto) -> None:
    info = task.info()
    assert (info["type"], info["dimension"], info["labels"]) == ("segmentation", 3, list(KNOWN))
    json.dumps(info)


def test_a_volume_without_any_parameter_gives_a_label_map_in_its_grid(
    task: SegSamAuto, a_ct_file: Path, a_volume: Volume
) -> None:
    path, result = ask(task, a_ct_file)
    mask = nibabel.load(path)
    labels = np.asarray(mask.dataobj)
    assert path.name.endswith(".nii.gz")
    assert labels.shape == a_volume.shape_ijk
    np.testing.assert_allclose(mask.affine, a_volume.affine, atol=1e-4)
    assert result["label_names"] == {EVERYTHING[value - 1]: value for value in np.unique(labels) if value}
    assert len(result["structures"]) >= 2
    for one in result["structures"]:
        assert one["voxels"] == (labels == one["value"]).sum()
        x0, x1, y0, y1, z0, z1 = one["extent"]
        assert (labels[x0:x1, y0:y1, z0:z1] == one["value"]).sum() == one["voxels"]
        assert one["predicted_class"] in KNOWN
    assert (result["proposals"], result["axes"], result["slice"]) == ("head", [2], None)
    assert (result["model"], result["weights_hash"], result["window"]) == ("segsam_auto", "hash of these weights", "ct")
    assert set(result["latencies"]) >= {"read", "segment", "write", "total"}


def test_values_follow_the_classes_asked_for(task: SegSamAuto, a_ct_file: Path) -> None:
    path, result = ask(task, a_ct_file, classes=["spleen", "Liver"], refine=False)
    assert result["label_names"] == {"spleen": 1, "liver": 2}
    assert set(np.unique(nibabel.load(path).dataobj)) <= {0, 1, 2}
    other, _ = ask(task, a_ct_file, classes="liver, spleen", refine=False)
    swapped = np.choose(np.asarray(nibabel.load(path).dataobj), (0, 2, 1))
    np.testing.assert_array_equal(np.asarray(nibabel.load(other).dataobj), swapped)


def test_a_photograph_gives_a_png_and_a_volume_what_the_client_asks_for(
    task: SegSamAuto, a_jpeg_file: Path, a_ct_file: Path
) -> None:
    path, result = ask(task, a_jpeg_file)
    assert path.suffix == ".png"
    assert Image.open(path).size == (60, 44)
    assert result["axes"] == [2]
    segments, result = ask(task, a_ct_file, result_extension=".seg.nrrd", result="crop", classes=["liver", "spleen"])
    assert {one.value for one in read_segments(segments)} == {1, 2}
    labels = read_mask(segments, read_volume(a_ct_file))
    assert [int((labels == one["value"]).sum()) for one in result["structures"]] == [
        one["voxels"] for one in result["structures"]
    ]
    assert result["written_extent"] == result["extent"]


def test_one_slice_may_be_asked_for(task: SegSamAuto, a_ct_file: Path) -> None:
    path, result = ask(task, a_ct_file, slice=0, axis=1)
    labels = np.asarray(nibabel.load(path).dataobj)
    assert (result["slice"], result["axes"]) == (0, [1])
    assert labels[:, 0].any()
    assert not labels[:, 1:].any()


@pytest.mark.parametrize("wanted", ["confidence", "uncertainty"])
def test_maps_come_on_request_as_fractions_in_the_images_grid(
    task: SegSamAuto, a_ct_file: Path, a_jpeg_file: Path, wanted: str
) -> None:
    for image in (a_ct_file, a_jpeg_file):
        path, result = ask(task, image, map=wanted)
        values = np.asarray(nibabel.load(path).dataobj)
        assert result["map"] == wanted
        assert values.shape == read_volume(image).shape_ijk
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert values.max() <= 1.001
        assert len(np.unique(values)) > 5


def test_clicks_find_the_embeddings_that_the_automatic_mode_left(a_predictor: SegSamPredictor, a_ct_file: Path) -> None:
    cache = EmbeddingCache(None)
    own = SegSamAuto(lambda: a_predictor, cache)
    own({"image": str(a_ct_file), "axis": 2})
    assert cache.statistics.computed == 12
    own({"image": str(a_ct_file), "axis": 2})
    assert cache.statistics.computed == 12


def test_the_next_request_is_answered_by_what_is_served_then(a_ct_file: Path, a_predictor: SegSamPredictor) -> None:
    newer = SegSamPredictor(a_predictor.network, "hash of newer weights", device="cpu")
    served = [a_predictor]
    own = SegSamAuto(lambda: served[-1])
    first = ask(own, a_ct_file, slice=3)[1]["weights_hash"]
    served.append(newer)
    assert (first, ask(own, a_ct_file, slice=3)[1]["weights_hash"]) == (a_predictor.weights_hash, newer.weights_hash)


def test_a_job_hears_of_every_slice_and_stops_it(task: SegSamAuto, a_ct_file: Path, temporary_folder: Path) -> None:
    heard: list[int] = []
    path, _ = task.answer({"image": str(a_ct_file)}, lambda done, _: heard.append(done), lambda: False)
    assert heard == list(range(1, 13))
    Path(str(path)).unlink()
    with pytest.raises(Cancelled):
        task.answer({"image": str(a_ct_file)}, lambda *_: None, lambda: True)
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"classes": ["livre"]}, "did you mean"),
        ({"classes": ["stomach"]}, "does not know the class 'stomach'"),
        ({"classes": ["liver", "liver"]}, "twice"),
        ({"classes": 7}, "list of class names"),
        ({"proposals": "oracle"}, "auto, head, grid"),
        ({"map": "entropy"}, "labels, confidence, uncertainty"),
        ({"map": "confidence", "save_label": True}, "cannot be saved"),
        ({"map": "confidence", "result_extension": ".png"}, ".png"),
        ({"refine": "perhaps"}, "true or false"),
        ({"axis": 3}, "0, 1 or 2"),
        ({"slice": 12}, "0 to 11"),
        ({"slice": "first"}, "0 to 11"),
        ({"grid_points": 100}, "1 to 32"),
        ({"window": "midday"}, "midday"),
        ({"result_extension": ".png"}, ".nii.gz"),
        ({"foreground": [[1, 2, 3]]}, "takes none"),
        ({"roi": [0, 4, 0, 4, 0, 4]}, "takes none"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_one_sentence(
    task: SegSamAuto, a_ct_file: Path, temporary_folder: Path, params: dict[str, Any], says: str
) -> None:
    with pytest.raises(HTTPException) as refusal:
        task({"image": str(a_ct_file), **params})
    assert refusal.value.status_code == 422
    assert says in refusal.value.detail
    assert refusal.value.detail.endswith((".", "?"))
    assert list(temporary_folder.iterdir()) == []


def test_a_model_without_a_head_says_so_when_the_head_is_asked_for(a_ct_file: Path) -> None:
    config = SegSamConfig(KNOWN, image_size=64)
    headless = SegSamPredictor(SegSam(config, text_vectors(KNOWN)), "hash", device="cpu")
    with pytest.raises(HTTPException, match="prompt-free head"):
        SegSamAuto(lambda: headless)({"image": str(a_ct_file), "proposals": "head"})


def test_an_empty_answer_is_no_error(a_ct_file: Path) -> None:
    config = SegSamConfig(KNOWN, image_size=64, prompt_free_width=8)
    network = SegSam(config, text_vectors(KNOWN))
    torch.nn.init.zeros_(network.prompt_free_head.classes.weight)
    network.prompt_free_head.classes.bias.data = torch.tensor([9.0] + [-9.0] * len(KNOWN))
    sees_nothing = SegSamAuto(lambda: SegSamPredictor(network, "hash", device="cpu"))
    path, result = ask(sees_nothing, a_ct_file, result="crop")
    assert result["empty"]
    assert result["label_names"] == {}
    assert result["extent"] is None
    assert not np.asarray(nibabel.load(path).dataobj).any()
