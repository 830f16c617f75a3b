from __future__ import annotations

import numpy as np
import pytest

from samantic.besadiff.refiner import CoarsePrompts, PromptOptions


def prompts_of(mask: np.ndarray, **options: object) -> CoarsePrompts:
    prompts = CoarsePrompts.of(mask, PromptOptions(**options))  # type: ignore[arg-type]
    assert prompts is not None
    return prompts


def test_the_box_is_that_of_the_largest_part_grown_by_a_share_of_its_sides() -> None:
    mask = np.zeros((100, 100), bool)
    mask[30:50, 20:60] = True
    mask[90:93, 90:93] = True
    assert prompts_of(mask, box_growth=0.1).box_xyxy == (16, 28, 64, 52)


def test_the_box_does_not_leave_the_image() -> None:
    mask = np.zeros((40, 60), bool)
    mask[0:40, 1:60] = True
    assert prompts_of(mask, box_growth=0.1).box_xyxy == (0, 0, 60, 40)


def test_clicks_lie_deep_inside_and_well_outside(lesion: np.ndarray) -> None:
    prompts = prompts_of(lesion, core_points=3, outside_points=4, core_share=0.5, outside_distance=0.4)
    x, y = prompts.inside_xy.T
    assert len(x) == 3
    assert np.hypot(x - 44, y - 30).max() < 8
    assert tuple(prompts.inside_xy[0]) == (44, 30)
    x, y = prompts.outside_xy.T
    assert len(x) == 4
    assert np.hypot(x - 44, y - 30).min() > 15 * 1.4 - 1


def test_a_mask_that_fills_the_image_has_no_outside() -> None:
    prompts = prompts_of(np.ones((20, 30), bool))
    assert prompts.outside_xy.shape == (0, 2)
    assert len(prompts.asked("mask + outside").point_labels) == 0


def test_an_empty_mask_says_nothing() -> None:
    assert CoarsePrompts.of(np.zeros((20, 20), bool), PromptOptions()) is None


def test_a_single_pixel_is_prompted_for_too() -> None:
    mask = np.zeros((20, 20), bool)
    mask[4, 7] = True
    assert prompts_of(mask).inside_xy.tolist() == [[7, 4]]


def test_a_variant_says_what_its_name_says(lesion: np.ndarray) -> None:
    prompts = prompts_of(lesion)
    everything = prompts.asked("mask + box + inside + outside")
    assert everything.box_xyxy == prompts.box_xyxy
    assert everything.mask is prompts.component
    assert everything.point_labels.tolist() == [1, 1, 1, 0, 0, 0, 0]
    mask = prompts.asked("mask")
    assert mask.box_xyxy is None
    assert len(mask.points_xy) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"variants": ()}, "At least one variant"),
        ({"variants": ("mask + text",)}, r"'mask \+ text' is no variant.*mask, box, inside, outside"),
        ({"box_growth": 0.9}, "box_growth must lie between 0 and 0.5, not 0.9"),
        ({"core_points": 0}, "core_points must lie between 1 and 8, not 0"),
    ],
)
def test_impossible_options_are_refused_with_a_sentence(options: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PromptOptions(**options)
