from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samantic.datasets.studies import LabelledImage
from samantic.segsam.cancelling import Cancelled
from samantic.skinphoto.checkpoint import read_skin_photo
from samantic.skinphoto.classes import LESION, SKIN
from samantic.skinphoto.composites import LesionPatch, draw_composite
from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork
from samantic.skinphoto.training.augmentation import varied
from samantic.skinphoto.training.retrain_options import SkinRetrainOptions
from samantic.skinphoto.training.retraining import retrain
from samantic.skinphoto.training.settings import PACKAGED, SkinPhotoSettings, SmallerComposites
from samantic.skinphoto.training.skin_photo_fit import SkinPhotoTask, fit_skin_photo
from samantic.skinphoto.training.skin_photo_loss import skin_photo_loss
from samantic.training import FitOptions, SettingsError, TrainingError

NAMES = {SKIN: "skin", LESION: "skin_lesion"}


@pytest.fixture(scope="module")
def settings(small_config: SkinPhotoConfig) -> SkinPhotoSettings:
    return SkinPhotoSettings(
        small_config, fit=FitOptions(steps=10, batch_size=4, learning_rate=3e-3, average_decay=0.8)
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, lesions: list[LesionPatch], settings: SkinPhotoSettings) -> Path:
    """A finished run of ten steps."""
    folder = tmp_path_factory.mktemp("run")
    shown = [draw_composite(np.random.default_rng(0), lesions, (48, 64))]
    fit_skin_photo(lesions, settings, folder, shown=shown, dataset="spots")
    return folder


@pytest.fixture
def labelled(tmp_path: Path, disc: Callable[..., np.ndarray], painted) -> Callable[[int], list[LabelledImage]]:
    """Photographs of flat colours with labels of skin and lesion."""

    def make(count: int) -> list[LabelledImage]:
        images = []
        for number in range(count):
            labels = disc((72, 96), radius=0.15 + 0.03 * number, skin_from=0.1 + 0.04 * number)
            image, label = tmp_path / f"{number}.png", tmp_path / f"{number}-label.png"
            Image.fromarray(painted(labels)).save(image)
            Image.fromarray(labels).save(label)
            images.append(LabelledImage(f"photo{number}", image, label, NAMES))
        return images

    return make


def test_a_run_leaves_weights_with_their_lesions_and_a_sheet(
    run: Path, settings: SkinPhotoSettings, lesions: list[LesionPatch]
):
    weights = read_skin_photo(run / "skin-photo.safetensors")
    assert weights.network.config == settings.network
    assert weights.manifest.images == {"spots": tuple(sorted(lesion.image_id for lesion in lesions))}
    assert (run / "sheets" / "step-10.png").is_file()


def test_composites_grow_to_the_size_that_the_network_sees(lesions: list[LesionPatch], settings: SkinPhotoSettings):
    growing = dataclasses.replace(
        settings,
        network=dataclasses.replace(settings.network, side=96),
        smaller_first=(SmallerComposites(64, 0.3), SmallerComposites(80, 0.5)),
    )
    task = SkinPhotoTask(lesions, growing, (), "spots")
    sides = [task.draw(step, np.random.default_rng(step)).images.shape[-1] for step in (0, 2, 3, 4, 5, 9)]
    assert sides == [64, 64, 80, 80, 96, 96]


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([(64, 0.5), (80, 0.5)], r"must rise between 0 and 1, not \[0.5, 0.5\]"),
        ([(64, 1.0)], "must rise between 0 and 1"),
        ([(70, 0.5)], "must be a multiple of 16 from 64 on, not 70"),
        ([(48, 0.5)], "from 64 on, not 48"),
    ],
)
def test_composites_that_cannot_be_drawn_first_are_refused(stages: list[tuple[int, float]], said: str):
    with pytest.raises(SettingsError, match=said):
        SkinPhotoSettings(smaller_first=tuple(SmallerComposites(*stage) for stage in stages))


