from __future__ import annotations

import itertools
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import nibabel
import nrrd
import numpy as np
import pytest
from fastapi import HTTPException
from PIL import Image

from samantic.app.lib.infers.segsam import SegSam, usual_cache
from samantic.imaging import Volume, read_mask, read_segments, read_volume
from samantic.sam import EmbeddingCache
from samantic.segsam import SegSamPredictor

CLICK = {"foreground": [[20, 18, 5]]}


@pytest.fixture(scope="module")
def a_predictor() -> SegSamPredictor:
    return SegSamPredictor.from_bundled()


@pytest.fixture
def a_cache(tmp_path: Path) -> Iterator[EmbeddingCache]:
    with EmbeddingCache(tmp_path / "embeddings") as cache:
        yield cache


@pytest.fixture
def task(a_predictor: SegSamPredictor, a_cache: EmbeddingCache) -> SegSam:
    return SegSam(a_predictor, a_cache)


@pytest.fixture(scope="module")
def a_box_drawer() -> SegSam:
    return SegSam(BoxDrawer.from_bundled(), None)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where answers are written to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def ask(task: SegSam, image: Path, **params: Any) -> tuple[Path, dict[str, Any]]:
    file, result = task({"image": str(image), "model": "segsam", **params})
    assert file is not None
    json.dumps(result, allow_nan=False)
    return Path(file), result


def test_info_is_what_the_stock_slicer_module_shows_as_smart_edit(task: SegSam) -> None:
    info = task.info()
    assert info["type"] == "deepgrow"
    assert info["dimension"] == 2
    assert "liver" in info["labels"]
    assert info["config"]["window"][0] == "auto"
    json.dumps(info)


def test_a_click_on_a_volume_gives_a_mask_in_its_grid(task: SegSam, a_ct_file: Path, a_volume: Volume) -> None:
    path, result = ask(task, a_ct_file, **CLICK, label="liver")
    mask = nibabel.load(path)
    labels = np.asarray(mask.dataobj)
    assert path.name.endswith(".nii.gz")
    assert mask.shape == a_volume.shape_ijk
    np.testing.assert_allclose(mask.affine, a_volume.affine, atol=1e-4)
    assert set(np.unique(labels)) <= {0, 1}
    assert not np.delete(labels, 5, axis=2).any()
    assert result["label_names"] == {"liver": 1}
    assert (result["slice"], result["axis"], result["model"]) == (5, 2, "segsam")


def test_the_answer_says_what_it_is_and_who_else_is_there(
    task: SegSam, a_ct_file: Path, a_predictor: SegSamPredictor
) -> None:
    _, result = ask(task, a_ct_file, **CLICK)
    assert set(result["class_probabilities"]) == set(a_predictor.class_names)
    assert sum(result["class_probabilities"].values()) == pytest.approx(1, abs=0.02)
    assert result["predicted_class"] == max(result["class_probabilities"], key=result["class_probabilities"].get)
    assert result["predicted_class"] not in result["presence"]
    assert 0 <= result["quality"] <= 1
    assert result["weights_hash"] == a_predictor.weights_hash
    assert set(result["latencies"]) == {"read", "window", "encode", "embedding", "decode", "write", "total"}
    assert result["latencies"]["total"] >= result["latencies"]["decode"] > 0


@pytest.mark.parametrize("sure", [True, False])
def test_the_answer_says_whether_its_names_are_sure(
    calibrated: Any, a_predictor: SegSamPredictor, a_ct_file: Path, sure: bool
) -> None:
    task = SegSam(calibrated(a_predictor, sure=sure), None)
    _, result = ask(task, a_ct_file, boxes=[[5, 20, 5, 35, 5, 6], [22, 40, 5, 35, 5, 6]])
    assert result["out_of_domain"] is False
    assert [one["unsure"] for one in result["objects"]] == [not sure, not sure]
    first = result["objects"][0]
    assert (result["unsure"], result["class_confidence"]) == (first["unsure"], first["class_confidence"])
    assert first["class_confidence"] == pytest.approx(max(first["class_probabilities"].values()))


