import json
from typing import Any

import numpy as np
import pytest

from samantic.app.lib.infers.class_choice import ClassChoice
from samantic.app.lib.infers.request import InferRequest, owner_of, read_request
from samantic.app.lib.infers.wire import RequestError
from samantic.imaging import Volume
from samantic.prompts import PromptError
from samantic.vocabulary import UnknownClassError

REFUSALS = (RequestError, PromptError, UnknownClassError)


def voxels(request: InferRequest, positive: bool, which: int = 0) -> list[tuple[int, int, int]]:
    return [point.voxel for point in request.objects[which].prompts.points if point.positive is positive]


def test_points_of_a_stock_client_are_one_object_on_their_slice(a_volume: Volume, a_choice: ClassChoice) -> None:
    params = {"foreground": [[10, 12, 5], [11, 12, 5]], "background": [[30, 30, 5]], "label": "liver"}
    request = read_request(params, a_volume, a_choice)
    assert len(request.objects) == 1
    assert voxels(request, True) == [(10, 12, 5), (11, 12, 5)]
    assert voxels(request, False) == [(30, 30, 5)]
    assert (request.slice_index, request.axis, request.label) == (5, 2, "liver")


def test_points_that_come_as_text_are_read(a_volume: Volume, a_choice: ClassChoice) -> None:
    request = read_request({"foreground": "[[10, 12, 5]]", "background": "[]"}, a_volume, a_choice)
    assert voxels(request, True) == [(10, 12, 5)]


def test_slice_zero_is_a_slice(a_volume: Volume, a_choice: ClassChoice) -> None:
    assert read_request({"foreground": [[1, 1, 0]], "slice": 0}, a_volume, a_choice).slice_index == 0
    assert read_request({"foreground": [[1, 1, 0]]}, a_volume, a_choice).slice_index == 0


def test_on_slice_zero_a_stock_client_sends_all_points_and_those_elsewhere_are_left_out(
    a_volume: Volume, a_choice: ClassChoice
) -> None:
    params = {"foreground": [[1, 1, 0], [5, 5, 7]], "background": [[9, 9, 3]], "slice": 0}
    request = read_request(params, a_volume, a_choice)
    assert voxels(request, True) == [(1, 1, 0)]
    assert request.ignored_points == 2


def test_points_that_all_lie_on_other_slices_are_refused(a_volume: Volume, a_choice: ClassChoice) -> None:
    with pytest.raises(RequestError, match=r"point \[5, 5, 7\] lies on slice 7 .* 'slice' is 3"):
        read_request({"foreground": [[5, 5, 7]], "slice": 3}, a_volume, a_choice)


def test_points_on_two_slices_need_a_slice(a_volume: Volume, a_choice: ClassChoice) -> None:
    with pytest.raises(PromptError, match="slices"):
        read_request({"foreground": [[5, 5, 7], [5, 5, 8]]}, a_volume, a_choice)


@pytest.mark.parametrize("absent", [-1, None, ""])
def test_stock_ways_to_say_no_slice_mean_the_slice_of_the_points(
    absent: Any, a_volume: Volume, a_choice: ClassChoice
) -> None:
    assert read_request({"foreground": [[5, 5, 7]], "slice": absent}, a_volume, a_choice).slice_index == 7


@pytest.mark.parametrize("wrong", [12, -2, 1.5, "top", True, [3]])
def test_a_slice_outside_the_image_is_refused_with_what_is_allowed(
    wrong: Any, a_volume: Volume, a_choice: ClassChoice
) -> None:
    with pytest.raises(RequestError, match=r"'slice' is .*0 to 11"):
        read_request({"foreground": [[5, 5, 7]], "slice": wrong}, a_volume, a_choice)


def test_the_roi_has_the_order_of_the_wire(a_volume: Volume, a_choice: ClassChoice) -> None:
    request = read_request({"roi": [10, 30, 5, 25, 2, 9]}, a_volume, a_choice)
    (box,) = request.objects[0].prompts.boxes
    assert request.slice_index == 5
    assert (box.lower_ijk, box.upper_ijk) == ((10, 5, 5), (30, 25, 6))


