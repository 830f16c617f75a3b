from __future__ import annotations

import pytest

from samantic.besadiff.refiner import AcceptanceRules

GOOD = {
    "iou_with_coarse": 0.9,
    "mean_variance": 0.02,
    "area_share": 0.2,
    "agreement": 0.9,
    "predicted_iou": 0.9,
}


def test_a_good_mask_breaks_no_rule() -> None:
    assert AcceptanceRules().reasons(GOOD) == ()


@pytest.mark.parametrize(
    ("score", "value", "says"),
    [
        ("iou_with_coarse", 0.59, "overlaps with the coarse one by an IoU of 0.59, less than 0.6"),
        ("mean_variance", 0.2, "members disagree about the border: mean variance 0.200"),
        ("area_share", 0.004, "covers 0.4% of the image; 0.5% to 85% is allowed"),
        ("area_share", 0.86, "covers 86.0% of the image"),
        ("agreement", 0.3, "SAM and the diffusion agree with an IoU of 0.30 only"),
        ("predicted_iou", 0.2, "SAM expects an IoU of 0.20 of its own answer"),
    ],
)
def test_every_broken_rule_is_one_sentence(score: str, value: float, says: str) -> None:
    reasons = AcceptanceRules().reasons({**GOOD, score: value})
    assert len(reasons) == 1
    assert says in reasons[0]


def test_all_broken_rules_are_named() -> None:
    assert len(AcceptanceRules().reasons({**GOOD, "iou_with_coarse": 0.1, "area_share": 0.0})) == 2


def test_rules_that_nothing_can_keep_are_refused() -> None:
    with pytest.raises(ValueError, match="smallest_area must be below largest_area"):
        AcceptanceRules(smallest_area=0.9)
    with pytest.raises(ValueError, match="smallest_agreement must lie between 0 and 1, not 2"):
        AcceptanceRules(smallest_agreement=2)
