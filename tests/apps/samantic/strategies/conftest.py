"""A studies folder of small volumes, and a small network with a prompt-free head that looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from samantic.app.lib.datastore import SamanticDatastore
from samantic.app.lib.infers.segsam import SegSam
from samantic.app.lib.strategies.informed import Diversity, Hybrid, Uncertainty
from samantic.app.lib.strategies.leases import Leases
from samantic.app.lib.strategies.simple import First, Random
from samantic.app.lib.strategies.summaries import Summaries
from samantic.sam import EmbeddingCache
from samantic.sam.registry import ENCODERS
from samantic.sam.tiny_encoder import TinyEncoder
from samantic.segsam import SegSam as SegSamNetwork
from samantic.segsam import SegSamConfig, SegSamPredictor
from samantic.segsam.choosing import SummaryStore

CLASSES = ("liver", "kidney_left")
COUNT = 12


@pytest.fixture(scope="session", autouse=True)
def small_encoder() -> Iterator[None]:
    build = partial(TinyEncoder, image_size=64, embedding_dim=64, widths=(8, 16, 32, 64), depths=(1, 1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENCODERS, "small", build)
        yield


@pytest.fixture(scope="session")
def network() -> SegSamNetwork:
    torch.manual_seed(0)
    return SegSamNetwork(SegSamConfig(CLASSES, encoder="small", transformer_mlp_dim=64, prompt_free_width=8)).eval()


@pytest.fixture
def task(network: SegSamNetwork) -> SegSam:
    return SegSam(SegSamPredictor(network, "weights one", device="cpu"), EmbeddingCache(None))


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """`mr00` to `mr11`, each with an ellipsoid of its own in noise of its own."""
    folder = tmp_path / "studies"
    folder.mkdir()
    generator = np.random.default_rng(5)
    i, j, k = np.ogrid[:20, :24, :10]
    for number in range(COUNT):
        radius = 3 + number % 5
        inside = (((i - 10) / radius) ** 2 + ((j - 12) / radius) ** 2 + ((k - 5) / 4) ** 2) < 1
        voxels = 100 * inside + generator.normal(0, 5 + 6 * number, inside.shape)
        nibabel.save(nibabel.Nifti1Image(voxels.astype(np.int16), np.eye(4)), folder / f"mr{number:02d}.nii.gz")
    return folder


@pytest.fixture
def store(studies: Path) -> SamanticDatastore:
    return SamanticDatastore(studies)


@pytest.fixture
def save_label(store: SamanticDatastore, studies: Path, tmp_path: Path) -> Callable[..., None]:
    """Saves a final label with liver everywhere."""

    def save(image: str, tag: str = "final", name: str = "liver") -> None:
        shape = nibabel.load(studies / f"{image}.nii.gz").shape
        nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.uint8), np.eye(4)), tmp_path / "label.nii.gz")
        store.save_label(image, str(tmp_path / "label.nii.gz"), tag, {"label_names": {name: 1}})

    return save


@pytest.fixture
def choosing(task: SegSam, store: SamanticDatastore, tmp_path: Path) -> Any:
    """All strategies around one set of leases; `ask(strategy, **request)` gives the answer."""
    leases = Leases()
    summaries = Summaries(SummaryStore(tmp_path / "summaries"))
    tasks = {"segsam": task}
    strategies = {
        "random": Random(leases),
        "first": First(leases),
        "uncertainty": Uncertainty(leases, tasks, summaries),
        "diversity": Diversity(leases, tasks, summaries),
        "hybrid": Hybrid(leases, tasks, summaries),
    }

    def ask(strategy: str, client: str = "me", **request: Any) -> dict[str, Any] | None:
        asked = {"strategy": strategy, "client_id": client, **request}
        return strategies[strategy](asked, store)

    return SimpleNamespace(ask=ask, leases=leases, strategies=strategies, summaries=summaries, store=store)
