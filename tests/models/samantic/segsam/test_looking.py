from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from samantic.segsam import InputTransform, Look, LookLogits, ViewPrompts
from samantic.segsam.look_network import LookNetwork
from samantic.segsam.looking import AT_ONCE, Looking, where_to_look
from samantic.segsam.prompt_batch import PromptBatch
from samantic.segsam.second_look import bounds_of

SIZE, GRID = 64, 32
SHAPE = (200, 300)
SQUARE = (1.0, 1.0)
BOX = (100.0, 80.0, 140.0, 110.0)
BOX_LOOK = Look(86, 61, 154, 129)
"""1.7 times the longer side of the box, around its middle."""


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture
def network() -> LookNetwork:
    torch.manual_seed(0)
    return LookNetwork(SIZE, width=4).eval()


@pytest.fixture
def looking(network: LookNetwork) -> Looking:
    return Looking(network, torch.device("cpu"))


@pytest.fixture
def wide() -> np.ndarray:
    """Noise, 200 rows and 300 columns."""
    return np.random.default_rng(1).integers(0, 256, size=(*SHAPE, 3), dtype=np.uint8)


@pytest.fixture
def earlier() -> Callable[[Look], LookLogits]:
    """An answer in the middle half of a look, both ways."""

    def found_in(look: Look) -> LookLogits:
        logits = torch.full((1, GRID, GRID), -6.0)
        logits[:, 8:24, 8:24] = 6.0
        return LookLogits(logits, look, InputTransform(look.shape, SQUARE, SIZE))

    return found_in


@contextmanager
def _passes(network: LookNetwork) -> Iterator[list[tuple[torch.Tensor, PromptBatch]]]:
    """The images and prompts of every forward pass."""
    seen: list[tuple[torch.Tensor, PromptBatch]] = []
    handle = network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    yield seen
    handle.remove()


def _always(network: LookNetwork, logit: float) -> None:
    """Let the network answer the same everywhere."""
    network.unet.final_conv.weight.zero_()
    network.unet.final_conv.bias.fill_(logit)


class TestWhereToLook:
    def test_around_a_box(self, clicked):
        assert where_to_look(clicked(box=BOX), SHAPE, SQUARE) == BOX_LOOK
        assert where_to_look(clicked((120, 90), box=BOX), SHAPE, SQUARE) == BOX_LOOK

    def test_around_a_box_and_the_foreground_clicks_beside_it(self, clicked):
        look = where_to_look(clicked((180, 90), box=BOX), SHAPE, SQUARE)
        assert look.holds((100, 80, 181, 110)) and look.shape == (138, 138)

    def test_background_clicks_do_not_widen_it(self):
        prompts = ViewPrompts(np.array([[180.0, 90.0]]), np.array([0]), BOX)
        assert where_to_look(prompts, SHAPE, SQUARE) == BOX_LOOK

    def test_around_a_drawn_mask(self, clicked):
        mask = np.zeros(SHAPE, dtype=bool)
        mask[80:110, 100:140] = True
        assert where_to_look(replace(clicked(), mask=mask), SHAPE, SQUARE) == BOX_LOOK

    def test_the_whole_picture_where_nothing_says_how_far_the_object_goes(self, clicked):
        assert where_to_look(clicked((120, 90)), SHAPE, SQUARE) == Look.whole(SHAPE)
        nothing = replace(clicked(), mask=np.zeros(SHAPE, dtype=bool))
        assert where_to_look(nothing, SHAPE, SQUARE) == Look.whole(SHAPE)

    def test_around_what_was_found_on_the_whole_picture(self, clicked, earlier):
        found = earlier(Look.whole(SHAPE))
        look = where_to_look(clicked((150, 100)).refining(found), SHAPE, SQUARE)
        x0, y0, x1, y1 = bounds = bounds_of(found.in_picture(SHAPE) > 0)
        assert look.holds(bounds)
        assert look.shape == (round(1.7 * max(x1 - x0, y1 - y0)),) * 2
        assert (look.x0 + look.x1) / 2 == pytest.approx((x0 + x1) / 2, abs=1)
        assert (look.y0 + look.y1) / 2 == pytest.approx((y0 + y1) / 2, abs=1)

    def test_a_click_means_the_part_under_it(self, clicked):
        logits = torch.full((1, GRID, GRID), -6.0)
        logits[:, 12:16, 4:8] = logits[:, 14:18, 24:28] = 6.0
        found = LookLogits(logits, Look.whole(SHAPE), InputTransform(SHAPE, SQUARE, SIZE))
        # A cell is 9.4 pixels wide; the left part lies in the columns 38 to 75.
        look = where_to_look(clicked((55, 80)).refining(found), SHAPE, SQUARE)
        assert look.x1 < 150

    def test_a_correction_looks_on_from_the_same_place(self, clicked, earlier):
        found = earlier(BOX_LOOK)
        for prompts in (clicked((120, 90)), clicked((92, 66)), clicked((120, 90), box=BOX)):
            assert where_to_look(prompts.refining(found), SHAPE, SQUARE) == BOX_LOOK

    def test_a_click_outside_of_the_earlier_look_widens_it(self, clicked, earlier):
        look = where_to_look(clicked((120, 90), (200, 90)).refining(earlier(BOX_LOOK)), SHAPE, SQUARE)
        # Found are the columns 103 to 137 of the look's middle.
        assert look.holds((104, 79, 201, 111))
        assert look.shape[0] > 1.5 * BOX_LOOK.shape[0]

    def test_what_reaches_the_border_of_its_look_is_looked_at_from_farther_away(self, clicked):
        logits = torch.full((1, GRID, GRID), 6.0)
        found = LookLogits(logits, BOX_LOOK, InputTransform(BOX_LOOK.shape, SQUARE, SIZE))
        look = where_to_look(clicked((120, 90)).refining(found), SHAPE, SQUARE)
        assert look.shape == (116, 116) and look.holds((86, 61, 154, 129))

    def test_after_an_empty_answer_it_is_the_whole_picture(self, clicked):
        nothing = LookLogits(torch.full((1, GRID, GRID), -6.0), BOX_LOOK, InputTransform(BOX_LOOK.shape, SQUARE, SIZE))
        assert where_to_look(clicked((120, 90)).refining(nothing), SHAPE, SQUARE) == Look.whole(SHAPE)


