from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from samantic.segsam.calibration import Calibration, DomainCalibration
from samantic.segsam.familiarity import ImageFamiliarity
from samantic.segsam.naming import ClassEvidence, ObjectNamer, class_evidence, knownness

NAMES = ("liver", "spleen", "aorta")
FAMILIAR = ImageFamiliarity("ct", 0.4)
STRANGE = ImageFamiliarity("ct", 1.5)


def namer(temperature: float = 1.0, smallest_knownness: float = 0.5) -> ObjectNamer:
    domain = DomainCalibration(temperature, smallest_knownness)
    return ObjectNamer(NAMES, Calibration({"ct": domain}, SimpleNamespace(domains=("ct",))))  # type: ignore[arg-type]


def evidence(*shares: float, background: float = 0.0) -> ClassEvidence:
    return ClassEvidence(torch.tensor(shares).log(), background)


def semantic_masks() -> torch.Tensor:
    """Background on the left, class 1 at the upper right, class 2 at the lower right: logits (4, 8, 8)."""
    logits = torch.full((4, 8, 8), -4.0)
    logits[0, :, :4] = 4.0
    logits[2, :4, 4:] = 4.0
    logits[3, 4:, 4:] = 4.0
    return logits


def mask_over(rows: slice, columns: slice) -> torch.Tensor:
    mask = torch.full((16, 16), -15.0)
    mask[rows, columns] = 15.0
    return mask


def test_the_class_inside_the_mask_has_the_evidence():
    upper = class_evidence(semantic_masks(), mask_over(slice(0, 8), slice(8, 16)))
    lower = class_evidence(semantic_masks(), mask_over(slice(8, 16), slice(8, 16)))
    assert upper.class_logits.argmax() == 1
    assert lower.class_logits.argmax() == 2
    assert upper.background_share == pytest.approx(0, abs=0.01)
    assert float(upper.class_logits.exp().sum()) == pytest.approx(1, abs=1e-4)


def test_a_mask_over_background_has_a_large_background_share():
    assert class_evidence(semantic_masks(), mask_over(slice(0, 16), slice(0, 8))).background_share > 0.9
    half = class_evidence(semantic_masks(), mask_over(slice(0, 8), slice(0, 16)))
    assert half.background_share == pytest.approx(0.5, abs=0.05)


def test_an_empty_mask_still_gives_numbers():
    empty = class_evidence(semantic_masks(), torch.full((16, 16), -1e4))
    assert torch.isfinite(empty.class_logits).all()
    assert math.isfinite(empty.background_share)


def test_the_temperature_of_the_domain_moderates_the_confidence():
    sharp = namer(temperature=1.0).name(evidence(0.8, 0.15, 0.05), None, [0, 1, 2], FAMILIAR)
    soft = namer(temperature=4.0).name(evidence(0.8, 0.15, 0.05), None, [0, 1, 2], FAMILIAR)
    assert sharp.class_confidence == pytest.approx(0.8)
    assert 1 / 3 < soft.class_confidence < 0.6
    assert soft.predicted_class == sharp.predicted_class == "liver"
    assert sum(soft.probabilities.values()) == pytest.approx(1)


def test_a_name_is_unsure_below_the_smallest_knownness():
    assert namer(smallest_knownness=0.75).name(evidence(0.8, 0.1, 0.1), None, [0, 1, 2], FAMILIAR).unsure is False
    assert namer(smallest_knownness=0.85).name(evidence(0.8, 0.1, 0.1), None, [0, 1, 2], FAMILIAR).unsure is True


def test_tissue_of_no_class_is_unsure_however_clear_the_likeliest_class():
    clear = evidence(0.98, 0.01, 0.01, background=0.7)
    assert knownness(0.98, 0.7) == pytest.approx(0.98 * 0.3 * 0.3)
    assert namer().name(clear, None, [0, 1, 2], FAMILIAR).unsure is True


def test_every_name_in_a_strange_picture_is_unsure():
    assert namer(smallest_knownness=0.0).name(evidence(1.0, 0.0, 0.0), None, [0, 1, 2], STRANGE).unsure is True


def test_a_network_without_a_calibration_is_neither_sure_nor_unsure():
    plain = ObjectNamer(NAMES).name(evidence(0.8, 0.1, 0.1), None, [0, 1, 2], None)
    assert plain.unsure is None
    assert plain.class_confidence == pytest.approx(0.8)


def test_candidates_share_the_probability_and_the_confidence_stays_that_among_all():
    named = namer().name(evidence(0.7, 0.2, 0.1), None, [1, 2], FAMILIAR)
    assert named.probabilities == pytest.approx({"spleen": 2 / 3, "aorta": 1 / 3})
    assert named.class_confidence == pytest.approx(0.2)
    assert named.unsure is True


def test_presence_is_that_of_every_other_class():
    named = namer().name(evidence(0.7, 0.2, 0.1), torch.tensor([9.0, 0.0, -9.0]), [0, 1, 2], FAMILIAR)
    assert named.presence == pytest.approx({"spleen": 0.5, "aorta": 0.0}, abs=1e-3)
