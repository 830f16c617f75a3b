from __future__ import annotations

import numpy as np
import pytest

from samantic.segsam.training.drawn_sets import DrawnSets
from samantic.training import TrainingError

SETS = {"ct": ["slice"], "busi": ["image", "other image"], "empty": []}


def test_every_set_is_drawn_as_often_as_its_share_says():
    sets = DrawnSets(SETS, {"ct": 3.0, "busi": 1.0, "empty": 0.0})
    drawn = sets.draw(4000, np.random.default_rng(0))
    assert drawn.count("slice") / 4000 == pytest.approx(0.75, abs=0.03)
    assert drawn.count("image") / 4000 == pytest.approx(0.125, abs=0.03)


def test_the_same_generator_draws_the_same_views():
    sets = DrawnSets(SETS, {"ct": 0.5, "busi": 0.5, "empty": 0.0})
    assert sets.draw(20, np.random.default_rng(3)) == sets.draw(20, np.random.default_rng(3))


def test_a_run_is_told_from_others_by_its_shares_and_by_how_many_views_there_are():
    sets = DrawnSets(SETS, {"ct": 0.5, "busi": 0.5, "empty": 0.0})
    assert sets.identity["views"] == {"ct": 1, "busi": 2, "empty": 0}
    assert sets.identity["shares"] == {"ct": 0.5, "busi": 0.5, "empty": 0.0}


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"ct": 1.0}, "Every data set needs its share"),
        ({"ct": 1.0, "busi": -1.0, "empty": 0.0}, "Shares must not be negative"),
        ({"ct": 0.5, "busi": 0.0, "empty": 0.5}, "'empty' has a share of 0.5 but holds no picture"),
    ],
)
def test_shares_that_cannot_be_drawn_by_are_refused(shares: dict[str, float], said: str):
    with pytest.raises(TrainingError, match=said):
        DrawnSets(SETS, shares)
