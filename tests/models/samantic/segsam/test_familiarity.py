from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samantic.segsam.familiarity import Familiarity, ImageFamiliarity, fit_familiarity, pooled_features
from samantic.segsam.input_transform import InputTransform

DOMAINS = ("ct", "dermoscopy", "breast_ultrasound")
FEATURES = 60


def cluster(domain: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Points of one domain (count, 60): a Gaussian with a direction and spread of its own."""
    centre = np.zeros(FEATURES)
    centre[20 * domain : 20 * domain + 20] = 3.0
    spread = np.linspace(0.3, 1.5, FEATURES)
    return centre + random.standard_normal((count, FEATURES)) * np.roll(spread, 20 * domain)


@pytest.fixture(scope="module")
def fitted() -> Familiarity:
    random = np.random.default_rng(0)
    outliers = random.uniform(-8, 8, (300, FEATURES))
    return fit_familiarity(
        {name: cluster(index, 150, random) for index, name in enumerate(DOMAINS)},
        {name: cluster(index, 200, random) for index, name in enumerate(DOMAINS)},
        outliers,
        quantile=0.99,
    )


@pytest.mark.parametrize("domain", range(len(DOMAINS)))
def test_new_points_of_a_domain_are_familiar_and_of_that_domain(fitted: Familiarity, domain: int):
    found, distance = fitted.measured(cluster(domain, 400, np.random.default_rng(100 + domain)))
    assert (found == domain).mean() > 0.98
    assert (distance > 1).mean() < 0.05


def test_outliers_like_those_it_has_seen_are_strange(fitted: Familiarity):
    _, distance = fitted.measured(np.random.default_rng(5).uniform(-8, 8, (400, FEATURES)))
    assert (distance > 1).mean() > 0.98


def test_a_cluster_that_it_has_never_seen_is_strange(fitted: Familiarity):
    elsewhere = -2.5 + np.random.default_rng(6).standard_normal((400, FEATURES))
    _, distance = fitted.measured(elsewhere)
    assert (distance > 1).mean() > 0.95


def test_the_threshold_is_passed_by_the_quantile_of_held_out_points():
    random = np.random.default_rng(0)
    training = {name: cluster(index, 150, random) for index, name in enumerate(DOMAINS)}
    held_out = {name: cluster(index, 200, random) for index, name in enumerate(DOMAINS)}
    strict, lenient = (
        fit_familiarity(training, held_out, random.uniform(-8, 8, (300, FEATURES)), quantile) for quantile in (0.5, 1.0)
    )
    flagged = [(fit.measured(held_out["ct"])[1] > 1).mean() for fit in (strict, lenient)]
    assert 0.5 <= flagged[0] < 0.8
    assert flagged[1] == 0


@pytest.mark.parametrize(("distance", "strange"), [(0.0, False), (1.0, False), (1.01, True), (np.inf, True)])
def test_beyond_one_a_picture_is_out_of_domain(distance: float, strange: bool):
    assert ImageFamiliarity("ct", distance).out_of_domain is strange


def test_a_distance_that_is_no_number_is_out_of_domain(fitted: Familiarity):
    assert ImageFamiliarity("ct", float("nan")).out_of_domain is True
    _, (distance,) = fitted.measured(np.full((1, FEATURES), np.nan))
    assert ImageFamiliarity("ct", float(distance)).out_of_domain is True


def test_it_comes_back_from_its_tensors(fitted: Familiarity):
    again = Familiarity.from_tensors(DOMAINS, fitted.tensors())
    points = np.concatenate([cluster(index, 50, np.random.default_rng(7)) for index in range(3)])
    for before, after in zip(fitted.measured(points), again.measured(points), strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("centre", torch.zeros(7), "'centre' has shape"),
        ("basis", torch.zeros(60), "is no matrix"),
        ("means", torch.zeros(2, 60), "'means' has shape"),
        ("precisions", torch.full((3, 48, 48), torch.nan), "not finite"),
        ("scale", torch.zeros(60), "'scale' must be positive"),
        ("residuals", -torch.ones(3), "'residuals' must be positive"),
        ("distance_thresholds", torch.tensor([1.0, -1.0, 1.0]), "'distance_thresholds' must be positive"),
        ("outlier_thresholds", torch.tensor([1.0, 0.0, 1.0]), "'outlier_thresholds' must be positive"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(
    fitted: Familiarity, name: str, value: torch.Tensor, complaint: str
):
    with pytest.raises(ValueError, match=complaint):
        Familiarity.from_tensors(DOMAINS, fitted.tensors() | {name: value})


def test_a_missing_tensor_is_refused_by_name(fitted: Familiarity):
    tensors = fitted.tensors()
    del tensors["weights"]
    with pytest.raises(ValueError, match="lacks 'weights'"):
        Familiarity.from_tensors(DOMAINS, tensors)


def test_a_calibration_of_other_domains_is_refused(fitted: Familiarity):
    with pytest.raises(ValueError, match="has shape"):
        Familiarity.from_tensors(("ct",), fitted.tensors())


def test_the_border_around_the_picture_takes_no_part():
    transform = InputTransform((32, 64), (1.0, 1.0), 64)
    maps = {"image_embedding": torch.rand(1, 5, 16, 16, generator=torch.Generator().manual_seed(0))}
    (top, _), (rows, _) = transform.offset_yx, transform.inner_shape
    changed = maps["image_embedding"].clone()
    changed[:, :, : top // 4] = 9
    changed[:, :, (top + rows + 3) // 4 :] = 9
    assert not torch.equal(changed, maps["image_embedding"])
    pooled = pooled_features(maps, transform)
    assert pooled.shape == (20,)
    np.testing.assert_array_equal(pooled, pooled_features({"image_embedding": changed}, transform))


def test_two_textures_of_the_same_values_are_told_apart():
    transform = InputTransform((64, 64), (1.0, 1.0), 64)
    coarse = torch.zeros(1, 1, 16, 16)
    coarse[..., :8] = 1
    fine = torch.zeros(1, 1, 16, 16)
    fine[..., ::2] = 1
    one, other = (pooled_features({"image_embedding": maps}, transform) for maps in (coarse, fine))
    np.testing.assert_allclose(one[:2], other[:2])
    assert np.abs(one[2:] - other[2:]).max() > 0.5


def test_a_picture_of_one_row_still_has_features():
    transform = InputTransform((1, 64), (1.0, 1.0), 64)
    assert np.isfinite(pooled_features({"image_embedding": torch.rand(1, 3, 16, 16)}, transform)).all()


def test_of_reads_the_first_picture(fitted: Familiarity):
    maps = {"image_embedding": torch.rand(1, FEATURES // 4, 16, 16)}
    transform = InputTransform((64, 64), (1.0, 1.0), 64)
    familiarity = replace(fitted, distance_thresholds=np.full(3, 1e-6)).of(maps, transform)
    assert familiarity.domain in DOMAINS
    assert familiarity.out_of_domain