def test_a_run_without_lesions_is_refused(settings: SkinPhotoSettings, tmp_path: Path):
    with pytest.raises(TrainingError, match="no lesion"):
        fit_skin_photo([], settings, tmp_path)


def test_the_loss_falls_with_the_share_of_right_pixels():
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (2, 16, 16)))
    right = 8 * torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    losses = [float(skin_photo_loss(right * share, labels)) for share in (1, 0.5, 0, -1)]
    assert losses == sorted(losses) and losses[0] < 0.01


def test_labels_move_with_the_picture():
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (1, 16, 16)))
    images = (labels == LESION).float()[:, None].repeat(1, 3, 1, 1)
    for seed in range(12):
        pictures, moved = varied(images, labels, np.random.default_rng(seed))
        bright = pictures[0].mean(dim=0)
        assert bool((bright[moved[0] == LESION] > 0.5).all()) and bool((bright[moved[0] != LESION] < 0.5).all())


def test_a_round_learns_from_labels_and_measures_on_others(run: Path, labelled, tmp_path: Path):
    options = SkinRetrainOptions(epochs=2, steps_per_epoch=15, batch_size=4, learning_rate=5e-3, average_decay=0.8)
    epochs = []
    learned = retrain(run / "skin-photo.safetensors", labelled(5), options, on_epoch=epochs.append)
    assert len(epochs) == 2 and learned.held_out and not set(learned.held_out) & set(learned.learned_from)
    assert set(learned.before["dice"]) == {"skin", "skin_lesion"}
    assert learned.after["mean_dice"] > learned.before["mean_dice"] and learned.is_better_or_equal
    assert learned.after["dice"]["skin"] > 0.8
    learned.save(tmp_path / "learned.safetensors")
    manifest = read_skin_photo(tmp_path / "learned.safetensors").manifest
    assert manifest.images["studies"] == learned.learned_from and "spots" in manifest.images


def test_a_photograph_that_was_learned_from_is_never_held_out(run: Path, labelled, tmp_path: Path):
    short = SkinRetrainOptions(epochs=1, steps_per_epoch=1, batch_size=2, validation_share=0.9)
    first = retrain(run / "skin-photo.safetensors", labelled(2), short)
    first.save(tmp_path / "first.safetensors")
    second = retrain(tmp_path / "first.safetensors", labelled(4), short)
    assert not set(second.held_out) & set(first.learned_from)


def test_photographs_that_cannot_be_read_are_told_of(run: Path, labelled):
    images = labelled(3)
    images[1].image.write_bytes(b"nothing")
    short = SkinRetrainOptions(epochs=1, steps_per_epoch=1, batch_size=2)
    assert any(
        "'photo1' is left out" in line for line in retrain(run / "skin-photo.safetensors", images, short).left_out
    )
    images[0].image.write_bytes(b"")
    images[2].image.write_bytes(b"")
    with pytest.raises(TrainingError, match="nothing to learn from: 'photo0' is left out"):
        retrain(run / "skin-photo.safetensors", images, short)


def test_a_round_can_be_cancelled(run: Path, labelled):
    with pytest.raises(Cancelled):
        retrain(run / "skin-photo.safetensors", labelled(3), is_cancelled=lambda: True)


def test_the_packaged_settings_can_be_read_and_their_weights_are_small():
    settings = SkinPhotoSettings.from_yaml()
    assert settings.encoder_weights is None
    assert sum(p.numel() for p in SkinPhotoNetwork(settings.network).parameters()) * 2 < 10e6
    assert settings.replacing(steps=3, seed=None).fit.steps == 3


def test_the_published_settings_can_be_read_and_built():
    published = SkinPhotoSettings.from_yaml(PACKAGED.with_name("skin-photo-published.yaml"))
    assert (published.side_at(0), published.side_at(published.fit.steps - 1)) == (256, 512)
    with torch.device("meta"):
        network = SkinPhotoNetwork(published.network)
    # A whole ResNet-50 and what DeepLabv3+ puts on it.
    assert sum(parameter.numel() for parameter in network.parameters()) == 26_678_099
