"""Photographs of any size and volumes of any orientation, with probabilities and uncertainty."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.imaging import Volume, window_for
from samantic.segsam import TrainingManifest
from samantic.student import (
    MambaStudent,
    StudentAnswer,
    StudentConfig,
    StudentError,
    StudentPredictor,
    load_student,
    save_student,
)
from samantic.student.answer import tidied
from samantic.student.squares import LEFT_RIGHT, UPRIGHT, turned
from samantic.student.suitability import orientations_of


class SeesBrightness(MambaStudent):
    """Takes what is brighter than grey for its class, so that places can be followed."""

    def forward(self, pictures: torch.Tensor):
        maps = super().forward(pictures)
        logits = torch.cat([0 * pictures[:, :1], 20 * (pictures.mean(dim=1, keepdim=True) - 0.5)], dim=1)
        return type(maps)(logits, maps.features, maps.pixel_features)


@pytest.fixture
def sees_brightness(tiny_config: StudentConfig) -> StudentPredictor:
    return StudentPredictor(SeesBrightness(tiny_config), "hash", "cpu")


@pytest.fixture
def photograph() -> np.ndarray:
    """(70, 100, 3) uint8, bright in the upper left quarter."""
    picture = np.full((70, 100, 3), 30, np.uint8)
    picture[:35, :50] = 220
    return picture


def test_what_is_found_lies_where_it_is_in_every_orientation(
    sees_brightness: StudentPredictor, photograph: np.ndarray
) -> None:
    for looks in (1, 4, 8):
        answer = sees_brightness.segment(photograph, looks=looks)
        assert answer.labels.shape == (70, 100) and answer.labels.dtype == np.uint8
        assert answer.labels[5:30, 5:45].all() and not answer.labels[40:].any() and not answer.labels[:, 55:].any()


@pytest.mark.parametrize(
    ("domain", "expected"), [("dermoscopy", tuple(range(8))), ("breast_ultrasound", (0, 7)), ("mr", (0,))]
)
def test_pictures_are_turned_only_as_they_may_lie_in_life(
    tiny_config: StudentConfig, domain: str, expected: tuple[int, ...]
) -> None:
    assert orientations_of(dataclasses.replace(tiny_config, domain=domain)) == expected


def test_the_orientation_of_an_ultrasound_beside_upright_is_its_mirror_image() -> None:
    maps = torch.rand(2, 5, 5)
    assert torch.equal(turned(maps, LEFT_RIGHT), maps.flip(-1))
    assert torch.equal(turned(maps, UPRIGHT), maps)


def test_a_component_without_a_sure_quarter_is_left_out() -> None:
    share = np.zeros((40, 40), np.float16)
    share[5:15, 5:15] = 0.6
    share[5:8, 5:15] = 0.9  # a third of the first component
    share[25:35, 25:35] = 0.6
    share[25:27, 25:35] = 0.9  # a fifth of the second
    shares = np.stack([1 - share, share])
    assert (StudentAnswer.of(shares, ("a",)).labels == (share > 0)).all()
    left = StudentAnswer.of(shares, ("a",), 0.75).labels
    assert left[5:15, 5:15].all() and not left[20:].any()


def test_probabilities_sum_to_one_and_the_border_is_less_sure(
    sees_brightness: StudentPredictor, photograph: np.ndarray
) -> None:
    answer = sees_brightness.segment(photograph)
    assert answer.shares.shape == (2, 70, 100)
    np.testing.assert_allclose(answer.shares.astype(np.float32).sum(axis=0), 1, atol=2e-3)
    assert answer.uncertainty.min() >= 0 and answer.uncertainty.max() <= 1
    assert answer.uncertainty[35, 10] > 10 * answer.uncertainty[10, 10]
    assert answer.confidence.min() >= 0.45 and answer.border_uncertainty > answer.uncertainty.mean()


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_volume_is_segmented_in_place_under_every_flip_and_permutation(
    sees_brightness: StudentPredictor, flips: tuple[int, ...], order: tuple[int, ...]
) -> None:
    array = np.zeros((20, 24, 18), np.int16)
    array[2:10, 3:12, 4:13] = 1000
    matrix = np.eye(4)
    matrix[:3, :3] = (np.diag(flips) * 1.0)[:, order]
    volume = Volume(array, matrix, "MR")
    seen = []
    answer = sees_brightness.segment_volume(volume, axes=(0, 1, 2), on_progress=lambda done, _total: seen.append(done))
    assert answer.labels.shape == array.shape and seen[-1] == sum(array.shape)
    agreeing = (answer.labels == 1) == (array > 0)
    assert agreeing.mean() > 0.95 and answer.labels[5, 6, 8] == 1 and answer.labels[15, 20, 2] == 0
    np.testing.assert_allclose(answer.shares.astype(np.float32).sum(axis=0), 1, atol=5e-3)


def test_a_photograph_as_a_volume_gives_the_same_as_its_picture(
    sees_brightness: StudentPredictor, photograph: np.ndarray
) -> None:
    volume = Volume(photograph.swapaxes(0, 1)[:, :, None], np.diag([-1.0, -1, 1, 1]), "RGB", "photograph")
    answer = sees_brightness.segment_volume(volume, window_for(volume))
    np.testing.assert_array_equal(answer.labels[:, :, 0].T, sees_brightness.segment(photograph).labels)
    assert answer.border_uncertainty == pytest.approx(sees_brightness.segment(photograph).border_uncertainty, abs=1e-3)


def test_whoever_checks_can_stop_between_slices(sees_brightness: StudentPredictor) -> None:
    class StoppedError(Exception):
        pass

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        sees_brightness.segment_volume(Volume(np.zeros((8, 8, 8), np.int16), np.eye(4), "MR"), check=stop)


def test_other_arrays_looks_and_axes_are_refused(sees_brightness: StudentPredictor) -> None:
    with pytest.raises(ValueError, match="must be"):
        sees_brightness.segment(np.zeros((5, 5), np.uint8))
    with pytest.raises(ValueError, match="looks must be 1 to 8, not 9"):
        sees_brightness.segment(np.zeros((5, 5, 3), np.uint8), looks=9)
    volume = Volume(np.zeros((8, 8, 8), np.int16), np.eye(4), "MR")
    with pytest.raises(ValueError, match="axes must be"):
        sees_brightness.segment_volume(volume, axes=(0, 3))
    large = Volume(np.broadcast_to(np.int16(0), (1024, 1024, 1024)), np.eye(4), "CT")
    with pytest.raises(ValueError, match=r"4\.0 GiB"):
        sees_brightness.segment_volume(large, window_for(volume))


def test_holes_are_filled_and_crumbs_left_out_per_class() -> None:
    labels = np.zeros((30, 30), np.uint8)
    labels[5:20, 5:20] = 1
    labels[10:12, 10:12] = 0
    labels[25, 25] = 1
    labels[22:29, 2:9] = 2
    tidy = tidied(labels, 2)
    assert (tidy[5:20, 5:20] == 1).all() and tidy[25, 25] == 0 and (tidy[22:29, 2:9] == 2).all()
    np.testing.assert_array_equal(tidied(labels[:, :, None], 2)[:, :, 0], tidy)


def test_a_class_within_another_is_no_hole() -> None:
    labels = np.ones((20, 20), np.uint8)
    labels[8:12, 8:12] = 2
    np.testing.assert_array_equal(tidied(labels, 2), labels)


def test_a_soft_border_is_less_sure_than_a_sharp_one_whatever_the_size_of_the_image() -> None:
    found = {}
    for size in (64, 640):
        distance = 20 - np.hypot(*(np.mgrid[:size, :size] - size / 2)) * 64 / size
        for softness in (0.3, 4.0):
            share = 1 / (1 + np.exp(-distance / softness))
            answer = StudentAnswer.of(np.stack([1 - share, share]).astype(np.float16), ("a",))
            found[size, softness] = answer.border_uncertainty
    assert found[64, 4.0] > 1.5 * found[64, 0.3] and found[640, 4.0] > 1.5 * found[640, 0.3]
    assert found[640, 4.0] == pytest.approx(found[64, 4.0], abs=0.1)


def test_an_empty_answer_has_an_uncertainty_too() -> None:
    shares = np.stack([np.full((4, 4), 0.9), np.full((4, 4), 0.1)]).astype(np.float16)
    answer = StudentAnswer.of(shares, ("a",))
    assert not answer.labels.any() and 0 < answer.border_uncertainty < 1


def test_a_student_is_read_as_it_was_written_and_small_enough(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = MambaStudent()
    manifest = TrainingManifest.of({"isic2017": ["b", "a"]})
    save_student(network, tmp_path / "s.safetensors", manifest=manifest, notes={"steps": 3})
    assert (tmp_path / "s.safetensors").stat().st_size < 2.8e6
    stored = load_student(tmp_path / "s.safetensors")
    assert (stored.manifest, stored.notes, stored.network.config) == (manifest, {"steps": 3}, network.config)
    picture = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        torch.testing.assert_close(stored.network(picture).logits, network(picture).logits, atol=2e-2, rtol=2e-2)
    assert StudentPredictor.load(tmp_path / "s.safetensors", "cpu").weights_hash


def test_files_that_are_no_student_are_refused_with_a_sentence(tmp_path: Path, tiny_config: StudentConfig) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(StudentError, match="cannot be read as a safetensors file"):
        load_student(tmp_path / "text.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors", metadata={"format": "else"})
    with pytest.raises(StudentError, match="is no student"):
        load_student(tmp_path / "other.safetensors")
    save_student(MambaStudent(tiny_config), tmp_path / "s.safetensors", manifest=TrainingManifest())
    with safe_open(tmp_path / "s.safetensors", framework="pt") as stored:
        tensors, metadata = {name: stored.get_tensor(name) for name in stored.keys()}, stored.metadata()  # noqa: SIM118
    del tensors["stem.1.weight"]
    save_file(tensors, tmp_path / "part.safetensors", metadata=metadata)
    with pytest.raises(StudentError, match=r"1 of \d+ tensors .* the first is 'stem.1.weight'"):
        load_student(tmp_path / "part.safetensors")
    save_file(tensors, tmp_path / "odd.safetensors", metadata={**metadata, "config": '{"sides": 3}'})
    with pytest.raises(StudentError, match=r"header of odd\.safetensors cannot be used"):
        load_student(tmp_path / "odd.safetensors")
