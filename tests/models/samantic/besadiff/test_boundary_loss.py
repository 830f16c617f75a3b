"""The later the step, the more the border counts."""

from __future__ import annotations

import numpy as np
import torch

from samantic.besadiff.boundary_loss import boundary_aware_loss, boundary_weights
from samantic.besadiff.distance_maps import signed_distance
from samantic.besadiff.noise_schedule import STEPS


def disc(radius: float, side: int = 64) -> torch.Tensor:
    rows, columns = np.mgrid[:side, :side] - side / 2 + 0.5
    return signed_distance(rows**2 + columns**2 < radius**2, side)[None, None]


def test_the_border_weighs_most_and_the_more_the_less_noise_is_left() -> None:
    distances = disc(16)
    early, late = (boundary_weights(distances, torch.tensor([step]), 0.25)[0, 0] for step in (STEPS - 1, 1))
    border, far = (32, 16), (0, 0)
    assert float(late[border]) > 0.95
    assert float(late[far]) == 0
    middle = (32, 24)
    assert float(late[middle]) < float(early[middle]) < 1
    assert float(early[border]) > 0.98


def test_a_lesion_under_one_per_cent_is_weighted_evenly() -> None:
    assert bool((boundary_weights(disc(3), torch.tensor([1]), 0.25) == 1).all())
    assert not bool((boundary_weights(disc(8), torch.tensor([1]), 0.25) == 1).all())


def test_without_the_boundary_the_loss_is_the_mean_squared_error_and_with_it_more() -> None:
    generator = torch.Generator().manual_seed(1)
    predicted, target = (torch.randn(2, 1, 64, 64, generator=generator) for _ in range(2))
    distances, steps = disc(16).expand(2, -1, -1, -1), torch.tensor([10, 200])
    plain = boundary_aware_loss(predicted, target, distances, steps, weight=0)
    assert torch.isclose(plain, (predicted - target).square().mean())
    weighted = boundary_aware_loss(predicted, target, distances, steps)
    assert plain < weighted < 1.25 * plain


def test_distances_are_measured_to_the_line_between_pixels_and_their_sign_is_the_mask() -> None:
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    distances = signed_distance(mask, 32).numpy()
    assert np.array_equal(distances > 0, mask)
    assert distances[16, 8] == 0.5
    assert distances[16, 7] == -0.5
    assert abs(distances[16, 15] - 7.5) < 0.2


def test_a_mask_without_a_border_is_far_from_it_everywhere() -> None:
    assert bool((signed_distance(np.zeros((20, 30), bool), 16) == -16).all())
    assert bool((signed_distance(np.ones((20, 30), bool), 16) == 16).all())
