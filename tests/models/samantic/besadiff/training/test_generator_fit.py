"""The generator learns what lesions look like, follows its conditions, and remembers what it has seen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from samantic.besadiff.generator import LesionCondition, LesionGenerator
from samantic.besadiff.generator.config import GeneratorConfig
from samantic.besadiff.training.generator_fit import GeneratorTask, fit_generator
from samantic.besadiff.training.generator_rounds import isic2017_diagnoses
from samantic.besadiff.training.generator_settings import GeneratorSettings
from samantic.datasets.labelled_view import LabelledView
from samantic.training import FitOptions, SettingsError, TrainingError

SETTINGS = GeneratorSettings(
    GeneratorConfig(image_size=32, patch=4, kept=16, widths=(32, 64)),
    fit=FitOptions(steps=200, batch_size=16, learning_rate=3e-3, average_decay=0.95, warmup_share=0.03),
)


def views(count: int) -> list[LabelledView]:
    """Light skin with one dark disc each, of any size and nearly anywhere; every second is brown, the others blue."""
    random, found = np.random.default_rng(8), []
    rows, columns = np.mgrid[:64, :64]
    for index in range(count):
        y, x, radius = random.uniform(18, 46), random.uniform(18, 46), random.uniform(7, 17)
        lesion = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        colour = (60, 70, 120) if index % 2 else (110, 70, 50)
        image = np.where(lesion[..., None], colour, (220, 180, 160)) + random.integers(0, 12, (64, 64, 3))
        found.append(
            LabelledView(f"p{index}", "dermoscopy", image.astype(np.uint8), lesion.astype(np.int16), ("skin_lesion",))
        )
    return found


@pytest.mark.slow
def test_it_learns_to_draw_discs_with_their_masks_where_and_as_large_as_asked(tmp_path: Path) -> None:
    shown = views(40)
    diagnoses = {view.image_id: ("melanoma" if int(view.image_id[1:]) % 2 else "nevus") for view in shown}
    fit_generator(shown, SETTINGS, tmp_path, diagnoses=diagnoses)  # type: ignore[arg-type]
    generator = LesionGenerator.load(tmp_path / "generator.safetensors")
    asked = [
        LesionCondition(diagnosis, area, (y, 0.5))  # type: ignore[arg-type]
        for diagnosis in ("nevus", "melanoma")
        for area, y in ((0.08, 0.4), (0.08, 0.6), (0.18, 0.4), (0.18, 0.6))
    ]
    pairs = generator.generate(asked, seeds=range(8), steps=10)
    drawn_areas = np.array([pair.mask.mean() for pair in pairs])
    assert np.corrcoef(drawn_areas, [condition.area for condition in asked])[0, 1] > 0.8  # type: ignore[arg-type]
    heights = np.array([np.nonzero(pair.mask)[0].mean() / 32 for pair in pairs])
    assert heights[[1, 3, 5, 7]].mean() > heights[[0, 2, 4, 6]].mean() + 0.1
    for pair in pairs:
        assert pair.image[pair.mask].mean() < pair.image[~pair.mask].mean() - 40, "the mask is where the lesion is"
    redness = [pair.image[pair.mask][:, 0].mean() - pair.image[pair.mask][:, 2].mean() for pair in pairs]
    assert np.mean(redness[:4]) > np.mean(redness[4:]) + 10, "the diagnosis decides the colour"
    assert generator.manifest.images == {"isic2017": tuple(sorted(view.image_id for view in shown))}
    assert {name: len(lesions) for name, lesions in generator.conditions.lesions.items()} == {
        "melanoma": 20,
        "nevus": 20,
    }
    assert (tmp_path / "sheets" / "step-200.png").is_file()


def test_a_batch_measures_turned_lesions_and_leaves_some_parts_open() -> None:
    task = GeneratorTask(views(6), SETTINGS, {}, "mine")
    batch = task.draw(0, np.random.default_rng(1))
    again = task.draw(0, np.random.default_rng(1))
    assert batch.planes.shape == (16, 4, 32, 32)
    assert batch.planes.equal(again.planes)
    assert batch.vectors.equal(again.vectors)
    known = [vector[6] > 0 and vector[9] > 0 for vector in batch.vectors]
    assert 0 < sum(known) < 16
    for planes, guide in zip(batch.planes[known], batch.guides[known], strict=True):
        assert ((planes[3] > 0) == (guide[0].repeat_interleave(4, 0).repeat_interleave(4, 1) > 0)).float().mean() > 0.9


def test_a_run_of_other_images_is_another_run(tmp_path: Path) -> None:
    short = dataclasses.replace(SETTINGS, fit=FitOptions(steps=1, batch_size=2))
    fit_generator(views(4), short, tmp_path)
    with pytest.raises(TrainingError):
        fit_generator(views(5), short, tmp_path)


def test_without_a_lesion_there_is_nothing_to_learn(tmp_path: Path) -> None:
    empty = [dataclasses.replace(view, labels=np.zeros_like(view.labels)) for view in views(2)]
    with pytest.raises(TrainingError, match="None of the 2 images"):
        fit_generator(empty, SETTINGS, tmp_path)


def test_diagnoses_are_read_where_the_data_set_tells_them(tmp_path: Path) -> None:
    (tmp_path / "isic2017").mkdir()
    (tmp_path / "isic2017" / "split.csv").write_text(
        "image_id,split,melanoma,seborrheic_keratosis\na,train,0.0,0.0\nb,train,1.0,0.0\nc,train,0.0,1.0\nd,val,,\n"
    )
    assert isic2017_diagnoses(tmp_path) == {"a": "nevus", "b": "melanoma", "c": "seborrheic_keratosis"}


def test_settings_are_replaced_and_checked() -> None:
    assert GeneratorSettings.from_yaml().replacing(steps=7, seed=None).fit.steps == 7
    with pytest.raises(SettingsError, match="drop_all"):
        GeneratorSettings(drop_all=1.0)