def test_the_confidence_does_not_depend_on_the_candidates(
    calibrated: Any, a_predictor: SegSamPredictor, a_ct_file: Path
) -> None:
    _, result = ask(SegSam(calibrated(a_predictor), None), a_ct_file, **CLICK, classes=["spleen"])
    assert result["class_probabilities"] == {"spleen": 1.0}
    assert result["class_confidence"] < 0.9


def test_a_picture_unlike_all_training_pictures_is_called_so_and_its_names_are_unsure(
    calibrated: Any, a_predictor: SegSamPredictor, a_ct_file: Path
) -> None:
    _, result = ask(SegSam(calibrated(a_predictor, familiar=False), None), a_ct_file, **CLICK)
    assert (result["out_of_domain"], result["unsure"]) == (True, True)


def test_a_model_without_a_calibration_does_not_say_what_it_does_not_know(
    a_predictor: SegSamPredictor, a_ct_file: Path
) -> None:
    plain = SegSamPredictor(a_predictor.network, a_predictor.weights_hash, a_predictor.device)
    _, result = ask(SegSam(plain, None), a_ct_file, **CLICK)
    assert result["out_of_domain"] is None
    for answer in (result, result["objects"][0]):
        assert (answer["unsure"], answer["class_confidence"]) == (None, None)


def test_values_follow_the_order_of_the_classes(task: SegSam, a_ct_file: Path) -> None:
    path, result = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6], classes=["spleen", "liver", "kidney_left"])
    assert result["label_names"] == {"spleen": 1, "liver": 2, "kidney_left": 3}
    assert set(result["class_probabilities"]) == {"spleen", "liver", "kidney_left"}
    found = set(np.unique(np.asarray(nibabel.load(path).dataobj))) - {0}
    assert found == {result["label_names"][result["predicted_class"]]}


def test_points_per_label_give_one_value_per_label(task: SegSam, a_ct_file: Path) -> None:
    _, result = ask(task, a_ct_file, spleen=[[10, 10, 5]], liver=[[35, 30, 5]], background=[[1, 1, 5]])
    assert result["label_names"] == {"spleen": 1, "liver": 2}
    assert [(one["label"], one["value"]) for one in result["objects"]] == [("spleen", 1), ("liver", 2)]


def test_several_boxes_give_several_objects_with_names_of_their_own(task: SegSam, a_ct_file: Path) -> None:
    boxes = [[2, 20, 2, 20, 5, 6], [22, 44, 2, 20, 5, 6], [2, 44, 22, 38, 5, 6]]
    _, result = ask(task, a_ct_file, boxes=boxes)
    assert sorted(result["label_names"].values()) == [1, 2, 3]
    assert [one["value"] for one in result["objects"]] == [1, 2, 3]


def test_a_crop_holds_the_same_voxels_as_the_whole_at_the_same_place(
    task: SegSam, a_ct_file: Path, a_volume: Volume
) -> None:
    whole, full = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6])
    crop, cropped = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6], result="crop")
    assert full["written_extent"] == (0, 48, 0, 40, 0, 12)
    x0, x1, y0, y1, z0, z1 = cropped["written_extent"]
    assert cropped["extent"] == full["extent"] == (x0, x1, y0, y1, z0, z1)
    assert nibabel.load(crop).shape == (x1 - x0, y1 - y0, z1 - z0)
    np.testing.assert_allclose(nibabel.load(crop).affine[:3, 3], (a_volume.affine @ (x0, y0, z0, 1))[:3], atol=1e-3)
    np.testing.assert_array_equal(read_mask(crop, a_volume), read_mask(whole, a_volume))
    assert np.asarray(nibabel.load(crop).dataobj).any()