def test_a_reversed_and_fractional_roi_is_put_right(a_volume: Volume, a_choice: ClassChoice) -> None:
    request = read_request({"roi": [30.2, 9.6, 25, 5, 9, 2], "slice": 3}, a_volume, a_choice)
    (box,) = request.objects[0].prompts.boxes
    assert (box.lower_ijk, box.upper_ijk) == ((10, 5, 3), (30, 25, 4))


def test_an_empty_roi_is_none(a_volume: Volume, a_choice: ClassChoice) -> None:
    assert read_request({"foreground": [[5, 5, 7]], "roi": []}, a_volume, a_choice).objects[0].prompts.boxes == ()


def test_several_boxes_are_several_objects_and_points_go_to_the_box_around_them(
    a_volume: Volume, a_choice: ClassChoice
) -> None:
    params = {"boxes": [[0, 10, 0, 10, 4, 5], [20, 30, 20, 30, 4, 5]], "foreground": [[25, 25, 4]]}
    request = read_request(params, a_volume, a_choice)
    assert [len(one.prompts.boxes) for one in request.objects] == [1, 1]
    assert voxels(request, True, 0) == []
    assert voxels(request, True, 1) == [(25, 25, 4)]


def test_a_point_outside_all_boxes_is_refused(a_volume: Volume, a_choice: ClassChoice) -> None:
    params = {"boxes": [[0, 10, 0, 10, 4, 5], [20, 30, 20, 30, 4, 5]], "foreground": [[15, 15, 4]]}
    with pytest.raises(RequestError, match="none of the 2 boxes"):
        read_request(params, a_volume, a_choice)


@pytest.mark.parametrize("nested", [True, False])
def test_points_per_label_are_one_object_per_label(nested: bool, a_volume: Volume, a_choice: ClassChoice) -> None:
    points = {"liver": [[5, 5, 2]], "spleen": [[20, 20, 2], [21, 20, 2]], "kidney_left": []}
    params = {"foreground": points} if nested else dict(points)
    request = read_request({**params, "background": [[1, 1, 2]], "label": "liver"}, a_volume, a_choice)
    assert [one.label for one in request.objects] == ["liver", "spleen"]
    assert voxels(request, True, 1) == [(20, 20, 2), (21, 20, 2)]
    assert voxels(request, False, 0) == voxels(request, False, 1) == [(1, 1, 2)]


def test_points_under_a_misspelt_label_are_refused_with_the_nearest_name(
    a_volume: Volume, a_choice: ClassChoice
) -> None:
    with pytest.raises(UnknownClassError, match="spleen"):
        read_request({"splen": [[5, 5, 2]]}, a_volume, a_choice)


def test_other_settings_of_stock_clients_are_ignored(a_volume: Volume, a_choice: ClassChoice) -> None:
    params = {
        "foreground": [[5, 5, 2]],
        "device": "cuda",
        "location": [0, 0],
        "size": [512, 512],
        "largest_cc": False,
        "description": "x",
        "save_label": "false",
    }
    assert len(read_request(params, a_volume, a_choice).objects) == 1


def test_classes_are_understood_by_name_label_and_code_and_keep_their_order(
    a_volume: Volume, a_choice: ClassChoice
) -> None:
    params = {"foreground": [[5, 5, 2]], "classes": ["Spleen", "left kidney", "liver"]}
    assert read_request(params, a_volume, a_choice).classes == ("spleen", "kidney_left", "liver")
    params["classes"] = "spleen, liver"
    assert read_request(params, a_volume, a_choice).classes == ("spleen", "liver")


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        (["splen"], "spleen"),
        (["pancreas"], "does not know"),
        (["liver", "Liver"], "twice"),
        ([3], "class names"),
        ({"a": 1}, "class names"),
    ],
)
def test_classes_that_cannot_be_answered_are_refused(
    classes: Any, says: str, a_volume: Volume, a_choice: ClassChoice
) -> None:
    with pytest.raises(REFUSALS, match=says):
        read_request({"foreground": [[5, 5, 2]], "classes": classes}, a_volume, a_choice)


def test_a_class_in_words_of_the_vocabulary_needs_no_sentence_encoder(a_volume: Volume, a_choice: ClassChoice) -> None:
    params = {"foreground": [[5, 5, 2]], "text": "left kidney", "classes": ["liver"]}
    assert read_request(params, a_volume, a_choice).classes == ("liver", "kidney_left")


