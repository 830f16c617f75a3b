"""Pictures and what lies on them move alike; perturbations move nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samantic.student.training.augmentation import Movement, moved, moved_labels, recoloured
from samantic.student.training.perturbations import drawn_perturbations, perturbed
from samantic.training import SettingsError


def discs(count: int, side: int = 64) -> torch.Tensor:
    rows, columns = np.mgrid[:side, :side] - side / 2
    return torch.from_numpy((np.hypot(rows, columns + 8) < 14).astype(np.uint8))[None].repeat(count, 1, 1)


def test_labels_move_with_the_picture() -> None:
    labels = discs(8)
    affine = Movement().drawn(8, np.random.default_rng(0))
    pictures = moved(labels[:, None].float(), affine)[:, 0]
    agreeing = ((pictures > 0.5) == (moved_labels(labels, 2, affine) == 1)).float().mean()
    assert agreeing > 0.995
    assert moved_labels(labels, 2, affine).dtype == torch.long


def test_a_movement_keeps_areas_but_for_its_scale() -> None:
    labels = discs(40)
    still = Movement(scale=0.0, shift=0.0)
    areas = moved_labels(labels, 2, still.drawn(40, np.random.default_rng(1))).sum(dim=(1, 2)).float()
    assert abs(areas.mean() / labels[0].sum() - 1) < 0.1 and areas.std() / areas.mean() < 0.05


def test_without_turn_and_mirror_left_stays_left() -> None:
    labels = discs(20)
    upright = Movement(turn_degrees=10, mirror=False)
    found = moved_labels(labels, 2, upright.drawn(20, np.random.default_rng(2)))
    columns = (found * torch.arange(64)).sum(dim=(1, 2)) / found.sum(dim=(1, 2))
    assert (columns < 34).float().mean() > 0.8


def test_a_movement_out_of_range_is_refused() -> None:
    with pytest.raises(SettingsError, match="turn_degrees must be 0 to 180"):
        Movement(turn_degrees=270)


def test_colours_change_and_stay_colours() -> None:
    pictures = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    changed = recoloured(pictures.clone(), np.random.default_rng(2))
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1 and not torch.allclose(changed, pictures)


def test_a_perturbation_is_a_pictures_own_and_moves_no_pixel() -> None:
    numbers = drawn_perturbations(4, 2, seed=7)
    torch.testing.assert_close(drawn_perturbations(6, 2, seed=7)[:4], numbers)
    assert not torch.allclose(numbers[0], numbers[1])
    pictures = discs(4)[:, None].float().repeat(1, 3, 1, 1) * 0.6 + 0.2
    changed = perturbed(pictures, numbers[:, 0])
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1
    for one in changed:
        # Equal pixels stay equal, and different ones different.
        assert one[:, discs(1)[0] == 1].std(dim=1).max() < 1e-6
        assert not torch.allclose(one[:, 0, 0], one[:, 32, 24])
