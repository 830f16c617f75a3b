"""The student's size, shapes, and that its mixers carry a message from one end of the picture to the other."""

from __future__ import annotations

import itertools

import pytest
import torch

from samantic.student import MambaStudent, StudentConfig
from samantic.student.directions import DIRECTIONS, rolled_up, unrolled, unrolled_apart
from samantic.student.mixer import MambaMixer

LARGEST = 1_340_000


def test_it_has_at_most_1_34_million_parameters_and_a_mamba_mixer() -> None:
    student = MambaStudent()
    assert sum(parameter.numel() for parameter in student.parameters()) <= LARGEST
    assert any(isinstance(module, MambaMixer) for module in student.modules())
    assert student.config == StudentConfig()


@pytest.mark.parametrize(("height", "width"), [(128, 128), (64, 96)])
@pytest.mark.parametrize("fold", [4, 2])
def test_every_pixel_gets_a_logit_for_each_class_and_the_background(height: int, width: int, fold: int) -> None:
    config = StudentConfig(class_names=("a", "b"), side=64, fold=fold)
    maps = MambaStudent(config)(torch.rand(2, 3, height, width))
    assert maps.logits.shape == (2, 3, height, width)
    assert maps.features.shape == (2, config.widths[-1], height // config.divisor, width // config.divisor)
    assert maps.pixel_features.shape == (2, config.widths[0], height // config.fold, width // config.fold)


def test_pictures_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        MambaStudent()(torch.rand(1, 3, 100, 128))
    with pytest.raises(ValueError, match="multiples of 32"):
        MambaStudent()(torch.rand(1, 1, 128, 128))


def test_all_parameters_learn() -> None:
    student = MambaStudent(StudentConfig(side=64))
    maps = student(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    (maps.logits * torch.randn(maps.logits.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    silent = [name for name, one in student.named_parameters() if one.grad is None or not one.grad.abs().sum()]
    assert silent == []


def test_a_mixer_hears_from_every_place_in_every_direction() -> None:
    torch.manual_seed(0)
    mixer = MambaMixer(16, expansion=2, head_width=8, state=4)
    # Without normalisation over the picture, which would carry messages by itself.
    mixer.norm = torch.nn.Identity()  # type: ignore[assignment]
    maps = torch.randn(1, 16, 12, 12)
    for (row, column), (there_row, there_column) in itertools.permutations([(0, 0), (0, 11), (11, 0), (11, 11)], 2):
        changed = maps.clone()
        changed[..., row, column] += 3
        difference = (mixer(changed) - mixer(maps))[0, :, there_row, there_column]
        assert difference.abs().max() > 1e-9, (row, column, there_row, there_column)


def test_a_grid_that_is_read_in_four_directions_and_put_back_is_itself_four_times() -> None:
    maps = torch.randn(2, 3, 4, 5)
    sequences = unrolled(maps)
    assert sequences.shape == (DIRECTIONS, 2, 20, 3)
    torch.testing.assert_close(rolled_up(sequences, 4, 5), DIRECTIONS * maps)
    for places in sequences[:, 0, :, 0]:
        assert sorted(places.tolist()) == sorted(maps[0, 0].flatten().tolist())
    assert len({tuple(places.tolist()) for places in sequences[:, 0, :, 0]}) == DIRECTIONS


def test_maps_of_a_direction_are_read_in_its_order() -> None:
    maps = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(unrolled_apart(maps.repeat(1, DIRECTIONS, 1, 1)), unrolled(maps))


def test_bf16_gives_nearly_the_same() -> None:
    torch.manual_seed(0)
    student, pictures = MambaStudent().eval(), torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        exact = student(pictures).logits
        with torch.autocast("cpu", torch.bfloat16):
            rounded = student(pictures).logits.float()
    assert (exact - rounded).abs().mean() < 0.05 * exact.std()


def test_a_configuration_survives_json() -> None:
    config = StudentConfig(("x", "y"), "mr", (0, 2), 64, 2, (16, 32), (1, 0), 2, 16, 8)
    assert StudentConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"class_names": ()}, "at least one name"),
        ({"class_names": ("a", "a")}, "each once"),
        ({"side": 100}, "side must be a multiple of 32"),
        ({"side": 32}, "side must be a multiple of 32 from 64"),
        ({"widths": (32, 72), "mixers": (0,)}, "mixers must be 2 numbers"),
        ({"head_width": 7}, "head_width 7 must divide 2 times the width 136"),
        ({"axes": (3,)}, "axes must be some of 0, 1 and 2"),
        ({"fold": 0}, "fold must be at least 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudentConfig(**values)  # type: ignore[arg-type]
