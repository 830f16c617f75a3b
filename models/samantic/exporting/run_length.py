"""Masks as COCO's uncompressed run lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from samantic.prompts.run_length import encode_runs


def coco_rle(mask: np.ndarray) -> dict[str, Any]:
    """Return {"counts", "size"} of a mask (rows, cols): lengths outside and inside in turn, column by column."""
    rows, cols = mask.shape
    return {"counts": encode_runs(mask.T), "size": [rows, cols]}


def mask_of(rle: Mapping[str, Any]) -> np.ndarray:
    """Return the mask (rows, cols) of such run lengths."""
    rows, cols = rle["size"]
    inside = np.arange(len(rle["counts"])) % 2 == 1
    return np.repeat(inside, rle["counts"]).reshape(cols, rows).T
