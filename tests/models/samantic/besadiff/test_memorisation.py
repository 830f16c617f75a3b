"""Copies of training images are found, however they are turned or slightly changed; other images are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from samantic.besadiff.memorisation import Memorisation
from samantic.besadiff.pixel_bank import PixelBank, turned
from samantic.datasets.development_sets import data_folder, isic2017

SIDE = 96


def lesions(count: int, seed: int) -> list[tuple[str, np.ndarray]]:
    """Skin with an uneven dark spot: the same kind of picture every time, as dermoscopy is."""
    random, found = np.random.default_rng(seed), []
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    for index in range(count):
        y, x, size = random.uniform(0.35, 0.65), random.uniform(0.35, 0.65), random.uniform(0.15, 0.35)
        border = gaussian_filter(random.normal(size=(SIDE, SIDE)), 10) * 8
        spot = 1 / (1 + np.exp(((np.hypot(rows - y, columns - x) - size) / 0.04) + border))
        pattern = 1 + 2.5 * gaussian_filter(random.normal(size=(SIDE, SIDE)), 5)
        skin = np.array((215, 170, 150)) + random.normal(0, 12, 3)
        dark = np.array((110, 75, 55)) + random.normal(0, 20, 3)
        image = skin * (1 - spot[..., None]) + dark * (spot * pattern)[..., None] + random.normal(0, 4, (SIDE, SIDE, 3))
        found.append((f"{seed}-{index}", image.clip(0, 255).astype(np.uint8)))
    return found


def colours_by_place(image: np.ndarray) -> np.ndarray:
    """A descriptor (192,): the picture in 8 x 8 pixels, its middle gray taken away."""
    small = np.asarray(Image.fromarray(image).resize((8, 8), Image.Resampling.BOX), dtype=float)
    return (small - small.mean()).ravel()


def cropped(image: np.ndarray, top: float, left: float, share: float) -> np.ndarray:
    """A part of an image stretched to the image's size."""
    rows, columns = image.shape[:2]
    box = (left * columns, top * rows, (left + share) * columns, (top + share) * rows)
    return np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR, box))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exact": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "upside down": lambda image: image[::-1, ::-1],
    "a quarter turned": lambda image: np.rot90(image),
    "mirrored and turned": lambda image: np.rot90(image[:, ::-1], 3),
    "brighter": lambda image: (image * 1.06 + 5).clip(0, 255).astype(np.uint8),
    "darker": lambda image: (image * 0.85).astype(np.uint8),
    "warmer": lambda image: (image * (1.05, 1.0, 0.94)).clip(0, 255).astype(np.uint8),
    "blurred": lambda image: gaussian_filter(image, (1.5, 1.5, 0)),
    "noisy": lambda image: (image + np.random.default_rng(0).normal(0, 8, image.shape)).clip(0, 255).astype(np.uint8),
    "cropped in the middle": lambda image: cropped(image, 0.03, 0.03, 0.94),
    "cropped at a corner": lambda image: cropped(image, 0.0, 0.08, 0.92),
    "smaller": lambda image: np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR)),
    "mirrored, cropped, brighter": lambda image: (
        (cropped(image[::-1], 0.05, 0.0, 0.94) * 1.04).clip(0, 255).astype(np.uint8)
    ),
}


@pytest.fixture(scope="module")
def training() -> list[tuple[str, np.ndarray]]:
    return lesions(80, seed=1)


@pytest.fixture(scope="module")
def memorisation(training: list[tuple[str, np.ndarray]]) -> Memorisation:
    return Memorisation(training, colours_by_place)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_its_original_named(
    memorisation: Memorisation, training: list[tuple[str, np.ndarray]], change: str
) -> None:
    for image_id, image in training[:6]:
        found = memorisation.nearest(CHANGES[change](image))
        assert found.is_copy, found
        assert found.image_id == image_id


def test_other_images_are_no_copies(memorisation: Memorisation) -> None:
    found = [memorisation.nearest(image) for _, image in lesions(60, seed=2)]
    assert sum(neighbour.is_copy for neighbour in found) == 0