class BoxDrawer(SegSamPredictor):
    """Answers with exactly the prompted box, so that a test can say where every voxel must be."""

    def decode(self, features: Any, prompts: Any, classes: Any = None, multimask: bool = False) -> Any:
        predictions = super().decode(features, prompts, classes, multimask)
        drawn = []
        for one, prediction in zip(prompts, predictions, strict=True):
            x0, y0, x1, y1 = (int(bound) for bound in one.box_xyxy)
            mask = np.zeros(prediction.mask.shape, bool)
            mask[y0:y1, x0:x1] = True
            drawn.append(replace(prediction, mask=mask, mask_logits=np.where(mask, 5, -5).astype(np.float32)))
        return drawn


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_a_box_is_answered_where_it_lies_under_every_flip_permutation_and_axis(
    a_box_drawer: SegSam, tmp_path: Path, axis: int, signs: tuple[int, ...], order: tuple[int, ...]
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.diag(signs)[:, order]
    path = tmp_path / "block.nii"
    nibabel.save(nibabel.Nifti1Image(np.arange(20 * 16 * 12, dtype=np.int16).reshape(20, 16, 12), affine), path)
    expected = np.zeros((20, 16, 12), np.uint8)
    expected[3:9, 2:11, 4:7] = 1
    index = (6, 5, 5)[axis]
    expected *= np.isin(np.arange(expected.shape[axis]), [index]).reshape([-1 if n == axis else 1 for n in range(3)])
    for result in ("full", "crop"):
        file, answer = ask(a_box_drawer, path, roi=[3, 9, 2, 11, 4, 7], axis=axis, slice=index, result=result)
        np.testing.assert_array_equal(read_mask(file, read_volume(path)), expected)
    bounds = [3, 9, 2, 11, 4, 7]
    bounds[2 * axis : 2 * axis + 2] = index, index + 1
    assert list(answer["extent"]) == bounds


@pytest.mark.parametrize("extension", [".nii.gz", ".nii", ".nrrd", ".seg.nrrd", ".mha", "nrrd"])
def test_the_file_type_is_what_the_client_asks_for(
    task: SegSam, a_ct_file: Path, a_volume: Volume, extension: str
) -> None:
    usual, _ = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6])
    path, _ = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6], result_extension=extension, result_dtype="uint8")
    assert path.name.endswith(extension)
    np.testing.assert_array_equal(read_mask(path, a_volume), read_mask(usual, a_volume))


def test_the_voxel_type_is_what_the_client_asks_for(task: SegSam, a_ct_file: Path) -> None:
    for name in ("uint8", "uint16"):
        path, _ = ask(task, a_ct_file, **CLICK, result_extension=".nrrd", result_dtype=name, result_compress=False)
        data, header = nrrd.read(str(path))
        assert data.dtype == np.dtype(name)
        assert header["space"] == "left-posterior-superior"


def test_segments_carry_names_and_codes(task: SegSam, a_ct_file: Path) -> None:
    path, _ = ask(task, a_ct_file, **CLICK, classes=["spleen", "liver"], result_extension=".seg.nrrd")
    segments = read_segments(path)
    assert [(one.identifier, one.value) for one in segments] == [("spleen", 1), ("liver", 2)]
    assert "10200004" in (segments[1].terminology or "")


def test_a_segment_of_the_client_s_own_name_is_no_error(task: SegSam, a_ct_file: Path) -> None:
    path, result = ask(task, a_ct_file, **CLICK, label="Segment_1", result_extension=".seg.nrrd")
    assert result["label_names"] == {"Segment_1": 1}
    assert read_segments(path)[0].name == "Segment_1"


def test_the_mask_of_a_photograph_is_a_png_of_its_size(task: SegSam, a_jpeg_file: Path, a_photograph: Volume) -> None:
    path, result = ask(task, a_jpeg_file, foreground=[[20, 22]])
    picture = Image.open(path)
    assert path.suffix == ".png"
    assert picture.size == a_photograph.shape_ijk[:2]
    assert result["window"] == "rgb"
    other, _ = ask(task, a_jpeg_file, foreground=[[20, 22, 0]], result_extension=".nrrd")
    array, _ = nrrd.read(str(other))
    np.testing.assert_array_equal(np.asarray(picture).T, np.squeeze(array))


