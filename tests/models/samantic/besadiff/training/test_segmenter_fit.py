"""DermoSegDiff learns, goes on where it was cut off, and remembers what it has seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.besadiff.checkpoint import PartError, read_part
from samantic.besadiff.dermosegdiff import DermoSegDiff, DermoSegDiffConfig
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.besadiff.training.augmentation import moved, recoloured
from samantic.besadiff.training.segmenter_fit import SegmenterLoss, fit_segmenter
from samantic.besadiff.training.settings import SegmenterSettings
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.training import FitOptions


def views(count: int) -> list[LabelledView]:
    """Light skin with one dark disc each."""
    random, found = np.random.default_rng(8), []
    rows, columns = np.mgrid[:64, :64]
    for index in range(count):
        y, x, radius = random.uniform(20, 44), random.uniform(20, 44), random.uniform(8, 16)
        lesion = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        image = np.where(lesion[..., None], (100, 70, 60), (220, 180, 160)) + random.integers(0, 12, (64, 64, 3))
        found.append(
            LabelledView(f"p{index}", "dermoscopy", image.astype(np.uint8), lesion.astype(np.int16), ("skin_lesion",))
        )
    return found


@pytest.mark.parametrize("prediction", ["sample", "epsilon"])
def test_it_learns_to_find_dark_discs(tiny_config: DermoSegDiffConfig, prediction: str, tmp_path: Path) -> None:
    config = DermoSegDiffConfig.from_json(tiny_config.to_json().replace('"sample"', f'"{prediction}"'))
    options = FitOptions(steps=80, batch_size=8, learning_rate=5e-3, average_decay=0.9)
    network = fit_segmenter(
        config, views(12), options, tmp_path, loss=SegmenterLoss(overlap_weight=0.5, pure_noise_share=0.5)
    )
    segmenter = LesionSegmenter(network)
    scores = [dice(segmenter.segment(view.image).mask, view.labels > 0) for view in views(16)[12:]]
    assert np.mean(scores) > (0.8 if prediction == "sample" else 0.6)


def test_the_image_branch_may_learn_alone_at_first(tiny_config: DermoSegDiffConfig, tmp_path: Path) -> None:
    options = FitOptions(steps=60, batch_size=8, learning_rate=5e-3, average_decay=0.9, seed=5)
    network = fit_segmenter(
        tiny_config, views(12), options, tmp_path, loss=SegmenterLoss(guess_weight=1.0, guess_share=1.0)
    )
    torch.manual_seed(5)
    beginning = DermoSegDiff(tiny_config)
    assert torch.equal(network.out.weight, beginning.out.weight)
    segmenter, scores = LesionSegmenter(network, device="cpu"), []
    for view in views(16)[12:]:
        with torch.no_grad():
            guess = segmenter.image_features(view.image).guess
        assert guess is not None
        truth = view.labels[::2, ::2] > 0
        scores.append(dice(guess[0, 0].numpy() > 0, truth))
    assert np.mean(scores) > 0.8


def test_a_run_goes_on_from_weights_and_remembers_both_lessons(tiny_config: DermoSegDiffConfig, tmp_path: Path) -> None:
    options = FitOptions(steps=1, batch_size=2)
    fit_segmenter(tiny_config, views(2), options, tmp_path / "a", dataset="first")
    start = tmp_path / "a" / "segmenter.safetensors"
    fit_segmenter(tiny_config, views(3), options, tmp_path / "b", start=start, dataset="second")
    manifest = read_part("segmenter", tmp_path / "b" / "segmenter.safetensors").manifest
    assert manifest is not None
    assert manifest.images == {"first": ("p0", "p1"), "second": ("p0", "p1", "p2")}
    other = DermoSegDiffConfig.from_json(tiny_config.to_json().replace('"time_free"', '"coupled"'))
    with pytest.raises(PartError, match="another configuration"):
        fit_segmenter(other, views(2), options, tmp_path / "c", start=start)


def test_without_a_labelled_photograph_nothing_is_trained(tiny_config: DermoSegDiffConfig, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no labelled photograph"):
        fit_segmenter(tiny_config, [], FitOptions(steps=1), tmp_path)


def test_distances_move_and_grow_with_the_picture() -> None:
    rows, columns = np.mgrid[:64, :64] - 31.5
    distance = torch.from_numpy(16 - np.hypot(rows, columns)).float()[None, None].repeat(8, 1, 1, 1)
    images = (distance > 0).float().repeat(1, 3, 1, 1)
    pictures, distances = moved(images, distance, np.random.default_rng(1))
    agreeing = ((pictures[:, :1] > 0.5) == (distances > 0)).float().mean()
    assert agreeing > 0.98
    areas = (distances > 0).sum(dim=(1, 2, 3)).float()
    radii = distances.amax(dim=(1, 2, 3))
    # A disc that grew has a larger distance to its border in its middle.
    assert np.corrcoef(areas.sqrt().numpy(), radii.numpy())[0, 1] > 0.9


def test_colours_change_and_stay_colours() -> None:
    images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    changed = recoloured(images.clone(), np.random.default_rng(2))
    assert changed.shape == images.shape
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1
    assert not torch.allclose(changed, images)


def test_the_packaged_settings_can_be_read_the_published_ones_too() -> None:
    packaged = SegmenterSettings.from_yaml()
    assert packaged.network.image_branch == "time_free"
    import samantic.besadiff.training.settings as settings

    published = SegmenterSettings.from_yaml(settings.PACKAGED_SEGMENTER.with_name("besadiff-segmenter-published.yaml"))
    assert published.network == DermoSegDiffConfig()
