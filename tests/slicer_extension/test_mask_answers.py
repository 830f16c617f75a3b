"""A mask is taken only where everything that is said of it fits: size, place, values, image."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from requests_toolbelt import MultipartEncoder
from SamanticLib.answers import SegmentAnswer
from SamanticLib.client import SamanticClient
from SamanticLib.errors import BadAnswer, SamanticError
from SamanticLib.mask_answers import check_lies_on
from tests.slicer_extension.servers import Server, answers, answers_json, answers_mask, cuts, nrrd, running

EXTENT = [14, 19, 22, 26, 12, 13]


def a_mask() -> np.ndarray:
    """(5, 4, 1): something in every border row, so that its bounds are its size."""
    mask = np.zeros((5, 4, 1), np.uint8)
    mask[0, 1], mask[4, 2], mask[2, 0], mask[2, 3] = 1, 1, 1, 1
    return mask


def a_result(**changed: Any) -> dict[str, Any]:
    result = {
        "label_names": {"liver": 1},
        "predicted_class": "liver",
        "class_confidence": 0.78,
        "unsure": True,
        "class_probabilities": {"liver": 0.81, "spleen": 0.07},
        "presence": {"spleen": 0.64},
        "quality": 0.87,
        "out_of_domain": None,
        "extent": EXTENT,
        "written_extent": EXTENT,
        "empty": False,
        "slice": 12,
        "axis": 2,
        "model": "segsam",
        "weights_hash": "9f2c",
        "latencies": {"total": 16.8},
    }
    return {**result, **changed}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers_mask(a_result(), nrrd(a_mask()))) as server:
        yield server


@pytest.fixture
def a_client(a_server: Server) -> SamanticClient:
    return SamanticClient(a_server.url, client_id="reader-1", read_timeout_s=10)


def test_a_click_asks_for_a_crop_and_gives_a_mask_with_its_place_and_everything_said_of_it(
    a_server: Server, a_client: SamanticClient
) -> None:
    answer = a_client.segment("segsam", "ct", {"foreground": [[16, 24, 12]], "result": "full"})
    asked = a_server.last
    assert (asked.method, asked.path) == ("POST", "/infer/segsam")
    assert (asked.query["image"], asked.query["output"]) == ("ct", "all")
    assert asked.params == {
        "client_id": "reader-1",
        "foreground": [[16, 24, 12]],
        "result": "crop",
        "result_extension": ".nrrd",
        "result_write_to_file": True,
    }
    np.testing.assert_array_equal(answer.mask, a_mask())
    assert answer.extent_ijk == tuple(EXTENT) and not answer.empty
    assert (answer.predicted_class, answer.class_confidence, answer.unsure) == ("liver", 0.78, True)
    assert answer.out_of_domain is None and answer.presence == {"spleen": 0.64}
    assert (answer.slice, answer.axis, answer.quality) == (12, 2, 0.87)
    assert (answer.model, answer.weights_hash, answer.image_id) == ("segsam", "9f2c", "ct")
    assert answer.latencies == {"total": 16.8}


def test_a_crop_may_be_larger_than_what_is_drawn_so_that_pasting_clears_what_was_there(
    a_server: Server, a_client: SamanticClient
) -> None:
    mask = np.zeros((10, 10, 1), np.uint8)
    mask[4:9, 2:6] = a_mask()
    a_server.behaviour = answers_mask(a_result(written_extent=[10, 20, 20, 30, 12, 13]), nrrd(mask))
    answer = a_client.segment("segsam", "ct", {})
    assert answer.extent_ijk == (10, 20, 20, 30, 12, 13)
    np.testing.assert_array_equal(answer.mask, mask)


def test_nothing_found_is_a_mask_without_voxels(a_server: Server, a_client: SamanticClient) -> None:
    nothing = a_result(extent=None, written_extent=None, empty=True)
    a_server.behaviour = answers_mask(nothing, nrrd(np.zeros((1, 1, 1), np.uint8)))
    answer = a_client.segment("segsam", "ct", {})
    assert answer.empty and answer.extent_ijk is None and answer.mask.shape == (0, 0, 0)


def test_nothing_found_where_something_was_before_clears_it(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_mask(a_result(extent=None, empty=True), nrrd(np.zeros((5, 4, 1), np.uint8)))
    answer = a_client.segment("segsam", "ct", {})
    assert answer.empty and answer.extent_ijk == tuple(EXTENT) and not answer.mask.any()


def test_alternatives_of_an_ambiguous_click_become_masks(a_server: Server, a_client: SamanticClient) -> None:
    runs = {"quality": 0.4, "extent": [14, 16, 22, 24, 12, 13], "runs": [1, 2, 1]}
    candidates = [[runs, {"quality": 0.1, "extent": None, "runs": []}]]
    a_server.behaviour = answers_mask(a_result(candidates=candidates), nrrd(a_mask()))
    first, second = a_client.segment("segsam", "ct", {"multimask": True}).candidates
    np.testing.assert_array_equal(first.mask[:, :, 0], [[False, True], [True, False]])
    assert first.extent_ijk == (14, 16, 22, 24, 12, 13)
    assert (second.mask.size, second.quality) == (0, 0.1)


def test_besadiff_says_how_sure_it_is_of_the_border(a_server: Server, a_client: SamanticClient) -> None:
    structure = {"class": "skin_lesion", "value": 1, "voxels": 4, "extent": EXTENT, "confidence": 0.97}
    result = a_result(label_names={"skin_lesion": 1}, boundary_confidence=0.91, structures=[structure])
    a_server.behaviour = answers_mask(result, nrrd(a_mask()))
    answer = a_client.segment("besadiff", "mole", {})
    assert answer.boundary_confidence == 0.91
    assert (answer.structures[0].class_name, answer.structures[0].confidence) == ("skin_lesion", 0.97)


def shifted() -> np.ndarray:
    mask = np.zeros((5, 4, 1), np.uint8)
    mask[1:, :] = a_mask()[:-1]
    return mask


@pytest.mark.parametrize(
    ("result", "file", "said"),
    [
        (a_result(), nrrd(a_mask().transpose(1, 0, 2)), "5 x 4 x 1 voxels was to come, but one of 4 x 5 x 1"),
        (a_result(), nrrd(np.zeros((64, 64, 24), np.uint8)), "one of 64 x 64 x 24 came"),
        (a_result(), nrrd(a_mask(), sizes="10000 10000 10000"), "one of 10000 x 10000 x 10000 came"),
        (
            a_result(extent=[0, 10000] * 3, written_extent=[0, 10000] * 3),
            nrrd(a_mask(), sizes="10000 10000 10000"),
            "more than is read",
        ),
        (a_result(), nrrd(a_mask(), sizes="999999999999 1 1"), "one of 999999999999 x 1 x 1 came"),
        (a_result(), b"<html>", "no NRRD file"),
        (a_result(), nrrd(a_mask().astype(np.float32)), "fractions"),
        (a_result(), nrrd(shifted()), r"drew in the voxels \[14, 19, 22, 26, 12, 13\], but its mask does in"),
        (a_result(), nrrd(np.zeros((5, 4, 1), np.uint8)), "but its mask does in no voxel"),
        (a_result(extent=None), nrrd(a_mask()), "drew in no voxel, but its mask"),
        (a_result(), nrrd(a_mask() * 3), "holds the value 3, which the answer does not name"),
        (a_result(label_names={"liver": 0}), nrrd(a_mask()), "which cannot be"),
        (a_result(label_names={"liver": 1, "spleen": 1}), nrrd(a_mask()), "which cannot be"),
        (a_result(label_names={"liver": "one"}), nrrd(a_mask()), "a whole number as 'liver' but sent 'one'"),
        (a_result(image="another"), nrrd(a_mask()), "about the image 'another', not about 'ct'"),
        (a_result(written_extent=[14, 19, 22]), nrrd(a_mask()), "six voxel bounds"),
        (a_result(written_extent=[19, 14, 22, 26, 12, 13]), nrrd(a_mask()), "six voxel bounds"),
        (a_result(written_extent=[-5, 0, 22, 26, 12, 13]), nrrd(a_mask()), "six voxel bounds"),
        (a_result(written_extent=[14.5, 19, 22, 26, 12, 13]), nrrd(a_mask()), "six voxel bounds"),
        (a_result(quality="good"), nrrd(a_mask()), "a number as 'quality' but sent 'good'"),
        (a_result(unsure="yes"), nrrd(a_mask()), "true or false as 'unsure'"),
        (a_result(presence=[1]), nrrd(a_mask()), "a JSON object but sent a list"),
        (a_result(candidates=[[{"quality": 1, "extent": EXTENT, "runs": [1]}]]), nrrd(a_mask()), "do not fill"),
        ([], nrrd(a_mask()), "a JSON object but sent a list"),
        ({"label_names": {}}, nrrd(a_mask()), "'written_extent' is missing"),
    ],
)
def test_an_answer_that_contradicts_itself_is_not_used(
    a_server: Server, a_client: SamanticClient, result: Any, file: bytes, said: str
) -> None:
    a_server.behaviour = answers_mask(result, file)
    with pytest.raises(BadAnswer, match=said):
        a_client.segment("segsam", "ct", {})
    a_server.behaviour = answers_mask(a_result(), nrrd(a_mask()))
    assert not a_client.segment("segsam", "ct", {}).empty


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (answers_json(a_result()), "without a mask"),
        (answers(b"hello", "multipart/form-data"), "without what separates its parts"),
        (answers(b"hello", "multipart/form-data; boundary=x"), "without its end"),
        (answers(b"--x\r\n\r\nhello\r\n--x", "multipart/form-data; boundary=x"), "without its end"),
        (answers(b"--x\r\n\r\nhello\r\n--x--\r\n", "multipart/form-data; boundary=x"), "cannot be told"),
        (
            answers(b'--x\r\nA: b; name="params"\r\n\r\n{}\r\n--x--\r\n', "multipart/form-data; boundary=x"),
            "has the parts params; 'params' and 'image'",
        ),
    ],
)
def test_an_answer_without_its_parts_is_not_used(
    a_server: Server, a_client: SamanticClient, behaviour: Any, said: str
) -> None:
    a_server.behaviour = behaviour
    with pytest.raises(BadAnswer, match=said):
        a_client.segment("segsam", "ct", {})


def test_an_answer_cut_at_any_byte_gives_no_mask(a_server: Server, a_client: SamanticClient) -> None:
    encoder = MultipartEncoder({"params": "{}", "image": ("a.nrrd", nrrd(a_mask()), "application/octet-stream")})
    content = encoder.to_string()
    for after in np.random.default_rng(1).integers(0, len(content), 12):
        a_server.behaviour = cuts(content, int(after), encoder.content_type)
        with pytest.raises(SamanticError):
            a_client.segment("segsam", "ct", {})


def test_a_map_is_of_fractions_over_the_whole_image(a_server: Server, a_client: SamanticClient) -> None:
    values = np.random.default_rng(3).random((5, 4, 1)).astype(np.float32)
    result = a_result(map="uncertainty", written_extent=[0, 5, 0, 4, 0, 1])
    a_server.behaviour = answers_mask(result, nrrd(values))
    found = a_client.uncertainty("ct", classes=["liver"])
    asked = a_server.last
    assert asked.path == "/infer/segsam_auto"
    assert (asked.params["map"], asked.params["result_extension"]) == ("uncertainty", ".nrrd")
    assert (found.extent_ijk, found.largest) == ((0, 5, 0, 4, 0, 1), 1.0)
    np.testing.assert_array_equal(found.values, values)


def test_the_variance_of_an_ensemble_ends_at_a_quarter(a_server: Server, a_client: SamanticClient) -> None:
    result = a_result(map="uncertainty", mean_variance=0.01)
    a_server.behaviour = answers_mask(result, nrrd(np.full((5, 4, 1), 0.25, np.float32)))
    assert a_client.uncertainty("mole", "besadiff").largest == 0.25
    a_server.behaviour = answers_mask(result, nrrd(np.full((5, 4, 1), 0.5, np.float32)))
    with pytest.raises(BadAnswer, match=r"past 0\.25"):
        a_client.uncertainty("mole", "besadiff")


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 2.0])
def test_a_map_of_what_is_no_fraction_is_not_used(a_server: Server, a_client: SamanticClient, value: float) -> None:
    a_server.behaviour = answers_mask(a_result(map="confidence"), nrrd(np.full((5, 4, 1), value, np.float32)))
    with pytest.raises(BadAnswer):
        a_client.uncertainty("ct", map="confidence")


def test_another_map_than_was_asked_for_is_not_used(a_server: Server, a_client: SamanticClient) -> None:
    a_server.behaviour = answers_mask(a_result(map="confidence"), nrrd(np.ones((5, 4, 1), np.float32)))
    with pytest.raises(BadAnswer, match="A map of uncertainty was to come, but one of confidence came"):
        a_client.uncertainty("ct")


OBLIQUE = np.array([[-0.68, 0.36, 0.1, 31.25], [-0.31, -0.79, 0.2, -12.5], [0.05, 0.11, 2.9, 4.5], [0, 0, 0, 1.0]])


def an_answer_at(extent: tuple[int, ...], image: np.ndarray) -> SegmentAnswer:
    """What a server says that has the image with this geometry."""
    placed = image.copy()
    placed[:3, 3] = (image @ [extent[0], extent[2], extent[4], 1])[:3]
    return SegmentAnswer(np.ones((5, 4, 1), np.uint8), extent, {"liver": 1}, ijk_to_ras=placed, image_id="ct")


def test_a_mask_that_lies_on_the_image_here_is_let_through() -> None:
    answer = an_answer_at((14, 19, 22, 26, 12, 13), OBLIQUE)
    check_lies_on(answer, OBLIQUE + np.random.default_rng(4).normal(0, 1e-5, (4, 4)) * np.array([[1], [1], [1], [0]]))
    check_lies_on(dataclasses.replace(answer, ijk_to_ras=None), np.eye(4))


@pytest.mark.parametrize("change", ["flipped", "swapped", "shifted", "stretched"])
def test_a_mask_that_lies_elsewhere_on_the_image_here_is_not(change: str) -> None:
    image = {
        "flipped": OBLIQUE @ np.array([[-1.0, 0, 0, 63], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        "swapped": OBLIQUE[:, [1, 0, 2, 3]],
        "shifted": OBLIQUE @ np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]]),
        "stretched": OBLIQUE @ np.diag([1.1, 1, 1, 1]),
    }[change]
    with pytest.raises(BadAnswer, match="voxels away from where the image 'ct' has it"):
        check_lies_on(an_answer_at((14, 19, 22, 26, 12, 13), OBLIQUE), image)
