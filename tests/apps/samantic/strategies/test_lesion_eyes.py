"""Strategies that look at photographs with BESA-Diff's eyes: the ensemble's disagreement ranks them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.besadiff import BesaDiff
from samantic.app.lib.infers.besadiff_eyes import disagreement
from samantic.app.lib.infers.segsam import SegSam
from samantic.app.lib.strategies.informed import Hybrid, Uncertainty
from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.summaries import Summaries
from samantic.besadiff.answer import LesionAnswer
from samantic.besadiff.segmenter import LesionSegmenter
from samantic.datasets.labelled_view import LabelledView
from samantic.segsam.choosing import SummaryStore


@pytest.fixture(scope="module")
def segmenter(a_trained_segmenter: Path) -> LesionSegmenter:
    return LesionSegmenter.load(a_trained_segmenter, "cpu")


@pytest.fixture
def photographs(tmp_path: Path, lesion_views: Callable[..., list[LabelledView]]) -> SamanticDatastore:
    """Four photographs, two of them covered with noise, `done` with a final label, and a CT."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(3)
    for number, view in enumerate(lesion_views(5, seed=6)):
        image = (
            view.image if number % 2 else (view.image * 0.4 + random.integers(0, 150, view.image.shape)).clip(0, 255)
        )
        name = "done" if number == 4 else f"photo{number}"
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{name}.png")
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 9, 5), np.int16), np.eye(4)), folder / "ct.nii.gz")
    store = SamanticDatastore(folder)
    Image.fromarray(view.labels.astype(np.uint8)).save(tmp_path / "label.png")
    store.save_label("done", str(tmp_path / "label.png"), "final", {"label_names": {"skin_lesion": 1}})
    return store


@pytest.fixture
def ask(photographs: SamanticDatastore, segmenter: LesionSegmenter, task: SegSam, tmp_path: Path) -> Callable[..., Any]:
    tasks = {"besadiff": BesaDiff(lambda: segmenter, lambda: task.served().predictor), "segsam": task}
    summaries, leases = Summaries(SummaryStore(tmp_path / "summaries")), Leases()
    strategies = {kind: make(leases, tasks, summaries) for kind, make in (("u", Uncertainty), ("h", Hybrid))}

    def ask(strategy: str, **request: Any) -> dict[str, Any]:
        return strategies[strategy]({"client_id": "me", "wait": True, "n": 10, **request}, photographs)

    return ask


def test_the_photographs_whose_members_differ_most_come_first(
    ask: Callable[..., Any], photographs: SamanticDatastore, segmenter: LesionSegmenter
):
    answer = ask("u", model="besadiff")
    expected = {}
    for image in ("photo0", "photo1", "photo2", "photo3"):
        picture = np.asarray(Image.open(photographs.get_image_uri(image)))
        expected[image] = disagreement(segmenter.segment(picture))
    found = {one["id"]: one["uncertainty"] for one in answer["suggestions"]}
    assert found == pytest.approx(expected, abs=1e-5)
    assert list(found) == sorted(expected, key=expected.get, reverse=True)
    assert len(set(found.values())) == 4


def test_what_is_labelled_or_no_photograph_is_not_suggested_and_named(ask: Callable[..., Any]):
    for strategy in ("u", "h"):
        answer = ask(strategy, model="besadiff")
        assert sorted(one["id"] for one in answer["suggestions"]) == ["photo0", "photo1", "photo2", "photo3"]
        assert list(answer["skipped"]) == ["ct"] and "colour photographs of skin" in answer["skipped"]["ct"]


def test_of_its_own_accord_a_strategy_looks_with_eyes_that_see_every_image(ask: Callable[..., Any]):
    answer = ask("u")
    assert "ct" in {one["id"] for one in answer["suggestions"]}


def test_a_lesion_that_is_missed_is_not_the_surest_of_all():
    variance = np.zeros((40, 40), np.float32)
    variance[:4, :4] = 0.2
    probability, mask = np.full((40, 40), 0.2, np.float32), np.zeros((40, 40), bool)
    missed = LesionAnswer(mask, probability, variance, 0.0, float(variance.mean()))
    assert disagreement(missed) == pytest.approx(0.8)
    found = LesionAnswer(probability < 1, probability, variance, 0.9, 0.05)
    assert disagreement(found) == pytest.approx(0.2)
