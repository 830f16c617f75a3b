"""The demo study on a real server, and what a person sees at the workbench: shared by its tests in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import requests
from benchmarks.workbench_page import CHROMIUM, Grid, WorkbenchPage
from PIL import Image

HAS_BROWSER = Path(CHROMIUM).exists()
KIDNEY_SLICE = 60
CT_SPACING_MM = (2.25, 2.25)


@dataclass
class Study:
    """The demo study on a server, and its truth."""

    url: str
    folder: Path

    def truth(self, image: str, name: str) -> np.ndarray:
        """Where a class is, bool (i, j, k)."""
        notes = json.loads((self.folder / "truth" / "truth.json").read_text())["images"][image]
        value = next(int(key) for key, one in notes["names"].items() if one == name)
        path = self.folder / "truth" / f"{image}.nii.gz"
        if path.exists():
            return np.asarray(nibabel.load(path).dataobj) == value
        picture = np.asarray(Image.open(self.folder / "truth" / f"{image}.png"))
        return (picture == value).T[:, :, None]

    def note(self, image: str) -> dict[str, Any]:
        """What the server notes about the final label."""
        return requests.get(f"{self.url}/datastore/label/info?label={image}&tag=final", timeout=30).json()

    def version_served(self, model: str) -> str:
        """The version of a model that answers now."""
        versions = requests.get(f"{self.url}/samantic/models/{model}/versions", timeout=30).json()
        return str(versions["served"])

    def label(self, image: str) -> np.ndarray:
        """The final label that lies in the studies folder, (i, j, k)."""
        import SimpleITK

        path = next((self.folder / "labels" / "final").glob(f"{image}*"))
        array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
        return array.T if array.ndim == 3 else array.T[:, :, None]


def inner_voxel(mask: np.ndarray) -> tuple[int, int]:
    """The voxel that lies deepest in a mask (i, j)."""
    from scipy.ndimage import distance_transform_edt

    i, j = np.unravel_index(distance_transform_edt(mask).argmax(), mask.shape)
    return int(i), int(j)


def voxel_beside(mask: np.ndarray) -> tuple[int, int]:
    """A voxel (i, j) a little outside a mask, where an answer may have leaked to."""
    i, j = (int(value) for value in np.argwhere(mask).max(axis=0))
    return i + 3, j


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """The share of pixels that look different."""
    return float((np.abs(before - after).max(axis=2) > 20).mean())


def wait_for_picture(
    workbench: WorkbenchPage, place: tuple[float, float], is_so: Callable[[np.ndarray], bool], what: str
) -> None:
    """Wait until what is on the screen around a place is as it should be."""
    workbench.wait(lambda: is_so(workbench.picture(place)), 30, lambda: what)


def begin_kidney(workbench: WorkbenchPage, study: Study) -> tuple[np.ndarray, Grid]:
    """Open the CT at the slice of the left kidney, with its class chosen; its truth (i, j, k) and its grid."""
    kidney = study.truth("ct_abdomen", "kidney_left")
    workbench.wait_for_step("Choose an image")
    workbench.open_image("ct_abdomen")
    workbench.choose_class("kid", "kidney_left")
    workbench.wait_for_step("Click on the left kidney")
    workbench.scroll_to(KIDNEY_SLICE)
    return kidney, Grid(kidney.shape, CT_SPACING_MM)


def wait_for_draft(workbench: WorkbenchPage, drafts: Path) -> None:
    """Wait until what is drawn lies in the folder of drafts."""
    workbench.wait(lambda: any(drafts.glob("*.json")), 30, lambda: f"no draft came into {drafts}")
