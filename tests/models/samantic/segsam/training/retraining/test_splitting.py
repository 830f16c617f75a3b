"""Which images are held out."""

from __future__ import annotations

import itertools

from samantic.segsam.training.retraining import held_out_ids

IDS = [f"image{number}" for number in range(200)]


def test_about_the_share_is_held_out():
    assert 25 <= len(held_out_ids(IDS, 0.2)) <= 55


def test_an_image_that_was_learned_from_is_never_held_out_as_others_come():
    learned: set[str] = set()
    for count in range(2, 60):
        ids = IDS[:count]
        held_out = held_out_ids(ids, 0.2, learned)
        assert held_out and not held_out & learned
        learned |= set(ids) - held_out


def test_an_image_does_not_change_sides_once_there_are_enough():
    for fewer, more in itertools.pairwise(range(30, 120, 10)):
        assert held_out_ids(IDS[:fewer], 0.2) == held_out_ids(IDS[:more], 0.2) & set(IDS[:fewer])


def test_of_two_images_one_is_held_out_and_of_one_none():
    assert len(held_out_ids(IDS[:2], 0.2)) == len(held_out_ids(IDS[:2], 0.9)) == 1
    assert held_out_ids(IDS[:1], 0.9) == held_out_ids([], 0.2) == frozenset()


def test_ids_that_are_given_are_held_out_and_no_others():
    assert held_out_ids(IDS, 0.2, given=frozenset({"image3", "elsewhere"})) == {"image3"}
    assert held_out_ids(IDS, 0.2, given=frozenset()) == frozenset()