def test_a_box_in_a_photograph_is_answered_where_it_lies(a_box_drawer: SegSam, a_jpeg_file: Path) -> None:
    path, answer = ask(a_box_drawer, a_jpeg_file, roi=[10, 30, 5, 12])
    expected = np.zeros((44, 60), np.uint8)
    expected[5:12, 10:30] = 1
    np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)
    assert answer["extent"] == (10, 30, 5, 12, 0, 1)


def test_without_a_file_there_is_only_json(task: SegSam, a_ct_file: Path, temporary_folder: Path) -> None:
    file, result = task({"image": str(a_ct_file), **CLICK, "result_write_to_file": False})
    assert file is None
    assert "predicted_class" in result
    assert list(temporary_folder.iterdir()) == []


def test_multimask_adds_candidates_that_the_runs_rebuild(task: SegSam, a_ct_file: Path) -> None:
    _, result = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6], multimask=True)
    (candidates,) = result["candidates"]
    assert len(candidates) == 3
    for one in candidates:
        x0, x1, y0, y1, z0, z1 = one["extent"] or (0,) * 6
        assert sum(one["runs"]) == (x1 - x0) * (y1 - y0) * (z1 - z0)
    plain, _ = ask(task, a_ct_file, roi=[5, 40, 5, 35, 5, 6])
    assert "candidates" not in task({"image": str(a_ct_file), **CLICK})[1]
    assert plain.exists()


def test_the_second_click_on_a_slice_costs_no_encoder_pass_and_neighbours_are_prepared(
    task: SegSam, a_ct_file: Path, a_cache: EmbeddingCache
) -> None:
    assert ask(task, a_ct_file, **CLICK)[1]["embedding_source"] == "encoder"
    assert ask(task, a_ct_file, foreground=[[21, 18, 5]])[1]["embedding_source"] == "ram"
    assert a_cache.wait_for_prefetch(20)
    for index in (3, 4, 6, 7):
        assert ask(task, a_ct_file, foreground=[[20, 18, index]])[1]["embedding_source"] == "ram"


def test_another_window_is_another_embedding(task: SegSam, a_ct_file: Path) -> None:
    assert ask(task, a_ct_file, **CLICK, window="ct")[1]["embedding_source"] == "encoder"
    assert ask(task, a_ct_file, **CLICK, window="bone")[1]["embedding_source"] == "encoder"
    assert ask(task, a_ct_file, **CLICK, window="ct")[1]["embedding_source"] == "ram"


def test_a_new_process_finds_the_embedding_on_disk(
    a_predictor: SegSamPredictor, a_ct_file: Path, tmp_path: Path
) -> None:
    answers = []
    for _ in range(2):
        with EmbeddingCache(tmp_path / "kept") as cache:
            answers.append(ask(SegSam(a_predictor, cache), a_ct_file, **CLICK))
    (first, before), (second, after) = answers
    assert (before["embedding_source"], after["embedding_source"]) == ("encoder", "disk")
    np.testing.assert_array_equal(nibabel.load(first).dataobj, nibabel.load(second).dataobj)


def test_without_a_cache_every_click_is_an_encoder_pass(a_predictor: SegSamPredictor, a_ct_file: Path) -> None:
    task = SegSam(a_predictor, None)
    assert [ask(task, a_ct_file, **CLICK)[1]["embedding_source"] for _ in range(2)] == ["encoder", "encoder"]


def test_the_cache_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMANTIC_HOME", str(tmp_path))
    monkeypatch.setenv("SAMANTIC_EMBEDDING_CACHE", "off")
    assert usual_cache() is None
    monkeypatch.delenv("SAMANTIC_EMBEDDING_CACHE")
    assert usual_cache() is not None


def mask_of(answer: tuple[Path, dict[str, Any]]) -> bytes:
    return np.asarray(nibabel.load(answer[0]).dataobj).tobytes()


