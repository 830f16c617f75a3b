from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from samantic.besadiff.synthesis import SynthesisError, usual_parts
from samantic.besadiff.synthesis.usual_parts import copy_check, load_parts
from samantic.bundled.catalogue import NAMES
from samantic.segsam import TrainingManifest


def test_weights_that_are_not_there_are_named_beside_the_bundled_ones() -> None:
    with pytest.raises(
        SynthesisError, match=rf"'mine.safetensors' neither comes with this package \({', '.join(NAMES)}\)"
    ):
        load_parts(sam="mine.safetensors")


@pytest.fixture
def training_images(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fifteen pictures of noise in place of the training set."""
    ids = [f"ISIC_{number}" for number in range(15)]
    images = np.random.default_rng(0).integers(0, 255, (15, 64, 64, 3)).astype(np.uint8)
    views = [SimpleNamespace(image_id=name, image=image) for name, image in zip(ids, images, strict=True)]
    monkeypatch.setattr(usual_parts, "data_folder", lambda: Path())
    monkeypatch.setattr(usual_parts, "isic2017", lambda _folder, part: views if part == "train" else [])
    return ids


def generator_of(ids: list[str]) -> SimpleNamespace:
    return SimpleNamespace(manifest=TrainingManifest.of({"isic2017": ids} if ids else {}))


SEGMENTER = SimpleNamespace(features=lambda image: image.reshape(-1, 3).astype(float).mean(axis=0))


def test_images_are_compared_with_those_that_the_generator_has_learned_from(training_images: list[str]) -> None:
    some, every = (copy_check(generator_of(ids), SEGMENTER) for ids in (training_images[:12], training_images))
    assert some.fingerprint != every.fingerprint


@pytest.mark.parametrize("learned", [[], ["ISIC_3", "ISIC_of_somebody_else"]])
def test_a_generator_of_unknown_images_is_not_compared_with_others(
    training_images: list[str], learned: list[str]
) -> None:
    assert training_images
    with pytest.raises(SynthesisError, match=f"has learned from {len(learned)} images of isic2017"):
        copy_check(generator_of(learned), SEGMENTER)
