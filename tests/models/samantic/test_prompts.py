"""Prompts: what is accepted, what is refused with which sentence, and the way through JSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samantic.prompts import Box, ClassPrompt, MaskPrompt, Point, PromptError, PromptSet, Scribble, validate_classes
from samantic.vocabulary import load_vocabulary

SHAPE = (20, 30, 10)
CLICK = Point((3, 4, 5))


def a_mask(*voxels):
    array = np.zeros(SHAPE, bool)
    for voxel in voxels:
        array[voxel] = True
    return MaskPrompt(array)


def refused(prompts, **how):
    """The sentence with which the prompts are refused."""
    with pytest.raises(PromptError) as caught:
        prompts.validated(SHAPE, **how)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 300
    return sentence


# ---- what is accepted


def test_a_click_is_rounded_to_the_nearest_voxel():
    prompts = PromptSet(points=[Point((3.4, 3.5, 4.6))]).validated(SHAPE)
    assert prompts.points == (Point((3.0, 4.0, 5.0)),)


def test_halves_round_up_everywhere_so_that_no_voxel_is_wider_than_its_neighbour():
    assert [Point((value, 0, 0)).voxel[0] for value in (0.5, 1.5, 2.5)] == [1, 2, 3]


def test_lists_and_arrays_are_taken_for_coordinates():
    assert Point([1, 2, 3]) == Point(np.array([1, 2, 3])) == Point((1.0, 2.0, 3.0))


def test_reversed_and_fractional_box_bounds_are_swapped_and_rounded():
    assert Box((9.6, 2, 5), (1.2, 8, 4)) == Box((1, 2, 4), (10, 8, 5))


def test_a_roi_in_wire_order_becomes_the_same_box_and_back():
    box = Box.from_roi([1, 9, 2, 8, 4, 5])
    assert (box.lower_ijk, box.upper_ijk) == ((1, 2, 4), (9, 8, 5))
    assert box.roi == (1, 9, 2, 8, 4, 5)
    assert box.extent == (8, 6, 1)


def test_a_box_may_touch_the_far_border_of_the_image():
    prompts = PromptSet(boxes=[Box((0, 0, 0), SHAPE)]).validated(SHAPE)
    assert prompts.boxes[0].upper_ijk == (20, 30, 5)


def test_a_mask_of_numbers_is_taken_as_inside_where_it_is_not_zero():
    array = np.zeros(SHAPE, np.uint8)
    array[1, 2, 3] = 7
    assert MaskPrompt(array).array.sum() == 1
    assert MaskPrompt(array.astype(float)).array.dtype == bool


def test_a_mask_prompt_cannot_be_written_to():
    array = np.zeros(SHAPE, bool)
    with pytest.raises(ValueError):
        MaskPrompt(array).array[0, 0, 0] = True
    array[0, 0, 0] = True  # the caller's own array stays writable


def test_a_scribble_is_made_from_the_painted_voxels_of_a_mask():
    scribble = Scribble.from_mask(a_mask((1, 2, 3), (4, 5, 3)).array, positive=False)
    assert scribble == Scribble(((1, 2, 3), (4, 5, 3)), positive=False)
    assert scribble.voxels.tolist() == [[1, 2, 3], [4, 5, 3]]


def test_prompts_are_equal_by_value_and_can_be_keys():
    assert len({PromptSet(points=[CLICK]), PromptSet(points=(CLICK,))}) == 1


# ---- which slice


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slice_zero_is_a_slice(axis):
    prompts = PromptSet(points=[Point((0, 0, 0))])
    assert prompts.slice_index(axis) == 0
    assert prompts.validated(SHAPE, axis=axis, slice_index=0).slice_index(axis) == 0


@pytest.mark.parametrize(("axis", "expected"), [(0, 3), (1, 4), (2, 5)])
def test_the_slice_is_the_one_of_the_click_along_any_axis(axis, expected):
    assert PromptSet(points=[CLICK]).slice_index(axis) == expected


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([((0, 0, 7), (5, 5, 8))], 7),
        ([((0, 0, 0), (5, 5, 9))], 4),
        ([((0, 0, 2), (5, 5, 4))], 2),
        ([((0, 0, 0), (5, 5, 9)), ((0, 0, 6), (5, 5, 9))], 7),
    ],
)
def test_boxes_without_a_click_mean_the_middle_of_the_slices_they_share(boxes, expected):
    prompts = PromptSet(boxes=[Box(*bounds) for bounds in boxes])
    assert prompts.slice_index(2) == expected
    assert all(
        (box.lower_ijk[2], box.upper_ijk[2]) == (expected, expected + 1) for box in prompts.validated(SHAPE).boxes
    )


def test_a_click_decides_the_slice_of_a_box_that_spans_several():
    prompts = PromptSet(points=[CLICK], boxes=[Box((0, 0, 0), SHAPE)]).validated(SHAPE)
    assert prompts.boxes[0] == Box((0, 0, 5), (20, 30, 6))


def test_an_explicit_slice_decides_over_the_middle_of_a_box():
    prompts = PromptSet(boxes=[Box((0, 0, 0), SHAPE)]).validated(SHAPE, slice_index=0)
    assert prompts.boxes[0].lower_ijk[2] == 0


def test_a_mask_alone_means_the_slice_where_it_is_largest():
    prompts = PromptSet(mask=a_mask((1, 1, 2), (1, 1, 6), (2, 1, 6)))
    assert prompts.slice_index(2) == 6


def test_validated_prompts_stay_the_same_when_validated_again():
    prompts = PromptSet(points=[Point((3.3, 4, 5))], boxes=[Box((0, 0, 0), SHAPE)]).validated(SHAPE)
    assert prompts.validated(SHAPE) == prompts


# ---- what is refused


@pytest.mark.parametrize(
    ("ijk", "sentence"),
    [
        ((20, 0, 0), "Point 1 has i = 20, outside the image; allowed is 0 to 19."),
        ((0, -1, 0), "Point 1 has j = -1, outside the image; allowed is 0 to 29."),
        ((0, 0, 9.5), "Point 1 has k = 10, outside the image; allowed is 0 to 9."),
    ],
)
def test_a_click_outside_the_image_is_refused_with_the_axis_the_value_and_the_allowed_range(ijk, sentence):
    assert refused(PromptSet(points=[Point(ijk)])) == sentence


def test_a_box_outside_the_image_is_refused_with_the_allowed_range():
    sentence = refused(PromptSet(boxes=[Box((0, 0, 0), (21, 5, 1))]))
    assert sentence == "Box 1 has the bound i = 21, outside the image; allowed is 0 to 20."


def test_a_scribble_outside_the_image_is_refused_with_the_allowed_range():
    sentence = refused(PromptSet(scribbles=[Scribble(((0, 0, 1), (0, 30, 1)))]))
    assert sentence == "A voxel of scribble 1 has j = 30, outside the image; allowed is 0 to 29."


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_clicks_on_two_slices_are_refused(axis):
    other = list(CLICK.ijk)
    other[axis] += 2
    sentence = refused(PromptSet(points=[CLICK, Point(tuple(other))]), axis=axis)
    assert f"different slices along {'ijk'[axis]}" in sentence


def test_a_click_on_another_slice_than_asked_for_is_refused():
    sentence = refused(PromptSet(points=[CLICK]), slice_index=0)
    assert "slice 5 along k" in sentence
    assert "asked for is 0" in sentence


def test_a_box_on_another_slice_than_the_click_is_refused():
    sentence = refused(PromptSet(points=[CLICK], boxes=[Box((0, 0, 6), (5, 5, 9))]))
    assert sentence == "Box 1 covers the slices 6 to 8 along k, but the slice asked for is 5."


def test_boxes_that_share_no_slice_are_refused():
    assert "share no slice" in refused(PromptSet(boxes=[Box((0, 0, 0), (5, 5, 2)), Box((0, 0, 2), (5, 5, 4))]))


@pytest.mark.parametrize("index", [-1, 10, 10**9])
def test_a_slice_outside_the_image_is_refused(index):
    sentence = refused(PromptSet(boxes=[Box((0, 0, 0), SHAPE)]), slice_index=index)
    assert sentence == f"Slice {index} along k is outside the image; allowed is 0 to 9."


@pytest.mark.parametrize("index", [True, "3", 3.5, float("nan")])
def test_a_slice_that_is_no_whole_number_is_refused(index):
    assert "The slice" in refused(PromptSet(boxes=[Box((0, 0, 0), SHAPE)]), slice_index=index)


@pytest.mark.parametrize("axis", [-1, 3, True, "2", None])
def test_an_axis_that_is_none_is_refused(axis):
    assert "0 (i), 1 (j) or 2 (k)" in refused(PromptSet(points=[CLICK]), axis=axis)


@pytest.mark.parametrize("prompts", [PromptSet(), PromptSet(classes=ClassPrompt(("liver",), "the liver"))])
def test_prompts_that_say_nowhere_where_are_refused(prompts):
    assert prompts.is_empty
    assert refused(prompts).startswith("The prompts are empty")
    with pytest.raises(PromptError, match="empty"):
        prompts.slice_index(2)


@pytest.mark.parametrize("bounds", [((2, 2, 2), (2, 5, 3)), ((2, 2, 2), (5, 2, 3)), ((2, 2, 2), (5, 5, 2))])
def test_a_box_without_extent_is_refused(bounds):
    assert refused(PromptSet(boxes=[Box(*bounds)])).startswith("Box 1 is empty")


def test_an_empty_scribble_is_refused():
    assert refused(PromptSet(points=[CLICK], scribbles=[Scribble(())])).startswith("Scribble 1 is empty")


def test_an_empty_mask_is_refused():
    assert refused(PromptSet(mask=a_mask())) == "The mask is empty; it needs at least one voxel inside."


def test_a_mask_with_nothing_on_the_slice_is_refused():
    sentence = refused(PromptSet(points=[CLICK], mask=a_mask((1, 1, 1))))
    assert sentence.startswith("The mask holds nothing on slice 5 along k")


def test_a_mask_of_another_shape_is_refused_with_both_shapes():
    sentence = refused(PromptSet(mask=MaskPrompt(np.ones((2, 3, 4), bool))))
    assert "(2, 3, 4)" in sentence
    assert "(20, 30, 10)" in sentence


def test_foreground_and_background_on_one_voxel_are_refused():
    sentence = refused(PromptSet(points=[CLICK, Point((3.2, 3.9, 5), positive=False)]))
    assert sentence == "Voxel (3, 4, 5) is marked as foreground and as background; remove one of the two."


def test_a_background_scribble_over_a_foreground_click_is_refused():
    sentence = refused(PromptSet(points=[CLICK], scribbles=[Scribble(((2, 4, 5), (3, 4, 5)), positive=False)]))
    assert "Voxel (3, 4, 5)" in sentence


def test_background_alone_is_refused_but_not_together_with_a_box():
    background = Point((3, 4, 5), positive=False)
    assert refused(PromptSet(points=[background])).startswith("All prompts are background")
    assert PromptSet(points=[background], boxes=[Box((0, 0, 5), (9, 9, 6))]).validated(SHAPE)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
@pytest.mark.parametrize("make", [Point, lambda ijk: Box(ijk, (1, 1, 1)), lambda ijk: Scribble((ijk,))])
def test_coordinates_that_are_not_finite_are_refused(make, value):
    with pytest.raises(PromptError, match="must be a finite number"):
        make((1, value, 1))


@pytest.mark.parametrize("value", ["1", None, True, [1], 1j])
def test_coordinates_that_are_no_numbers_are_refused(value):
    with pytest.raises(PromptError, match=r"A point has j = .* must be a number"):
        Point((1, value, 1))


@pytest.mark.parametrize("ijk", [(), (1, 2), (1, 2, 3, 4), "123", None, 5, {"i": 1}])
def test_coordinates_of_the_wrong_count_are_refused(ijk):
    with pytest.raises(PromptError, match="three voxel indices"):
        Point(ijk)


@pytest.mark.parametrize("roi", [[1, 2, 3], "123456", None, 6])
def test_a_roi_of_the_wrong_count_is_refused(roi):
    with pytest.raises(PromptError, match="six numbers"):
        Box.from_roi(roi)


@pytest.mark.parametrize("positive", [1, "true", None])
def test_a_sign_that_is_not_true_or_false_is_refused(positive):
    with pytest.raises(PromptError, match="true or false"):
        Point((1, 2, 3), positive)


@pytest.mark.parametrize("array", [[[[1]]], np.ones((3, 3)), np.array([[["x"]]]), np.full((1, 1, 1), np.nan)])
def test_a_mask_that_is_no_volume_of_numbers_is_refused(array):
    with pytest.raises(PromptError, match="The mask"):
        MaskPrompt(array)


def test_absurd_counts_are_refused_with_the_allowed_number():
    assert "1001 points" in refused(PromptSet(points=[CLICK] * 1001))
    assert "65 boxes" in refused(PromptSet(boxes=[Box((0, 0, 5), (2, 2, 6))] * 65))
    half = Scribble(((1, 1, 5),) * 60_000)
    assert "120000 scribble voxels" in refused(PromptSet(scribbles=[half, half]))
    with pytest.raises(PromptError, match="at most 100000"):
        Scribble(((1, 1, 5),) * 100_001)
    with pytest.raises(PromptError, match="at most 1000"):
        ClassPrompt(("liver",) * 1001)
    with pytest.raises(PromptError, match="at most 2000"):
        ClassPrompt(text="x" * 2001)


# ---- classes


def test_an_unknown_class_is_refused_with_the_nearest_names():
    sentence = refused(PromptSet(points=[CLICK], classes=ClassPrompt(("kidney_lft",))), vocabulary=load_vocabulary())
    assert "kidney_lft" in sentence
    assert "kidney_left" in sentence


def test_labels_synonyms_and_codes_become_the_vocabulary_s_names():
    vocabulary = load_vocabulary()
    names = ("left kidney", "Liver")
    classes = PromptSet(points=[CLICK], classes=ClassPrompt(names)).validated(SHAPE, vocabulary).classes
    assert classes.names == ("kidney_left", "liver")


def test_a_class_given_twice_is_refused_also_under_two_names():
    with pytest.raises(PromptError, match="given twice"):
        validate_classes(ClassPrompt(("liver", "liver")), None)
    with pytest.raises(PromptError, match="given twice"):
        validate_classes(ClassPrompt(("kidney_left", "left kidney")), load_vocabulary())


@pytest.mark.parametrize("names", ["liver", 5, [5], [""], [None], {"liver": 1}])
def test_classes_that_are_no_list_of_names_are_refused(names):
    with pytest.raises(PromptError):
        ClassPrompt(names)


@pytest.mark.parametrize("text", ["", "  ", 5, ["liver"]])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(PromptError, match="words"):
        ClassPrompt(text=text)


# ---- JSON

voxel = st.tuples(*(st.integers(0, size - 1) for size in SHAPE))
finite = st.tuples(*(st.floats(-1e6, 1e6) for _ in range(3)))
prompt_sets = st.builds(
    PromptSet,
    points=st.lists(st.builds(Point, finite, st.booleans()), max_size=4).map(tuple),
    boxes=st.lists(st.builds(Box, finite, finite), max_size=3).map(tuple),
    scribbles=st.lists(st.builds(Scribble, st.lists(voxel, max_size=5).map(tuple), st.booleans()), max_size=3).map(
        tuple
    ),
    classes=st.builds(
        ClassPrompt,
        st.lists(st.text(min_size=1).filter(str.strip), max_size=3).map(tuple),
        st.none() | st.text(min_size=1, max_size=50).filter(str.strip),
    ),
)
masks = st.builds(
    lambda shape, bits: np.resize(np.array(bits, bool), shape),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    st.lists(st.booleans(), min_size=1, max_size=125),
)


@given(prompt_sets)
@settings(max_examples=100, deadline=None)
def test_prompts_come_back_from_json_as_they_went(prompts):
    assert PromptSet.from_json(prompts.to_json()) == prompts


@given(masks)
@settings(max_examples=100, deadline=None)
def test_any_mask_comes_back_from_json_as_it_went(array):
    prompts = PromptSet.from_json(PromptSet(mask=MaskPrompt(array)).to_json())
    np.testing.assert_array_equal(prompts.mask.array, array)


def test_a_mask_in_fortran_order_comes_back_unturned():
    array = np.asfortranarray(np.random.default_rng(0).random((4, 5, 6)) > 0.5)
    prompts = PromptSet.from_json(PromptSet(mask=MaskPrompt(array)).to_json())
    np.testing.assert_array_equal(prompts.mask.array, array)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists) | st.text())
@settings(max_examples=100, deadline=None)
def test_nonsense_is_refused_and_never_crashes(value):
    for text in (value, json.dumps(value), json.dumps({"points": value}), json.dumps({"mask": value})):
        try:
            prompts = PromptSet.from_json(text)
        except PromptError:
            continue
        assert prompts.is_empty


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not valid JSON"),
        ("[", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 10_000, "not valid JSON"),
        ('{"point": []}', "'point' is unknown; allowed are boxes, classes, mask, points, scribbles"),
        ('{"points": {}}', "points must be a list"),
        ('{"points": [5]}', "points[0] must be a JSON object"),
        ('{"points": [{}]}', "points[0]: the key 'ijk' is missing"),
        ('{"points": [{"ijk": [1, 2, 3], "label": 1}]}', "points[0]: the key 'label' is unknown"),
        ('{"points": [{"ijk": [1, 2, NaN]}]}', "must be finite"),
        ('{"points": [{"ijk": [1, 2, 1e999]}]}', "must be a finite number"),
        ('{"points": [{"ijk": [1, 2, "3"]}]}', "must be a number"),
        ('{"points": [{"ijk": [1, 2, 3], "positive": 1}]}', "true or false"),
        ('{"boxes": [{"lower_ijk": [1, 2, 3]}]}', "'upper_ijk' is missing"),
        ('{"scribbles": [{"ijk": [[1, 2]]}]}', "three voxel indices"),
        ('{"classes": "liver"}', "classes must be a JSON object"),
        ('{"classes": {"names": "liver"}}', "a list of names"),
        ('{"mask": []}', "mask must be a JSON object"),
        ('{"mask": {"shape_ijk": [2, 2], "counts": [4]}}', "three whole numbers"),
        ('{"mask": {"shape_ijk": [2, 2, 0], "counts": []}}', "three whole numbers"),
        ('{"mask": {"shape_ijk": [2, 2, 2], "counts": [9]}}', "add up to its 8 voxels, but they add up to 9"),
        ('{"mask": {"shape_ijk": [2, 2, 2], "counts": [9, -1]}}', "whole numbers from 0, but one is -1"),
        ('{"mask": {"shape_ijk": [2, 2, 2], "counts": [8.0]}}', "whole numbers from 0"),
        ('{"mask": {"shape_ijk": [2, 2, 2], "counts": "8"}}', "a list of whole numbers"),
    ],
)
def test_bad_json_is_refused_with_one_plain_sentence(text, part):
    with pytest.raises(PromptError) as caught:
        PromptSet.from_json(text)
    assert part in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("shape", [[100_000, 100_000, 100_000], [2**40, 2**40, 2**40], [1024, 1024, 513]])
def test_a_mask_that_claims_to_be_huge_is_refused_before_memory_is_taken(shape):
    voxels = shape[0] * shape[1] * shape[2]
    with pytest.raises(PromptError, match="at most 536870912"):
        PromptSet.from_json(json.dumps({"mask": {"shape_ijk": shape, "counts": [0, voxels]}}))


def test_a_mask_of_another_shape_than_the_image_is_refused_before_it_is_decoded():
    text = json.dumps({"mask": {"shape_ijk": [512, 512, 512], "counts": [512**3]}})
    with pytest.raises(PromptError, match="the image has \\(20, 30, 10\\)"):
        PromptSet.from_json(text, shape_ijk=SHAPE)


def test_more_points_than_allowed_are_refused_before_they_are_read():
    with pytest.raises(PromptError, match="5000 points were given, but at most 1000"):
        PromptSet.from_json(json.dumps({"points": ["nonsense"] * 5000}))