def test_refinement_is_one_s_own_and_repeating_a_request_repeats_its_answer(
    a_predictor: SegSamPredictor, a_cache: EmbeddingCache, a_ct_file: Path
) -> None:
    one, two = {"foreground": [[20, 18, 5]]}, {"foreground": [[20, 18, 5], [30, 25, 5]]}
    task = SegSam(a_predictor, a_cache)
    fresh = mask_of(ask(task, a_ct_file, **two, session="b"))
    first = mask_of(ask(task, a_ct_file, **one, session="a"))
    refined = mask_of(ask(task, a_ct_file, **two, session="a"))
    assert mask_of(ask(task, a_ct_file, **two, session="a")) == refined
    assert mask_of(ask(task, a_ct_file, **two, session="c")) == fresh
    assert mask_of(ask(task, a_ct_file, **two)) == fresh
    assert mask_of(ask(task, a_ct_file, **one, session="d")) == first
    assert mask_of(ask(task, a_ct_file, **two, session="a", reset_state=True)) == fresh


class StartRecorder(SegSamPredictor):
    """Notes which logits every object is refined from."""

    starts: ClassVar[list[Any]] = []

    def decode(self, features: Any, prompts: Any, classes: Any = None, multimask: bool = False) -> Any:
        self.starts.append([one.low_res_logits for one in prompts])
        return super().decode(features, prompts, classes, multimask)


def test_a_further_click_starts_from_the_logits_of_the_same_person_s_last_answer(a_ct_file: Path) -> None:
    predictor = StartRecorder.from_bundled()
    task = SegSam(predictor, None)
    two = [[20, 18, 5], [30, 25, 5]]
    ask(task, a_ct_file, foreground=two[:1], session="a")
    ask(task, a_ct_file, foreground=two, session="a")
    ask(task, a_ct_file, foreground=two, session="b")
    ask(task, a_ct_file, foreground=[[20, 18, 6], [30, 25, 6]], session="a")
    ask(task, a_ct_file, foreground=[*two, [31, 25, 5]], session="a", window="bone")
    ask(task, a_ct_file, foreground=two[1:], session="a")
    assert [starts[0] is not None for starts in predictor.starts] == [False, True, False, False, False, False]
    assert predictor.starts[1][0].logits.shape[0] == 1


def test_a_crop_also_holds_what_the_answer_before_had_drawn(task: SegSam, a_ct_file: Path) -> None:
    _, wide = ask(task, a_ct_file, roi=[2, 46, 2, 38, 5, 6], session="a", result="crop")
    _, narrow = ask(task, a_ct_file, roi=[10, 20, 10, 20, 5, 6], session="a", result="crop")
    _, stranger = ask(task, a_ct_file, roi=[10, 20, 10, 20, 5, 6], session="b", result="crop")
    lower, upper = np.array(narrow["written_extent"][::2]), np.array(narrow["written_extent"][1::2])
    assert (lower <= wide["extent"][::2]).all()
    assert (upper >= wide["extent"][1::2]).all()
    assert stranger["written_extent"] == stranger["extent"] == narrow["extent"]


def upload(folder: Path, volume: Volume, labels: np.ndarray) -> str:
    path = folder / "tmpq3x_9abz.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.uint8), volume.affine), path)
    return str(path)


def test_scribbles_of_the_stock_protocol_are_read_from_the_label_file(
    task: SegSam, a_ct_file: Path, a_volume: Volume, temporary_folder: Path
) -> None:
    labels = np.zeros(a_volume.shape_ijk)
    labels[10:20, 15, 5], labels[2, 2:30, 5] = 3, 2
    path = upload(temporary_folder, a_volume, labels)
    info = [{"name": "background_scribbles", "id": 2}, {"name": "foreground_scribbles", "id": 3}]
    for params in ({"label": path, "label_info": info}, {"label_file": path, "label": "liver", "scribbles": True}):
        _, result = ask(task, a_ct_file, **params)
        assert result["slice"] == 5
    assert result["label_names"] == {"liver": 1}


def test_an_existing_mask_is_a_prompt(task: SegSam, a_ct_file: Path, a_volume: Volume, temporary_folder: Path) -> None:
    labels = np.zeros(a_volume.shape_ijk)
    labels[12:30, 10:25, 7] = 1
    path = upload(temporary_folder, a_volume, labels)
    _, result = ask(task, a_ct_file, label_file=path)
    assert result["slice"] == 7
    _, refined = ask(task, a_ct_file, label_file=path, background=[[28, 23, 7]])
    assert refined["slice"] == 7