class TestAnswer:
    def test_a_box_is_looked_at_enlarged_in_one_pass(self, looking, network, wide, clicked):
        with _passes(network) as passes:
            (answer,), (score,) = looking.answer(wide, SQUARE, [clicked(box=BOX)])
        assert len(passes) == 1
        assert answer.look == BOX_LOOK and answer.logits.shape == (1, GRID, GRID)
        assert 0 <= score <= 1
        expected = InputTransform((68, 68), SQUARE, SIZE).image(wide[61:129, 86:154])
        torch.testing.assert_close(passes[0][0], expected)

    def test_nothing_is_found_outside_of_the_look(self, looking, network, wide, clicked):
        _always(network, 5.0)
        (answer,), _ = looking.answer(wide, SQUARE, [clicked(box=BOX)])
        picture = answer.in_picture(SHAPE)
        outside = np.ones(SHAPE, dtype=bool)
        outside[61:129, 86:154] = False
        assert (picture[outside] == -20).all() and (picture[~outside] == 5).all()

    def test_prompts_reach_the_network_where_the_look_shows_them(self, looking, network, wide, clicked):
        with _passes(network) as passes:
            looking.answer(wide, SQUARE, [clicked((120, 90), box=BOX)])
        ((_, prompts),) = passes
        # A look of 68 pixels fills the 64 of the input; the box begins 14 columns and 19 rows into it.
        scale = SIZE / 68
        expected = [
            (34.5 * scale - 0.5, 29.5 * scale - 0.5),
            (14 * scale - 0.5, 19 * scale - 0.5),
            (54 * scale - 0.5, 49 * scale - 0.5),
        ]
        np.testing.assert_allclose(prompts.points_xy[0], expected, atol=1e-4)
        assert prompts.point_labels.tolist() == [[1, 2, 3]] and not prompts.has_mask.any()

    def test_a_lone_click_is_answered_on_the_whole_picture_and_then_around_that_answer(
        self, looking, network, wide, clicked
    ):
        found = torch.full((1, 1, GRID, GRID), -20.0)
        found[..., 15:17, 14:18] = 20.0
        first = iter([found])
        network.register_forward_hook(lambda _module, _inputs, output: next(first, output))
        with _passes(network) as passes:
            (answer,), _ = looking.answer(wide, SQUARE, [clicked((150, 100))])
        assert len(passes) == 2
        (whole, alone), (part, with_mask) = passes
        torch.testing.assert_close(whole, InputTransform(SHAPE, SQUARE, SIZE).image(wide))
        assert not alone.has_mask.any() and with_mask.has_mask.all()
        # Four cells of 9.4 pixels around the middle of the picture.
        look = answer.look
        assert abs((look.x0 + look.x1) / 2 - 150) <= 3 and abs((look.y0 + look.y1) / 2 - 100) <= 3
        assert 0.8 < look.shape[0] / (1.7 * 4 * 9.4) < 1.2
        torch.testing.assert_close(part, InputTransform(look.shape, SQUARE, SIZE).image(look.cut(wide)))
        # The first answer comes with it, as wide as 1 / 1.7 of the look.
        seen = with_mask.mask_logits[0, 0] > 0
        assert seen[16, 16] and 0.5 < seen.any(dim=0).float().mean() < 0.7

    def test_after_an_empty_first_answer_it_stays_on_the_whole_picture(self, looking, network, wide, clicked):
        _always(network, -5.0)
        with _passes(network) as passes:
            (answer,), (score,) = looking.answer(wide, SQUARE, [clicked((150, 100))])
        assert len(passes) == 2 and torch.equal(passes[0][0], passes[1][0])
        assert answer.look == Look.whole(SHAPE)
        assert not (answer.in_picture(SHAPE) > 0).any() and score == 0

    def test_a_correction_looks_on_from_the_same_place_in_one_pass(self, looking, network, wide, clicked, earlier):
        found = earlier(BOX_LOOK)
        with _passes(network) as passes:
            (answer,), _ = looking.answer(wide, SQUARE, [clicked((120, 90)).refining(found)])
        ((_, prompts),) = passes
        assert answer.look == BOX_LOOK
        assert prompts.has_mask.all() and torch.equal(prompts.mask_logits[0], found.logits)

    def test_a_click_outside_of_the_earlier_look_is_seen_with_what_was_found(
        self, looking, network, wide, clicked, earlier
    ):
        with _passes(network) as passes:
            prompts = clicked((120, 90), (200, 90)).refining(earlier(BOX_LOOK))
            (answer,), _ = looking.answer(wide, SQUARE, [prompts])
        ((_, tensors),) = passes
        assert answer.look.holds((104, 79, 201, 111))
        assert ((tensors.points_xy > 0) & (tensors.points_xy < SIZE)).all()
        # What was found takes the left part of the wider look.
        columns = np.flatnonzero((tensors.mask_logits[0, 0] > 0).any(dim=0))
        assert columns.min() > 4 and columns.max() < 18

    def test_a_box_at_the_edge_is_answered_at_the_edge(self, looking, wide, clicked):
        (answer,), _ = looking.answer(wide, SQUARE, [clicked(box=(0, 170, 30, 200))])
        assert answer.look == Look(-10, 160, 41, 211)
        assert answer.in_picture(SHAPE).shape == SHAPE

    def test_pixels_that_are_not_square_are_shown_as_long_as_they_are(self, looking, network, wide, clicked):
        with _passes(network) as passes:
            (answer,), _ = looking.answer(wide, (2.0, 1.0), [clicked(box=BOX)])
        rows, columns = answer.look.shape
        assert columns == 2 * rows
        (x0, y0), (x1, y1) = passes[0][1].points_xy[0].tolist()
        # 40 mm across and 60 mm down.
        assert (y1 - y0) / (x1 - x0) == pytest.approx(1.5, rel=0.03)

    def test_many_objects_are_answered_in_chunks_and_as_if_each_were_alone(
        self, looking, network, wide, clicked, earlier
    ):
        mask = np.zeros(SHAPE, dtype=bool)
        mask[30:70, 200:260] = True
        objects = [clicked(box=(10 + 5 * row, 20, 60 + 7 * row, 90)) for row in range(AT_ONCE + 1)]
        objects += [replace(clicked(), mask=mask), clicked((120, 90)).refining(earlier(BOX_LOOK)), clicked(box=BOX)]
        with _passes(network) as passes:
            answers, scores = looking.answer(wide, SQUARE, objects)
        assert [len(prompts.image_index) for _, prompts in passes] == [AT_ONCE, 4]
        # Two of the last four look at the same place.
        assert [len(images) for images, _ in passes] == [AT_ONCE, 3]
        for together, score, prompts in zip(answers, scores, objects, strict=True):
            (single,), (alone,) = looking.answer(wide, SQUARE, [prompts])
            assert together.look == single.look
            torch.testing.assert_close(together.logits, single.logits, atol=1e-4, rtol=1e-4)
            assert score == pytest.approx(alone, abs=1e-4)

    def test_lone_clicks_among_other_prompts_keep_their_order(self, looking, network, wide, clicked):
        _always(network, -5.0)
        objects = [clicked(box=BOX), clicked((10, 10)), clicked(box=(0, 170, 30, 200)), clicked((290, 10))]
        with _passes(network) as passes:
            answers, scores = looking.answer(wide, SQUARE, objects)
        whole = Look.whole(SHAPE)
        assert [answer.look for answer in answers] == [BOX_LOOK, whole, Look(-10, 160, 41, 211), whole]
        assert [len(prompts.image_index) for _, prompts in passes] == [2, 4]
        assert len(scores) == 4

    def test_no_prompts_get_no_answers(self, looking, network, wide):
        with _passes(network) as passes:
            assert looking.answer(wide, SQUARE, []) == ([], [])
        assert not passes

    @pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1), (3, 900)])
    def test_the_thinnest_pictures_are_answered(self, shape, looking, clicked):
        thin = np.full((*shape, 3), 128, dtype=np.uint8)
        prompts = [clicked((0, 0)), clicked((0, 0), box=(0, 0, shape[1], shape[0]))]
        for answer in looking.answer(thin, SQUARE, prompts)[0]:
            assert answer.in_picture(shape).shape == shape
            assert np.isfinite(answer.in_picture(shape)).all()
