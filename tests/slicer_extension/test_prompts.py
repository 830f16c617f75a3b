from __future__ import annotations

import json

import numpy as np
import pytest
from SamanticLib.errors import SamanticError
from SamanticLib.prompts import BACKGROUND_SCRIBBLE, FOREGROUND_SCRIBBLE, LabelCrop, Prompts


def crop(value: int, first: tuple[int, int, int] = (2, 3, 1), shape: tuple[int, int, int] = (2, 2, 1)) -> LabelCrop:
    ends = [end for at, count in zip(first, shape, strict=True) for end in (at, at + count)]
    return LabelCrop(np.full(shape, value, np.uint8), tuple(ends))


def test_points_boxes_classes_and_the_slice_reach_the_protocol() -> None:
    prompts = Prompts(
        positive_ijk=np.array([[22, 30, 12]]),
        negative_ijk=[(43, 34, 12)],
        boxes_ijk=[(12, 33, 20, 40, 12, 13)],
        text=" kidney ",
        classes=["liver"],
        slice=12,
        axis=2,
    )
    params = prompts.to_params()
    assert params == {
        "foreground": [[22, 30, 12]],
        "background": [[43, 34, 12]],
        "boxes": [[12, 33, 20, 40, 12, 13]],
        "text": "kidney",
        "classes": ["liver"],
        "slice": 12,
        "axis": 2,
    }
    assert json.loads(json.dumps(params)) == params
    assert prompts.label_crop() is None


def test_slice_and_axis_zero_are_sent() -> None:
    params = Prompts(slice=0, axis=0).with_point((0, 1, 2)).to_params()
    assert (params["slice"], params["axis"]) == (0, 0)


def test_words_alone_do_not_say_where_to_look() -> None:
    prompts = Prompts(text="liver", classes=("liver",))
    assert prompts.empty
    with pytest.raises(SamanticError, match="click on the object"):
        prompts.to_params()


def test_prompts_are_taken_back_in_the_order_they_were_made() -> None:
    made = [Prompts()]
    made.append(made[-1].with_point((1, 1, 1)))
    made.append(made[-1].with_box((0, 4, 0, 4, 1, 2)))
    made.append(made[-1].with_point((3, 3, 1), positive=False))
    made.append(made[-1].with_scribble(crop(FOREGROUND_SCRIBBLE)))
    made.append(made[-1].with_point((2, 1, 1)))
    made.append(made[-1].with_mask(crop(1)))
    for before, after in zip(made[-2::-1], made[:0:-1], strict=True):
        assert after.without_last() == before
    assert Prompts().without_last() == Prompts()


def test_a_click_on_a_click_of_the_other_kind_takes_it_back() -> None:
    prompts = Prompts().with_point((1, 1, 1)).with_point((2, 2, 1)).with_point((1, 1, 1), positive=False)
    assert prompts.positive_ijk == ((2, 2, 1),)
    assert prompts.negative_ijk == ((1, 1, 1),)
    assert prompts.without_last().positive_ijk == ((2, 2, 1),)
    assert prompts.with_point((2, 2, 1)) == prompts


def test_scribbles_and_a_mask_go_into_one_label_file_that_covers_both() -> None:
    prompts = Prompts().with_mask(crop(7, (2, 3, 1), (3, 3, 1))).with_scribble(crop(FOREGROUND_SCRIBBLE, (4, 5, 1)))
    prompts = prompts.with_scribble(crop(BACKGROUND_SCRIBBLE, (5, 6, 1), (1, 1, 2)))
    label = prompts.label_crop()
    assert label.extent_ijk == (2, 6, 3, 7, 1, 3)
    assert label.values[0, 0, 0] == 1
    assert label.values[2, 2, 0] == FOREGROUND_SCRIBBLE  # over the mask
    assert label.values[3, 3].tolist() == [BACKGROUND_SCRIBBLE, BACKGROUND_SCRIBBLE]  # the newer one over the older
    params = prompts.to_params()
    ids = {entry["name"]: entry["id"] for entry in params["label_info"]}
    assert ids["background_scribbles"] == 2
    assert ids["foreground_scribbles"] == 3
    assert ids[params["selected_label_name"]] == 1


def test_a_mask_alone_needs_no_explanation() -> None:
    prompts = Prompts().with_mask(crop(200))
    assert prompts.to_params() == {}
    assert set(np.unique(prompts.label_crop().values)) == {1}
    assert prompts.with_mask(None).empty


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Prompts(positive_ijk=[(1, 2)]), "3 whole numbers"),
        (lambda: Prompts().with_point((1.5, 2, 3)), "3 whole numbers"),
        (lambda: Prompts().with_box((0, 4, 0, 4)), "6 whole numbers"),
        (lambda: Prompts().with_box((0, 4, 3, 3, 0, 4)), "holds no voxel"),
        (lambda: Prompts(axis=3), "must be 0, 1 or 2"),
        (lambda: Prompts(slice=-1), "slices count from 0"),
        (lambda: Prompts().with_scribble(crop(1)), "3 for foreground, not 1"),
        (lambda: LabelCrop(np.zeros((2, 2, 2), np.uint8), (0, 2, 0, 2, 0, 3)), "its extent"),
        (lambda: Prompts(positive_ijk=[(1, 2, 3)], order=("mask",)), "order of the prompts"),
    ],
)
def test_what_cannot_be_a_prompt_is_refused(make: object, sentence: str) -> None:
    with pytest.raises(SamanticError, match=sentence):
        make()


def test_the_bounds_of_a_box_may_be_reversed() -> None:
    assert Prompts().with_box((4, 0, 5, 1, 2, 3)).boxes_ijk == ((0, 4, 1, 5, 2, 3),)


def test_a_drawing_is_not_changed_by_who_drew_it() -> None:
    values = np.ones((1, 1, 1), np.uint8)
    drawing = LabelCrop(values, (0, 1, 0, 1, 0, 1))
    values[:] = 0
    assert drawing.values.all()
    with pytest.raises(ValueError, match="read-only"):
        drawing.values[:] = 2