def test_among_photographs_copies_are_found_and_other_patients_are_not() -> None:
    try:
        folder = data_folder()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    training = [(view.image_id, view.image) for view in islice(isic2017(folder, "train"), 100)]
    memorisation = Memorisation(training, colours_by_place)
    others = [memorisation.nearest(view.image) for view in islice(isic2017(folder, "val"), 60)]
    assert sum(neighbour.is_copy for neighbour in others) <= 1, "one in sixty may resemble another by chance"
    for index, (image_id, image) in enumerate(training[:56]):
        change = list(CHANGES)[index % len(CHANGES)]
        found = memorisation.nearest(CHANGES[change](image))
        assert (found.is_copy, found.image_id) == (True, image_id), f"{change}: {found}"


def test_a_pair_of_near_duplicates_in_the_training_images_does_not_shift_the_thresholds(
    training: list[tuple[str, np.ndarray]], memorisation: Memorisation
) -> None:
    doubled = [*training, *((f"again {name}", CHANGES["cropped in the middle"](image)) for name, image in training[:4])]
    thresholds = Memorisation(doubled, colours_by_place).thresholds
    assert thresholds.pixel == pytest.approx(memorisation.thresholds.pixel, rel=0.35)


def test_an_embedding_alone_makes_no_copy(training: list[tuple[str, np.ndarray]]) -> None:
    blind = Memorisation(training, lambda _: np.ones(4))
    assert not any(blind.nearest(image).is_copy for _, image in lesions(10, seed=3) if _is_unlike(blind, image))
    assert blind.nearest(training[3][1]).is_copy


def _is_unlike(memorisation: Memorisation, image: np.ndarray) -> bool:
    return memorisation.nearest(image).pixel_distance >= memorisation.thresholds.pixel_ordinary


def test_the_turn_makes_an_image_match_its_neighbour(
    memorisation: Memorisation, training: list[tuple[str, np.ndarray]]
) -> None:
    image = training[5][1]
    for turn in range(8):
        found = memorisation.nearest(turned(image, turn))
        assert np.array_equal(turned(turned(image, turn), found.turn), image)


def test_the_report_names_copies_and_shows_the_closest_pairs(
    memorisation: Memorisation, training: list[tuple[str, np.ndarray]], tmp_path: Path
) -> None:
    generated = [*lesions(14, seed=4), ("copied", np.ascontiguousarray(training[7][1][:, ::-1]))]
    picture = memorisation.write_report(generated, tmp_path / "report")
    figures = json.loads((tmp_path / "report" / "memorisation.json").read_text())
    assert figures["images"] == 15
    assert figures["copies"] == ["copied"]
    assert figures["nearest"]["copied"]["image_id"] == training[7][0]
    assert figures["nearest_of_generated"]["pixel"]["0.5"] > figures["thresholds"]["pixel"]
    assert figures["nearest_of_training"]["pixel"]["0"] > 0
    assert Image.open(picture).width == 10 * Image.open(picture).height * 300 // 760


def test_a_report_of_nothing_has_no_picture(memorisation: Memorisation, tmp_path: Path) -> None:
    assert not memorisation.write_report([], tmp_path).exists()
    assert json.loads((tmp_path / "memorisation.json").read_text())["images"] == 0


def test_the_fingerprint_changes_with_images_and_descriptor(
    training: list[tuple[str, np.ndarray]], memorisation: Memorisation
) -> None:
    assert Memorisation(training, colours_by_place).fingerprint == memorisation.fingerprint
    assert Memorisation(training[1:], colours_by_place).fingerprint != memorisation.fingerprint
    assert Memorisation(training, lambda image: colours_by_place(image)[:96]).fingerprint != memorisation.fingerprint


def test_what_cannot_be_compared_is_refused(memorisation: Memorisation) -> None:
    with pytest.raises(ValueError, match="at least 10 training images, not 3"):
        Memorisation(lesions(3, seed=1), colours_by_place)
    for wrong in (np.zeros((96, 96), np.uint8), np.zeros((96, 96, 3)), np.zeros((8, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"\(rows, cols, 3\) uint8"):
            memorisation.nearest(wrong)


def test_plain_skin_is_not_a_copy_of_every_plain_skin_because_of_its_noise() -> None:
    random = np.random.default_rng(0)
    plain = [(180 + random.normal(0, 1, (64, 64, 3))).astype(np.uint8) for _ in range(2)]
    distances, _ = PixelBank([zoom(plain[0], (1, 1, 1)), lesions(1, 5)[0][1]]).distances(plain[1])
    assert distances[0] < distances[1], "the faint difference of two plain pictures counts little"
