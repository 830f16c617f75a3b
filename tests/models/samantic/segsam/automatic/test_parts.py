from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.segsam import SegSamPredictor
from samantic.segsam.automatic import GridOptions
from samantic.segsam.automatic.coarse_map import CoarseMap
from samantic.segsam.automatic.components import islands_in
from samantic.segsam.automatic.drawing import draw_maps, draw_proposals
from samantic.segsam.automatic.grid import grid_proposals
from samantic.segsam.automatic.proposals import Proposal, overlap, stability, without_repeats
from samantic.segsam.automatic.regions import regions_of, sure_regions
from samantic.segsam.cancelling import Cancelled


def block(value: int, x0: int, y0: int, x1: int, y1: int, score: float = 0.9, probability: float = 0.9) -> Proposal:
    mask = np.ones((y1 - y0, x1 - x0), bool)
    return Proposal(value, (x0, y0, x1, y1), mask, np.full(mask.shape, probability, np.float16), score)


def test_overlap_is_that_of_the_masks_in_the_picture() -> None:
    one, other = block(1, 0, 0, 10, 10), block(1, 5, 0, 15, 10)
    assert overlap(one, other) == pytest.approx(50 / 150)
    assert overlap(one, block(2, 10, 0, 20, 10)) == 0
    other.mask[:, :5] = False
    assert overlap(one, other) == 0


def test_of_proposals_that_overlap_the_surest_stays_whatever_it_is_called() -> None:
    sure, repeat, apart = block(1, 0, 0, 10, 10, 0.9), block(2, 0, 0, 10, 9, 0.8), block(1, 20, 0, 30, 10, 0.5)
    assert without_repeats([repeat, apart, sure], 0.5) == [sure, apart]


def test_the_surer_proposal_has_the_pixels_that_two_claim() -> None:
    drawn = draw_proposals([block(1, 0, 0, 6, 4, score=0.5), block(2, 4, 0, 10, 4, score=0.9)], (5, 12))
    assert drawn.labels[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0]
    assert not drawn.labels[4].any()
    assert drawn.confidence[0, 0] < drawn.confidence[0, 9]


def test_a_mask_with_sharp_borders_is_stable_and_a_vague_one_is_not() -> None:
    sharp = np.where(np.arange(100).reshape(10, 10) < 50, 9.0, -9.0)
    assert stability(sharp) == 1
    assert stability(np.linspace(-2, 2, 100).reshape(10, 10)) < 0.5
    assert stability(np.full((4, 4), -9.0)) == 0


def test_prompted_objects_move_borders_by_their_share() -> None:
    log = torch.tensor([[0.6, 0.6, 0.6], [0.4, 0.4, 0.4]]).log()[:, None, :].expand(2, 3, 3)
    maps = [CoarseMap(log, torch.eye(3), torch.eye(3))]
    objects = [block(1, 0, 0, 2, 2, probability=0.9)]
    assert not draw_maps(maps).labels.any()
    assert not draw_maps(maps, objects, 0.1).labels.any()
    drawn = draw_maps(maps, objects, 0.5)
    assert drawn.labels.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert drawn.confidence[0, 0] == pytest.approx(0.65, abs=0.01)


def test_a_picture_in_which_nothing_is_likely_is_empty_and_sure() -> None:
    log = torch.tensor([0.999, 0.0005, 0.0005]).log()[:, None, None].expand(3, 4, 4)
    drawn = draw_maps([CoarseMap(log, torch.eye(4), torch.eye(4))])
    assert not drawn.labels.any()
    assert drawn.confidence.min() > 0.99
    assert drawn.uncertainty.max() == 0


def test_regions_are_connected_parts_with_box_mask_and_core() -> None:
    labels = np.zeros((20, 30), np.uint8)
    labels[2:9, 3:8], labels[12:15, 20:28], labels[0, 29] = 2, 2, 1
    large, small = regions_of(labels, np.full(labels.shape, 0.7))[:2]
    assert (large.box_xyxy, small.box_xyxy) == ((3, 2, 8, 9), (20, 12, 28, 15))
    assert large.surety == pytest.approx(0.7)
    prompts = large.prompts(labels.shape)
    assert prompts.points_xy.tolist() == [[5, 4]] or prompts.points_xy.tolist() == [[5, 5]]
    assert prompts.box_xyxy == (3, 2, 8, 9)
    assert np.array_equal(prompts.mask, (labels == 2) & (np.arange(30) < 10))


def test_parts_that_are_small_beside_the_largest_of_their_structure_are_islands() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[2:8, 2:8, 2:8], labels[12:17, 2:8, 2:8], labels[18, 18, 18] = 1, 1, 1
    labels[2:4, 12:14, 2] = 2
    islands = islands_in(labels, 0.25)
    assert np.argwhere(islands).tolist() == [[18, 18, 18]]
    labels[8, 8, 8] = 1
    assert not islands_in(labels, 0.25)[8, 8, 8]
    assert not islands_in(labels, 0.0).any()


def test_regions_that_are_less_sure_than_the_surest_of_their_class_are_left_out() -> None:
    labels, confidence = np.zeros((10, 40), np.uint8), np.zeros((10, 40))
    for number, (value, surety) in enumerate(((1, 0.95), (1, 0.92), (1, 0.8), (2, 0.8), (3, 0.6))):
        labels[2:8, 8 * number : 8 * number + 6] = value
        confidence[2:8, 8 * number : 8 * number + 6] = surety
    kept = sure_regions(regions_of(labels, confidence), lowest_surety=0.75, share_of_surest=0.95)
    assert [(one.value, round(one.surety, 2)) for one in kept] == [(1, 0.95), (1, 0.92), (2, 0.8)]
    assert len(sure_regions(regions_of(labels, confidence), 0.0, 0.0)) == 5


def test_a_grid_of_clicks_keeps_only_what_is_asked_for_and_good_enough(headless: SegSamPredictor) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    features = headless.encode(picture)
    anything = {"lowest_presence": 0, "lowest_quality": 0, "lowest_share": 0, "lowest_stability": 0}
    known = headless.class_names
    found = grid_proposals(headless, features, known, GridOptions(points=4, **anything))
    assert found
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(overlap(a, b) < 0.5 for n, a in enumerate(found) for b in found[:n])
    other = tuple(name for number, name in enumerate(known, 1) if number not in {one.value for one in found})
    assert grid_proposals(headless, features, other, GridOptions(points=4, **anything)) == []
    assert grid_proposals(headless, features, known, GridOptions(points=4, **{**anything, "lowest_quality": 1})) == []


def test_what_the_co_tokens_do_not_see_is_looked_for_from_the_coarse_points_only(
    headless: SegSamPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = headless.encode(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    asked: list[int] = []
    decode = SegSamPredictor.decode

    def counting(self: SegSamPredictor, features, prompts, *rest):  # type: ignore[no-untyped-def]
        asked.append(len(prompts))
        return decode(self, features, prompts, *rest)

    monkeypatch.setattr(SegSamPredictor, "decode", counting)
    assert grid_proposals(headless, features, ("liver",), GridOptions(points=9, lowest_presence=1.1)) == []
    assert sum(asked) == 9


def test_a_grid_of_clicks_stops_when_it_is_told_to(headless: SegSamPredictor) -> None:
    features = headless.encode(np.zeros((40, 60, 3), np.uint8))

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        grid_proposals(headless, features, ("liver",), GridOptions(), check=stop)
