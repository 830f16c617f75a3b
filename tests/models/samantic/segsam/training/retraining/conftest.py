"""Volumes of noise with bright and dark shapes, and the labels that somebody drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.datasets.studies import LabelledImage
from samantic.imaging import Volume, write_mask, write_volume
from samantic.segsam import SegSam, SegSamConfig, TrainingManifest, save_network
from samantic.segsam.training.fit import text_vectors
from samantic.segsam.training.retraining import RetrainOptions
from samantic.vocabulary import TextEncoderError

SHAPE = (44, 44, 4)
BRIGHTNESS = {"liver": 220, "kidney_left": 20, "spleen": 165, "our stent": 165}
BACKGROUND = 100

AStudy = Callable[..., LabelledImage]


@pytest.fixture(autouse=True)
def no_sentence_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading one takes ten seconds."""

    def missing(_):
        raise TextEncoderError("not installed")

    monkeypatch.setattr("samantic.segsam.growing.embed_text", missing)


@pytest.fixture
def a_study(tmp_path: Path) -> AStudy:
    """Writes a volume that shows some classes as discs, each of its brightness, with a label of `labelled` ones."""

    def write(image_id: str, shown: tuple[str, ...], labelled: Mapping[int, str], seed: int) -> LabelledImage:
        random = np.random.default_rng(seed)
        image = np.full(SHAPE, BACKGROUND) + random.normal(0, 4, SHAPE)
        labels = np.zeros(SHAPE, np.uint8)
        rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
        places = random.permutation([(12, 12), (12, 32), (32, 12), (32, 32)])[: len(shown)]
        for name, (y, x) in zip(shown, places, strict=True):
            y, x, radius = y + random.integers(-2, 3), x + random.integers(-2, 3), random.integers(6, 9)
            inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
            # The last slice shows nothing.
            image[inside, :-1] = BRIGHTNESS[name] + random.normal(0, 4, (inside.sum(), SHAPE[2] - 1))
            for value, labelled_name in labelled.items():
                if labelled_name == name:
                    labels[inside, :-1] = value
        volume = Volume(image.round().clip(0, 255).astype(np.int16), np.eye(4), "MR")
        paths = tmp_path / f"{image_id}.nii.gz", tmp_path / f"{image_id}_label.nii.gz"
        write_volume(paths[0], volume)
        write_mask(paths[1], labels, volume)
        return LabelledImage(image_id, *paths, labelled)

    return write


@pytest.fixture
def start(config: SegSamConfig, tmp_path: Path) -> Path:
    """Weights of a network without a prompt-free head that learned from one image of another set."""
    torch.manual_seed(3)
    network = SegSam(replace(config, image_size=64), text_vectors(config.class_names))
    save_network(network, tmp_path / "start.safetensors", torch.float32, None, TrainingManifest.of({"ct": ["x"]}))
    return tmp_path / "start.safetensors"


@pytest.fixture
def quick() -> RetrainOptions:
    """A round of seconds for pictures as simple as these."""
    return RetrainOptions(
        epochs=6,
        samples_per_epoch=64,
        learning_rate=1e-2,
        average_decay=0.9,
        slices_per_volume=4,
        prompt_free_width=16,
        naming_steps=0,
        phantom_pictures=0,
    )
