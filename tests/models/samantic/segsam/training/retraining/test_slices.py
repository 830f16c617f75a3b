"""Which slices of a volume are learned from."""

from __future__ import annotations

import numpy as np
import pytest

from samantic.segsam import SegSam, SegSamPredictor
from samantic.segsam.training.retraining.slices import UNNAMED, SliceReader, chosen_slices, evenly


def test_slices_are_chosen_evenly_among_those_with_a_label_and_some_without():
    has_label = np.zeros(100, dtype=bool)
    has_label[40:80] = True
    chosen = chosen_slices(has_label, 10, 0.2)
    with_label = [index for index in chosen if has_label[index]]
    assert len(chosen) == 10 and len(with_label) == 8
    assert with_label[0] < 45 and with_label[-1] > 74 and max(np.diff(with_label)) <= 6


@pytest.mark.parametrize(("labelled", "count", "expected"), [(0, 4, 4), (3, 4, 4), (100, 4, 4), (100, 1, 1)])
def test_there_are_never_more_than_asked_for(labelled: int, count: int, expected: int):
    has_label = np.arange(100) < labelled
    chosen = chosen_slices(has_label, count, 0.25)
    assert len(chosen) == len(set(chosen)) == expected


def test_few_slices_are_all_taken():
    assert evenly([5, 9], 4) == [5, 9]
    assert chosen_slices(np.ones(3, dtype=bool), 12, 0.2) == [0, 1, 2]


def test_values_without_a_name_are_neither_class_nor_background(network: SegSam, a_study):
    image = a_study("one", ("liver", "kidney_left"), {1: "liver", 2: "kidney_left"}, 0)
    predictor = SegSamPredictor(network, "weights", "cpu")
    reader = SliceReader(predictor, 16, (2,), 12, 0.5)
    slices = reader.labelled(image, {1: 0}, keep_labels=True)
    assert [item.classes for item in slices] == [(0,)] * 4
    first = slices[0]
    assert set(np.unique(first.labels)) == {0, 1, UNNAMED}
    told = first.shares.float().sum(dim=0)
    assert told.max() <= 1.001 and told.min() < 0.01
    assert told.sum() < 16 * 16 - 5


def test_all_axes_share_the_slices(network: SegSam, a_study):
    image = a_study("one", ("liver",), {1: "liver"}, 0)
    predictor = SegSamPredictor(network, "weights", "cpu")
    slices = SliceReader(predictor, 16, (0, 1, 2), 7, 0.2).labelled(image, {1: 0}, keep_labels=False)
    assert len(slices) == 7 and len({item.key.digest for item in slices}) == 7
    assert all(item.labels is None for item in slices)
