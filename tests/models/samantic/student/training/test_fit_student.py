"""A student learns from labels, from a teacher and from pictures without a label, and goes on where it was cut off."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice
from samantic.student import MambaStudent, StudentConfig, StudentError, StudentPredictor, load_student
from samantic.student.losses import UNKNOWN
from samantic.student.training import Lessons, StudentSettings, fit_student, packaged_names, settings
from samantic.student.training.lesson_plan import LessonPlan
from samantic.student.training.pictures import Pictures
from samantic.training import FitOptions, SettingsError

Views = Callable[..., list[LabelledView]]


def settings_of(config: StudentConfig, lessons: Lessons, steps: int = 40, **options: object) -> StudentSettings:
    chosen = {"batch_size": 4, "learning_rate": 5e-3, "average_decay": 0.9, **options}
    return StudentSettings(config, lessons, fit=FitOptions(steps=steps, **chosen), data_set="spots")  # type: ignore[arg-type]


def mean_dice(network: MambaStudent, views: list[LabelledView]) -> float:
    predictor = StudentPredictor(network, device="cpu")
    return float(np.mean([dice(predictor.segment(view.image).labels == 1, view.labels == 1) for view in views]))


SOME = Lessons(unlabelled=2, asked_at=(0.5,), taught=3, ramp_share=0.5)


def test_labels_alone_teach(tiny_config: StudentConfig, lesion_views: Views, tmp_path: Path) -> None:
    network = fit_student(settings_of(tiny_config, Lessons.none()), lesion_views(10), (), tmp_path)
    assert mean_dice(network, lesion_views(6, seed=4)) > 0.8
    assert not list(tmp_path.glob("teacher*")) and not list(tmp_path.glob("pseudo*"))


def test_all_lessons_together_teach_and_leave_the_projector_out_of_the_weights(
    tiny_config: StudentConfig, lesion_views: Views, teacher, tmp_path: Path
) -> None:
    unlabelled = [view.image for view in lesion_views(8, seed=2)]
    settings = settings_of(tiny_config, SOME)
    network = fit_student(settings, lesion_views(3), unlabelled, tmp_path, teacher=teacher, shown=lesion_views(2))
    assert mean_dice(network, lesion_views(6, seed=4)) > 0.8
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert {"supervised", "perturbation", "distribution", "pseudo_labels"} <= set(header.split(","))
    stored = load_student(tmp_path / "student.safetensors")
    assert stored.manifest.images == {"spots": ("spot00", "spot01", "spot02"), "elsewhere": ("teacher's picture",)}
    assert list((tmp_path / "sheets").glob("*.png"))


def test_half_precision_learns_as_well(
    tiny_config: StudentConfig, lesion_views: Views, teacher, tmp_path: Path
) -> None:
    settings = settings_of(tiny_config, SOME, mixed_precision="bf16")
    network = fit_student(settings, lesion_views(6), (), tmp_path, teacher=teacher)
    assert mean_dice(network, lesion_views(6, seed=4)) > 0.8


@pytest.mark.parametrize("left_out", ["perturbation", "distribution", "pseudo_labels"])
def test_each_lesson_can_be_left_out(
    left_out: str, tiny_config: StudentConfig, lesion_views: Views, teacher, tmp_path: Path
) -> None:
    lessons = dataclasses.replace(SOME, **{left_out: 0.0})
    fit_student(
        settings_of(tiny_config, lessons, steps=4),
        lesion_views(2),
        [lesion_views(1, seed=2)[0].image],
        tmp_path,
        teacher=teacher,
    )
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0].split(",")
    assert left_out not in header and "supervised" in header
    assert (tmp_path / "teacher.safetensors").exists() is (left_out != "perturbation")


def test_a_run_that_was_cut_off_ends_with_the_same_weights(
    tiny_config: StudentConfig, lesion_views: Views, teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlabelled = [view.image for view in lesion_views(4, seed=2)]
    settings = settings_of(tiny_config, SOME, steps=8, checkpoint_minutes=0.0)

    def run(folder: str) -> dict[str, torch.Tensor]:
        return fit_student(settings, lesion_views(3), unlabelled, tmp_path / folder, teacher=teacher).state_dict()

    whole = run("whole")
    draw = LessonPlan.draw
    steps = []

    def cut_off(self: LessonPlan, *arguments: object) -> object:
        steps.append(1)
        if len(steps) == 7:
            raise KeyboardInterrupt
        return draw(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(LessonPlan, "draw", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run("cut")
    monkeypatch.undo()
    seen = teacher.pictures
    resumed = run("cut")
    assert teacher.pictures == seen, "what the teacher said is kept"
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_pseudo_labels_are_where_student_and_teacher_agree_and_true_labels_stay(
    lesion_views: Views, teacher, tmp_path: Path
) -> None:
    config = StudentConfig(side=32, fold=2, widths=(8, 16), mixers=(0, 1), head_width=8, state=4)
    labelled, without = lesion_views(6), lesion_views(4, seed=2)
    network = fit_student(settings_of(config, Lessons.none(), steps=50), labelled, (), tmp_path / "first")
    pictures = Pictures.of(config, labelled, [view.image for view in without])
    plan = LessonPlan(pictures, dataclasses.replace(SOME, taught=3), teacher, tmp_path, classes=2, seed=1)
    torch.testing.assert_close(plan._pseudo_labels[:6], pictures.labels)
    assert (plan._pseudo_labels[6:] == UNKNOWN).all()
    plan.prepare(19, 40, network)
    assert (plan._pseudo_labels[6:] == UNKNOWN).all(), "not yet"
    plan.prepare(20, 40, network)
    claimed = plan._pseudo_labels[6:]
    truth = Pictures.of(config, without).labels
    known = claimed != UNKNOWN
    assert sorted(known.any(dim=2).any(dim=1).tolist()) == [False, True, True, True], "three are taught"
    assert (claimed == truth)[known].float().mean() > 0.95
    assert 1 in claimed and 0 in claimed


def test_a_step_draws_both_views_and_the_teachers_features_alike(
    tiny_config: StudentConfig, lesion_views: Views, teacher, tmp_path: Path
) -> None:
    from samantic.student.training.augmentation import Movement

    pictures = Pictures.of(tiny_config, lesion_views(3))
    plan = LessonPlan(pictures, SOME, teacher, tmp_path, classes=2, seed=1)
    batch = plan.draw(Movement(), np.random.default_rng(3))
    assert batch.clean.shape == batch.perturbed.shape == (2, 3, 32, 32)
    assert not torch.allclose(batch.clean, batch.perturbed)
    assert batch.teacher_clean is not None and batch.teacher_clean.shape == (2, 9, 8, 8)
    # Its first channels are the colours that it saw: they lie where the student sees them.
    seen = torch.nn.functional.adaptive_avg_pool2d(batch.clean, 8)
    inner = (seen - batch.teacher_clean[:, :3]).abs()[..., 1:-1, 1:-1]
    assert inner.mean() < 0.05
    changed = torch.nn.functional.adaptive_avg_pool2d(batch.perturbed, 8)
    assert batch.teacher_perturbed is not None
    assert (changed - batch.teacher_perturbed[:, :3]).abs()[..., 1:-1, 1:-1].mean() < 0.06


def test_what_cannot_be_learned_from_is_refused(
    tiny_config: StudentConfig, lesion_views: Views, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="no labelled picture"):
        fit_student(settings_of(tiny_config, Lessons.none()), [], (), tmp_path)
    with pytest.raises(ValueError, match="need a teacher"):
        fit_student(settings_of(tiny_config, SOME), lesion_views(2), (), tmp_path)
    two = dataclasses.replace(tiny_config, class_names=("skin_lesion", "other"))
    with pytest.raises(ValueError, match="they must be the same"):
        fit_student(settings_of(two, Lessons.none()), lesion_views(2), (), tmp_path)


def test_a_run_may_start_from_weights_of_the_same_configuration_alone(
    tiny_config: StudentConfig, lesion_views: Views, tmp_path: Path
) -> None:
    settings = settings_of(tiny_config, Lessons.none(), steps=1)
    fit_student(settings, lesion_views(2), (), tmp_path / "a")
    start = tmp_path / "a" / "student.safetensors"
    later = dataclasses.replace(settings, data_set="later")
    fit_student(later, lesion_views(1), (), tmp_path / "b", start=start)
    known = load_student(tmp_path / "b" / "student.safetensors").manifest.images
    assert known == {"spots": ("spot00", "spot01"), "later": ("spot00",)}
    other = dataclasses.replace(settings, network=dataclasses.replace(tiny_config, state=8))
    with pytest.raises(StudentError, match="another configuration"):
        fit_student(other, lesion_views(1), (), tmp_path / "c", start=start)


def test_slices_are_noted_under_the_volume_that_they_show(
    tiny_config: StudentConfig, lesion_views: Views, tmp_path: Path
) -> None:
    slices = [
        dataclasses.replace(view, image_id=f"brain/axis2-slice{number}") for number, view in enumerate(lesion_views(2))
    ]
    fit_student(settings_of(tiny_config, Lessons.none(), steps=1), slices, (), tmp_path)
    assert load_student(tmp_path / "student.safetensors").manifest.images == {"spots": ("brain",)}


def test_the_packaged_settings_can_be_read_and_fit_the_budget() -> None:
    assert set(packaged_names()) == {"student-breast-ultrasound", "student-dermoscopy", "student-hippocampus"}
    for name in packaged_names():
        network = MambaStudent(StudentSettings.packaged(name).network)
        assert sum(parameter.numel() for parameter in network.parameters()) <= 1_340_000
    with pytest.raises(SettingsError, match="no packaged student 'other'"):
        StudentSettings.packaged("other")


def test_the_settings_with_all_lessons_in_full_fit_the_budget_too() -> None:
    published = StudentSettings.from_yaml(Path(settings.__file__).with_name("mamba-student-published.yaml"))
    assert published.lessons.asks_teacher
    assert sum(parameter.numel() for parameter in MambaStudent(published.network).parameters()) <= 1_340_000


@pytest.mark.parametrize("values", [{"asked_at": (0.6, 0.3)}, {"asked_at": (1.0,)}, {"perturbation": -1}])
def test_lessons_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        Lessons(**values)  # type: ignore[arg-type]