@pytest.mark.parametrize("fault", ["empty", "scribbles missing", "other grid", "not a mask"])
def test_a_label_file_that_cannot_be_used_is_refused(
    fault: str, task: SegSam, a_ct_file: Path, a_volume: Volume, temporary_folder: Path
) -> None:
    labels = np.zeros(a_volume.shape_ijk if fault != "other grid" else (99, 99, 99))
    labels[..., 5] = 0 if fault == "empty" else 1
    path = upload(temporary_folder, a_volume, labels)
    if fault == "not a mask":
        Path(path).write_bytes(b"GIF89a")
    with pytest.raises(HTTPException) as refused:
        task({"image": str(a_ct_file), "label_file": path, "scribbles": fault == "scribbles missing"})
    assert refused.value.status_code == 422


def test_only_a_file_that_came_with_the_request_is_opened_as_a_label(
    task: SegSam, a_ct_file: Path, tmp_path: Path, a_volume: Volume
) -> None:
    path = upload(tmp_path, a_volume, np.ones(a_volume.shape_ijk))
    _, result = ask(task, a_ct_file, **CLICK, label=path)
    assert result["label_names"] == {path: 1}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"foreground": [[20, 18, 99]]},
        {"foreground": [[20, 18]]},
        {**CLICK, "classes": ["livre"]},
        {**CLICK, "result": "half"},
        {**CLICK, "result_extension": ".jpg"},
        {**CLICK, "result_extension": ".png"},
        {**CLICK, "result_dtype": "complex64"},
        {**CLICK, "window": "sunny"},
        {**CLICK, "window": "rgb"},
        {**CLICK, "image": ""},
        {**CLICK, "image": "/no/such/file.nii.gz"},
        {**CLICK, "image": 7},
        {**CLICK, "slice": 4},
    ],
)
def test_a_bad_request_is_a_422_with_one_sentence_and_leaves_nothing_behind(
    params: dict[str, Any], task: SegSam, a_ct_file: Path, temporary_folder: Path
) -> None:
    with pytest.raises(HTTPException) as refused:
        task({"image": str(a_ct_file), **params})
    assert refused.value.status_code == 422
    detail = str(refused.value.detail)
    assert "\n" not in detail
    assert detail[0] in "'" or detail[0].isupper()
    assert detail.endswith((".", "?"))
    assert list(temporary_folder.iterdir()) == []
    assert ask(task, a_ct_file, **CLICK)[1]["predicted_class"]


def test_eight_threads_get_the_answers_that_each_would_get_alone(task: SegSam, a_ct_file: Path) -> None:
    requests = [{"foreground": [[10 + 3 * n, 12 + 2 * n, n % 4]]} for n in range(8)]
    alone = [mask_of(ask(task, a_ct_file, **params)) for params in requests]
    wrong: list[int] = []
    model_threads = sum(thread.name.startswith("segsam-") for thread in threading.enumerate())

    def click(number: int) -> None:
        for _ in range(3):
            if mask_of(ask(task, a_ct_file, **requests[number], session=str(number))) != alone[number]:
                wrong.append(number)

    threads = [threading.Thread(target=click, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sum(thread.name.startswith("segsam-") for thread in threading.enumerate()) <= model_threads


def test_the_image_may_be_a_folder_with_a_dicom_series(task: SegSam) -> None:
    import os

    data = os.environ.get("SAMANTIC_DATA")
    if not data:
        pytest.skip("SAMANTIC_DATA is not set: the DICOM series of the public sets is needed")
    folder = next(Path(data, "totalsegmentator").glob("example_ct_dicom*"))
    volume = read_volume(folder)
    path, _ = ask(task, folder, foreground=[[256, 256, 10]], result="full")
    assert nibabel.load(path).shape == volume.shape_ijk
