from __future__ import annotations

import json

import numpy as np
import pytest

from samantic.besadiff.generator import ConditionDistribution, LesionCondition, condition_of
from samantic.besadiff.generator.condition_input import VECTOR_LENGTH, condition_planes, condition_vectors


def test_the_condition_of_a_rectangle_is_its_share_and_its_middle() -> None:
    mask = np.zeros((40, 80), dtype=bool)
    mask[10:20, 60:80] = True
    condition = condition_of(mask, "melanoma")
    assert condition.diagnosis == "melanoma"
    assert condition.area == pytest.approx(200 / 3200)
    assert condition.centre_yx == pytest.approx((15 / 40, 70 / 80))


def test_an_empty_mask_has_no_place() -> None:
    assert condition_of(np.zeros((8, 8))) == LesionCondition(None, 0.0, None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"diagnosis": "mole"}, "nevus, melanoma"),
        ({"area": 1.2}, "1.2"),
        ({"area": float("nan")}, "nan"),
        ({"centre_yx": (0.5, -0.1)}, "-0.1"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LesionCondition(**values)  # type: ignore[arg-type]


def test_drawn_conditions_are_near_measured_ones_and_as_frequent() -> None:
    measured = [LesionCondition("nevus", 0.1, (0.4, 0.6))] * 30 + [LesionCondition("melanoma", 0.5, (0.5, 0.5))] * 10
    distribution = ConditionDistribution.of(measured)
    random = np.random.default_rng(0)
    drawn = [distribution.draw(random) for _ in range(400)]
    nevi = [condition for condition in drawn if condition.diagnosis == "nevus"]
    assert 0.65 < len(nevi) / len(drawn) < 0.85
    areas = np.array([condition.area for condition in nevi], dtype=float)
    assert np.median(areas) == pytest.approx(0.1, rel=0.1)
    assert len(set(areas)) == len(areas), "conditions are not those of training images"
    assert all(distribution.draw(random, "melanoma").diagnosis == "melanoma" for _ in range(5))


def test_a_diagnosis_that_was_never_measured_cannot_be_drawn(conditions: ConditionDistribution) -> None:
    with pytest.raises(ValueError, match=r"seborrheic_keratosis.*melanoma, nevus"):
        conditions.draw(np.random.default_rng(0), "seborrheic_keratosis")
    with pytest.raises(ValueError, match="no lesion"):
        ConditionDistribution({}).draw(np.random.default_rng(0))


def test_a_distribution_survives_its_text(conditions: ConditionDistribution) -> None:
    assert ConditionDistribution.from_json(conditions.to_json()) == conditions


@pytest.mark.parametrize("text", ["[]", '{"mole": []}', '{"nevus": 3}', '{"nevus": [[0.1, 0.2]]}', '{"": [[1, 2, 3]]}'])
def test_a_text_that_is_no_distribution_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"distribution|diagnosis|lesion"):
        ConditionDistribution.from_json(text)
    json.loads(text)


def test_an_open_condition_is_all_zero_and_an_empty_lesion_is_not() -> None:
    vectors = condition_vectors([LesionCondition(), LesionCondition(area=0.0)])
    assert vectors.shape == (2, VECTOR_LENGTH)
    assert not vectors[0].any()
    assert vectors[1].any()


def test_the_disc_has_the_lesions_size_and_place_and_is_absent_where_one_of_them_is_open() -> None:
    complete, without_place = condition_planes([LesionCondition(None, 0.2, (0.3, 0.6)), LesionCondition(area=0.2)], 64)
    shown = condition_of(complete[0].numpy() > 0)
    assert shown.area == pytest.approx(0.2, abs=0.01)
    assert shown.centre_yx == pytest.approx((0.3, 0.6), abs=0.01)
    assert not without_place[0].any()
    assert without_place[1:].equal(complete[1:])