def test_another_axis_has_its_own_slices(a_volume: Volume, a_choice: ClassChoice) -> None:
    request = read_request({"foreground": [[5, 30, 7]], "axis": 1}, a_volume, a_choice)
    assert (request.axis, request.slice_index) == (1, 30)


@pytest.mark.parametrize("axis", [3, -1, "axial", 0.5, True])
def test_an_axis_that_does_not_exist_is_refused(axis: Any, a_volume: Volume, a_choice: ClassChoice) -> None:
    with pytest.raises(RequestError, match="'axis'"):
        read_request({"foreground": [[5, 5, 2]], "axis": axis}, a_volume, a_choice)


def test_in_a_photograph_a_point_is_x_and_y(a_photograph: Volume, a_choice: ClassChoice) -> None:
    for point in ([50, 40], [50, 40, 0]):
        request = read_request({"foreground": [point]}, a_photograph, a_choice)
        assert voxels(request, True) == [(50, 40, 0)]
        assert request.slice_index == 0


def test_in_a_photograph_four_bounds_are_enough(a_photograph: Volume, a_choice: ClassChoice) -> None:
    request = read_request({"roi": [10, 20, 5, 15]}, a_photograph, a_choice)
    assert request.objects[0].prompts.boxes[0].upper_ijk == (20, 15, 1)


@pytest.mark.parametrize(
    "params",
    [
        {"foreground": [[48, 5, 2]]},
        {"foreground": [[-1, 5, 2]]},
        {"foreground": [[5, 5, 12]]},
        {"foreground": [[5, 5, 2]], "background": [[5, 5, 2]]},
        {"background": [[5, 5, 2]]},
        {"roi": [100, 200, 100, 200, 2, 3]},
        {"roi": [5, 5, 5, 10, 2, 3]},
        {"roi": [5, 10, 5, 10, 2, 4], "slice": 7},
        {"foreground": json.loads("[[5, 5, NaN]]")},
        {"foreground": json.loads("[[5, 5, 1e999]]")},
        {"foreground": []},
        {},
        {"classes": ["liver"]},
        {"text": "liver"},
        {"foreground": [[5, 5, 2]], "multimask": "perhaps"},
        {"foreground": [[5, 5, 2]], "session": ["a"]},
        {"foreground": [[5, 5, 2]], "label": 5},
        {"boxes": "everything"},
        {"boxes": [[]]},
        {"liver": [[5, 5, 2]], "boxes": [[0, 5, 0, 5, 2, 3]]},
    ],
)
def test_prompts_that_make_no_sense_are_refused_in_one_sentence(
    params: dict[str, Any], a_volume: Volume, a_choice: ClassChoice
) -> None:
    with pytest.raises(REFUSALS) as refused:
        read_request(params, a_volume, a_choice)
    message = str(refused.value)
    assert message.endswith((".", "?"))
    assert "\n" not in message
    assert len(message) < 400


def test_the_owner_is_the_session_before_the_client() -> None:
    assert owner_of({"session": "abc", "client_id": "me"}) == "session abc"
    assert owner_of({"client_id": "me"}) == "client me"
    assert owner_of({"session": {"name": "stock-session", "image": "/x"}}) == "session stock-session"
    assert owner_of({}) is None
    assert owner_of({"client_id": None}) is None


def test_clients_that_all_have_the_stock_name_are_told_apart_by_their_address() -> None:
    one, other = ({"client_id": "user-xyz", "client_address": address} for address in ("10.0.0.1", "10.0.0.2"))
    assert owner_of(one) != owner_of(other)
    assert owner_of({**one, "client_id": "me"}) == owner_of({**other, "client_id": "me"})


def test_many_objects_in_a_huge_picture_are_refused_before_they_take_memory(a_choice: ClassChoice) -> None:
    huge = Volume(np.zeros((6000, 5000, 1), np.uint8), np.diag([-1.0, -1, 1, 1]), "unknown", "photograph")
    boxes = [[10 * n, 10 * n + 8, 5, 20] for n in range(7)]
    assert len(read_request({"boxes": boxes[:6]}, huge, a_choice).objects) == 6
    with pytest.raises(RequestError, match="at most 6"):
        read_request({"boxes": boxes}, huge, a_choice)
