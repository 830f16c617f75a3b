"""Downloads of dermoscopic sets feed a training round of BESA-Diff as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from samantic.besadiff.training.retraining import LesionRetrainOptions, retrain_on_views
from samantic.datasets.layouts import open_dataset

ONE_STEP = LesionRetrainOptions(epochs=1, steps_per_epoch=1, batch_size=2, members=1, steps=1)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("isic2018", {"ISIC_0000000", "ISIC_0000001", "ISIC_0000002"}),
        ("ph2", {"IMD002", "IMD003"}),
        ("ham10000", {"ISIC_0024306", "ISIC_0024307", "ISIC_0034321"}),
    ],
)
def test_a_download_is_learned_from_without_change(
    make: Callable[[str], Path], write_segmenter: Callable[..., Path], tmp_path: Path, name: str, ids: set[str]
):
    start = write_segmenter(tmp_path / "start.safetensors")
    learned = retrain_on_views(start, open_dataset(make(name)), ONE_STEP)
    assert set(learned.learned_from) | set(learned.held_out) == ids
    assert learned.held_out and len(learned.learned_from) >= 1
