from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from samantic.segsam import SegSam
from samantic.segsam.training.sheet import write_prediction_sheet


def test_a_sheet_has_a_column_a_view_and_passes_over_views_without_a_label(
    network: SegSam, square_view, disc_view, tmp_path: Path
):
    empty = replace(disc_view, labels=np.zeros_like(disc_view.labels))
    write_prediction_sheet(network, [square_view, empty, disc_view], tmp_path / "two.png")
    write_prediction_sheet(network, [disc_view], tmp_path / "one.png")
    two, one = (Image.open(tmp_path / name) for name in ("two.png", "one.png"))
    assert two.height == one.height and two.width == 2 * one.width
    # Colours of the prompt (a box above, a click below) are on either half.
    pixels = np.asarray(one.convert("RGB")).astype(int)
    cyan = np.abs(pixels - (0, 230, 255)).max(axis=2) < 40
    assert cyan[: one.height // 2].any() and cyan[one.height // 2 :].any()


def test_views_without_any_label_make_no_sheet(network: SegSam, disc_view, tmp_path: Path):
    write_prediction_sheet(network, [replace(disc_view, labels=np.zeros_like(disc_view.labels))], tmp_path / "no.png")
    assert not list(tmp_path.iterdir())
