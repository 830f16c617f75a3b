"""The extension's client against a real `samantic serve`: what a person does from the first look to the label."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests
from PIL import Image
from SamanticLib.answers import JobState
from SamanticLib.cancellation import Cancellation, working_under
from SamanticLib.client import SamanticClient
from SamanticLib.errors import Cancelled, RequestRefused, SamanticError
from SamanticLib.label_files import write_label

A_CLICK = {"foreground": [[22, 30, 12]]}
CT_SHAPE, CT_AFFINE = (64, 64, 24), np.diag([-1.5, -1.5, 3.0, 1.0])


@pytest.fixture(scope="module")
def a_served_study(start_server: Callable[..., Any]) -> Any:
    """A server with the models that click and the one for lesions."""
    return start_server(conf={"models": "segsam,besadiff"})


@pytest.fixture
def a_client(a_served_study: Any, request: pytest.FixtureRequest) -> SamanticClient:
    return SamanticClient(a_served_study.url, client_id=request.node.name[:60])


@pytest.fixture
def no_label_after(a_served_study: Any) -> Iterator[None]:
    yield
    for image in ("ct", "lesion"):
        requests.delete(f"{a_served_study.url}/datastore/label?id={image}&tag=final", timeout=30)


def whole(server: Any, model: str, image: str, client: str, **params: Any) -> np.ndarray:
    """The mask of the same request as a file in the whole grid, read by somebody else."""
    params |= {"client_id": client, "result_extension": ".nii"}
    answer = requests.post(
        f"{server.url}/infer/{model}?image={image}&output=image", data={"params": json.dumps(params)}, timeout=300
    )
    assert answer.status_code == 200, answer.text
    return np.asarray(nibabel.Nifti1Image.from_bytes(answer.content).dataobj)


def pasted(shape: tuple[int, int, int], mask: np.ndarray, extent: tuple[int, ...] | None) -> np.ndarray:
    assert extent is not None
    i0, i1, j0, j1, k0, k1 = extent
    labels = np.zeros(shape, np.uint8)
    labels[i0:i1, j0:j1, k0:k1] = mask
    return labels


def test_the_server_introduces_itself(a_client: SamanticClient) -> None:
    info = a_client.info()
    assert info.name == "Samantic"
    assert {"segsam", "segsam_auto", "besadiff"} <= set(info.models)
    assert info.models["segsam"].interactive and info.models["segsam"].trainable
    assert not info.models["segsam_auto"].interactive
    assert "liver" in info.models["segsam"].labels
    assert {"random", "hybrid"} <= set(info.strategies)
    assert a_client.login_needed() is False


def test_the_vocabulary_has_codes_and_colours_for_every_class_of_a_model(a_client: SamanticClient) -> None:
    known = {entry.name: entry for entry in a_client.vocabulary("segsam")}
    assert set(known) <= set(a_client.info().models["segsam"].labels)
    assert (known["liver"].label, known["liver"].code.type.value, known["liver"].rgb) == (
        "liver",
        "10200004",
        (40, 140, 40),
    )
    assert len(a_client.vocabulary()) > len(known) > 10


def test_images_are_listed_and_come_byte_for_byte(
    a_client: SamanticClient, a_served_study: Any, tmp_path: Path
) -> None:
    images = [image.image_id for image in a_client.images()]
    assert {"ct", "lesion", "scan"} <= set(images) and len(images) == 4
    for image, name in (("ct", "ct.nii.gz"), ("lesion", "lesion.jpg")):
        path = a_client.download_image(image, tmp_path)
        assert path == tmp_path / name
        assert path.read_bytes() == (a_served_study.studies / name).read_bytes()
    series = a_client.download_image(next(image for image in images if image.startswith("series")), tmp_path)
    assert nibabel.load(series).shape == (64, 64, 12)


def test_a_click_gives_the_voxels_of_the_whole_mask_where_they_belong(
    a_client: SamanticClient, a_served_study: Any
) -> None:
    answer = a_client.segment("segsam", "ct", A_CLICK)
    assert answer.mask[22 - answer.extent_ijk[0], 30 - answer.extent_ijk[2], 12 - answer.extent_ijk[4]] == 1
    expected = whole(a_served_study, "segsam", "ct", "somebody else", **A_CLICK)
    np.testing.assert_array_equal(pasted(CT_SHAPE, answer.mask, answer.extent_ijk), expected)
    corner = np.array([answer.extent_ijk[0], answer.extent_ijk[2], answer.extent_ijk[4], 1])
    np.testing.assert_allclose(answer.ijk_to_ras @ [0, 0, 0, 1], CT_AFFINE @ corner, atol=1e-3)
    assert answer.predicted_class in answer.label_names and answer.presence
    assert (answer.slice, answer.axis, answer.model) == (12, 2, "segsam")
    assert answer.latencies["total"] > 0 and len(answer.weights_hash) > 8


def test_a_second_click_refines_and_its_crop_clears_what_the_first_one_drew(
    a_client: SamanticClient, a_served_study: Any
) -> None:
    first = a_client.segment("segsam", "ct", A_CLICK)
    more = {**A_CLICK, "background": [[43, 34, 12], [22, 24, 12]]}
    second = a_client.segment("segsam", "ct", more)
    shown = pasted(CT_SHAPE, first.mask, first.extent_ijk)
    i0, i1, j0, j1, k0, k1 = second.extent_ijk
    shown[i0:i1, j0:j1, k0:k1] = second.mask
    expected = whole(a_served_study, "segsam", "ct", a_client.client_id, **more)
    np.testing.assert_array_equal(shown, expected)


def test_scribbles_go_as_a_label_file(a_client: SamanticClient, tmp_path: Path) -> None:
    scribbles = np.zeros(CT_SHAPE, np.uint8)
    scribbles[16:28, 30, 12], scribbles[3:60, 4, 12] = 3, 2
    file = write_label(tmp_path / "scribbles.nrrd", scribbles, CT_AFFINE)
    answer = a_client.segment("segsam", "ct", {"scribbles": True}, file)
    drawn = pasted(CT_SHAPE, answer.mask, answer.extent_ijk)
    assert drawn[18:26, 30, 12].mean() > 0.5 and not drawn[3:60, 4, 12].any()


def test_a_photograph_is_one_slice_with_x_first(a_client: SamanticClient, a_served_study: Any) -> None:
    answer = a_client.segment("segsam", "lesion", {"foreground": [[30, 22]]})
    expected = whole(a_served_study, "segsam", "lesion", "somebody else", foreground=[[30, 22]])
    np.testing.assert_array_equal(pasted((64, 48, 1), answer.mask, answer.extent_ijk), expected.reshape(64, 48, 1))


def test_what_cannot_be_asked_is_the_servers_sentence(a_client: SamanticClient) -> None:
    with pytest.raises(RequestRefused, match=r"outside the image; allowed is 0 to 23"):
        a_client.segment("segsam", "ct", {"foreground": [[22, 30, 99]]})
    with pytest.raises(RequestRefused, match="nothing-of-that-name") as refused:
        a_client.segment("segsam", "nothing-of-that-name", A_CLICK)
    assert refused.value.status == 404


def test_a_lesion_comes_with_how_sure_its_border_is_and_a_map_of_it(a_client: SamanticClient) -> None:
    answer = a_client.segment("besadiff", "lesion", {"members": 2, "steps": 2})
    assert 0 <= answer.boundary_confidence <= 1 and answer.unsure in (True, False)
    found = a_client.uncertainty("lesion", "besadiff", members=2, steps=2)
    assert found.values.shape == (64, 48, 1) and found.largest == 0.25
    assert found.values.max() <= 0.25 + 1e-4


def test_a_slice_without_a_click_comes_with_a_map_of_uncertainty(a_client: SamanticClient) -> None:
    found = a_client.uncertainty("ct", slice=12, grid_points=2)
    assert found.values.shape == CT_SHAPE and found.values.dtype == np.float32
    assert 0 <= found.values.min() <= found.values.max() <= 1 and found.values[:, :, 12].any()


def test_an_object_is_followed_through_the_volume_with_progress(a_client: SamanticClient, a_served_study: Any) -> None:
    states: list[JobState] = []
    job = a_client.start_job("propagation", "ct", {**A_CLICK, "propagate": "up"})
    ended = a_client.follow_job(job.id, states.append)
    assert ended.state == "done" and ended.has_file and ended.total > 0
    assert [state.done for state in states] == sorted(state.done for state in states)
    answer = a_client.job_answer(job.id)
    expected = whole(a_served_study, "segsam", "ct", "somebody else", **A_CLICK, propagate="up")
    np.testing.assert_array_equal(pasted(CT_SHAPE, answer.mask, answer.extent_ijk), expected)
    assert answer.propagation["slices"] and answer.image_id == "ct"
    assert [one.id for one in a_client.jobs()] == [job.id]
    a_client.cancel_job(job.id)
    assert a_client.jobs() == ()


def test_a_job_is_cancelled_within_a_second_of_the_person_saying_so(a_client: SamanticClient) -> None:
    cancellation, running, ended = Cancellation(), threading.Event(), []
    job = a_client.start_job("propagation", "ct", {**A_CLICK, "propagate": "both", "axis": 0})

    def follow() -> None:
        with working_under(cancellation), pytest.raises((Cancelled, SamanticError)):
            a_client.follow_job(job.id, lambda _: running.set())
        ended.append(time.monotonic())

    following = threading.Thread(target=follow)
    following.start()
    assert running.wait(60)
    asked = time.monotonic()
    cancellation.cancel()
    following.join(30)
    assert ended[0] - asked < 2  # far less on an idle machine
    with pytest.raises(RequestRefused):
        a_client.job(job.id)


@pytest.mark.usefixtures("no_label_after")
def test_a_label_of_a_volume_is_kept_voxel_for_voxel_with_how_it_was_made(
    a_client: SamanticClient, a_served_study: Any, tmp_path: Path
) -> None:
    answer = a_client.segment("segsam", "ct", A_CLICK)
    labels = 7 * pasted(CT_SHAPE, answer.mask, answer.extent_ijk)
    file = write_label(tmp_path / "mine.nrrd", labels, CT_AFFINE)
    a_client.submit_label("ct", file, {"liver": 7}, {"seconds": 41.5})
    found = requests.get(f"{a_served_study.url}/datastore/label?label=ct&tag=final", timeout=30)
    kept = tmp_path / "kept.nrrd"
    kept.write_bytes(found.content)
    assert found.content == file.read_bytes()
    notes = requests.get(f"{a_served_study.url}/datastore/label/info?label=ct&tag=final", timeout=30).json()
    record = notes["provenance"]
    assert record["client"] == {"seconds": 41.5}
    assert record["who"]["client_id"] == a_client.client_id
    assert [(entry["name"], entry["value"]) for entry in record["classes"]] == [("liver", 7)]
    assert record["draft"]["edited"] is False and record["draft"]["clicks"] == 1
    assert {image.image_id for image in a_client.images() if image.labelled} == {"ct"}


@pytest.mark.usefixtures("no_label_after")
def test_a_label_of_a_photograph_is_kept_pixel_for_pixel(
    a_client: SamanticClient, a_served_study: Any, tmp_path: Path
) -> None:
    labels = np.zeros((64, 48, 1), np.uint8)
    labels[20:40, 12:33] = 1
    a_client.submit_label("lesion", write_label(tmp_path / "mine.png", labels), {"skin_lesion": 1})
    found = requests.get(f"{a_served_study.url}/datastore/label?label=lesion&tag=final", timeout=30)
    (tmp_path / "kept.png").write_bytes(found.content)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "kept.png")).T[:, :, None], labels)


def test_a_label_in_another_grid_is_refused_and_stays_where_it_is(a_client: SamanticClient, tmp_path: Path) -> None:
    file = write_label(tmp_path / "mine.nrrd", np.ones((64, 64, 24), np.uint8), np.diag([1.0, 1.0, 3.0, 1.0]))
    with pytest.raises(RequestRefused, match="resample the mask to the image first") as refused:
        a_client.submit_label("ct", file, {"liver": 1})
    assert f"The label is safe in '{file}'" in str(refused.value) and file.is_file()
    assert not any(image.labelled for image in a_client.images())


def test_two_people_are_given_two_images_and_what_is_given_back_is_free_again(
    a_client: SamanticClient, a_served_study: Any
) -> None:
    other = SamanticClient(a_served_study.url, client_id="somebody at the next desk")
    mine, theirs = a_client.next_sample("first"), other.next_sample("first")
    assert mine.image_id and theirs.image_id and mine.image_id != theirs.image_id
    assert "unlabelled images" in mine.reason and mine.lease_seconds == 1800
    with pytest.raises(RequestRefused, match="holds no lease"):
        other.give_back(mine.image_id)
    a_client.give_back(mine.image_id)
    other.give_back(theirs.image_id)
    assert other.next_sample("first").image_id == mine.image_id
    other.give_back(mine.image_id)


def test_an_image_is_added_and_can_be_clicked_on(a_client: SamanticClient, a_served_study: Any, tmp_path: Path) -> None:
    voxels = np.random.default_rng(3).normal(0, 100, (32, 24, 10)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([-1.0, -1.0, 2.0, 1.0])), tmp_path / "mine.nii.gz")
    try:
        assert a_client.upload_image(tmp_path / "mine.nii.gz", "added") == "added"
        assert "added" in {image.image_id for image in a_client.images()}
        assert a_client.download_image("added", tmp_path).read_bytes() == (tmp_path / "mine.nii.gz").read_bytes()
        assert a_client.segment("segsam", "added", {"foreground": [[12, 12, 4]]}).image_id == "added"
    finally:
        requests.delete(f"{a_served_study.url}/datastore/image?id=added", timeout=30)


def test_a_training_that_cannot_begin_says_why_and_none_is_a_state(a_client: SamanticClient) -> None:
    assert a_client.training().state == "none"
    with pytest.raises(RequestRefused, match="A training has no parameter 'epoch'"):
        a_client.train("segsam", epoch=1)
    with pytest.raises(RequestRefused, match="no image has a final label"):
        a_client.train("segsam")
    assert a_client.stop_training().state == "none"
    assert [(one.version, one.is_served) for one in a_client.versions("segsam")] == [("bundled", True)]
