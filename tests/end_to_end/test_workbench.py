"""The workbench as a person uses it: a real server on the demo study, a real browser.

With SAMANTIC_PICTURES=docs/pictures/workbench the pictures of the user guide are taken on the way.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

pytest.importorskip("trame_slicer")
pytest.importorskip("playwright")

from workbench_page import CHROMIUM, Grid, WorkbenchPage, browser_page, workbench_process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no Chromium on this machine"),
]

KIDNEY_SLICE = 60


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


@pytest.fixture(scope="module")
def a_study(start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Study:
    from samantic.datasets import write_demo_study

    folder = tmp_path_factory.mktemp("study")
    write_demo_study(folder, lambda _: None)
    server = start_server(studies=folder, conf={"models": "all"})
    return Study(server.url, folder)


@pytest.fixture(scope="module")
def a_workbench_url(a_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with workbench_process(a_study.url, tmp_path_factory.mktemp("workbench")) as url:
        yield url


@pytest.fixture(scope="module")
def a_workbench(a_workbench_url: str) -> Iterator[WorkbenchPage]:
    with browser_page() as page:
        yield WorkbenchPage(page, a_workbench_url)


@pytest.fixture(scope="module")
def take(a_workbench: WorkbenchPage) -> Callable[[str], None]:
    folder = os.environ.get("SAMANTIC_PICTURES")

    def picture(name: str) -> None:
        if folder:
            a_workbench.save_picture(Path(folder) / f"{name}.jpg")

    return picture


def test_a_kidney_is_clicked_corrected_followed_and_submitted(
    a_workbench: WorkbenchPage, a_study: Study, take: Callable[[str], None]
) -> None:
    workbench, kidney = a_workbench, a_study.truth("ct_abdomen", "kidney_left")
    grid = Grid(kidney.shape, (2.25, 2.25))
    workbench.wait_for_step("Choose an image")
    take("1-choose-image")
    workbench.open_image("ct_abdomen")
    workbench.page.keyboard.press("/")
    workbench.page.wait_for_timeout(250)
    workbench.page.keyboard.type("kid")
    workbench.page.wait_for_selector("[data-class=kidney_left]")
    take("2-search-class")
    workbench.page.click("[data-class=kidney_left]")
    workbench.wait_for_step("Click on the left kidney")
    workbench.scroll_to(KIDNEY_SLICE)

    voxel = _inner_voxel(kidney[:, :, KIDNEY_SLICE])
    place = workbench.place_of(voxel, grid)
    before = workbench.picture(place)
    workbench.page.mouse.click(*place)
    workbench.wait_for_answer()
    _wait_for_picture(workbench, place, lambda now: _changed(before, now) > 0.5, "no mask appeared at the click")
    assert not workbench.is_enabled("redo")
    take("3-click")

    workbench.page.wait_for_timeout(1000)
    answered = workbench.picture(place)
    _click_elsewhere(workbench, kidney, grid)
    take("4-correct")
    workbench.click("undo")
    back = "undo does not bring back the answer before"
    workbench.wait(lambda: workbench.is_enabled("redo"), 30, lambda: "nothing was taken back")
    _wait_for_picture(workbench, place, lambda now: _changed(answered, now) < 0.1, back)
    workbench.click("redo")
    workbench.wait(lambda: not workbench.is_enabled("redo"), 30, lambda: "nothing was made again")
    workbench.click("undo")
    workbench.wait(lambda: workbench.is_enabled("redo"), 30, lambda: "nothing was taken back")

    workbench.click("propagate")
    workbench.wait_for_step("Scroll through and check", seconds=180)
    workbench.page.wait_for_timeout(1500)
    take("5-follow")
    workbench.click("accept")
    workbench.wait_for_step("Choose the next class, or submit")
    take("6-accept")
    workbench.click("submit")
    workbench.wait_for_step("Saved.")
    take("7-submit")

    note = a_study.note("ct_abdomen")
    (said,) = note["provenance"]["classes"]
    assert (said["name"], said["class"], said["type"]["value"]) == ("kidney_left", "kidney_left", "64033007")
    assert note["provenance"]["client"]["software"] == "samantic workbench"
    path = next((a_study.folder / "labels" / "final").glob("ct_abdomen*"))
    label = _read(path)
    assert set(np.unique(label)) == {0, said["value"]}
    assert label[voxel[0], voxel[1], KIDNEY_SLICE] == said["value"]
    sent = _answer_of_server(a_study, voxel)
    assert np.array_equal(label[:, :, KIDNEY_SLICE] > 0, sent[:, :, KIDNEY_SLICE] > 0), "not what the server drew"
    assert (label > 0).any(axis=(0, 1)).sum() > 3, "it was not followed through the slices"


def test_a_lesion_is_outlined_checked_learned_from_and_the_next_image_comes(
    a_workbench: WorkbenchPage, a_study: Study, take: Callable[[str], None]
) -> None:
    workbench, truth = a_workbench, a_study.truth("dermoscopy_1", "skin_lesion")
    workbench.open_image("dermoscopy_1")
    workbench.choose_class("lesion", "skin_lesion")
    workbench.wait_for_step("Let the model outline the skin lesion")
    workbench.click("outline")
    workbench.wait_for_answer()
    take("8-lesion")
    workbench.click("map")
    workbench.page.wait_for_timeout(3500)
    take("9-unsure")
    workbench.click("map")
    place = workbench.place_of(_inner_voxel(truth[:, :, 0]), Grid(truth.shape, (1.0, 1.0)))
    workbench.page.mouse.click(*place)
    workbench.page.wait_for_timeout(300)
    workbench.wait_for_answer()
    workbench.click("accept")
    workbench.click("submit")
    workbench.wait_for_step("Saved.")
    (said,) = a_study.note("dermoscopy_1")["provenance"]["classes"]
    assert (said["class"], said["type"]["value"]) == ("skin_lesion", "95324001")
    drawn = _read(next((a_study.folder / "labels" / "final").glob("dermoscopy_1*"))) > 0
    overlap = 2 * (drawn & truth).sum() / (drawn.sum() + truth.sum())
    assert overlap > 0.7, f"Dice {overlap:.2f} of the lesion"

    workbench.click("train-quick")
    workbench.wait_for_step("The model is learning", seconds=60)
    workbench.page.wait_for_selector("[data-test=training]")
    workbench.wait(
        lambda: "Dice" in workbench.page.inner_text("[data-test=training]") or not workbench.is_enabled("stop"),
        240,
        lambda: workbench.page.inner_text("[data-test=training]"),
    )
    take("10-learning")
    workbench.click("next")
    workbench.wait_for_step("What do you want to outline?", seconds=120)
    take("11-next")
    assert workbench.image.startswith("dermoscopy_")
    assert workbench.image != "dermoscopy_1"


def test_a_second_browser_is_told_that_the_place_is_taken(a_workbench: WorkbenchPage, a_workbench_url: str) -> None:
    other = a_workbench.page.context.browser.new_context().new_page()
    answer = other.goto(a_workbench_url)
    assert answer is not None
    assert answer.status == 409
    assert "Somebody is annotating here already" in other.inner_text("main")
    other.close()
    assert a_workbench.next_step


def _inner_voxel(mask: np.ndarray) -> tuple[int, int]:
    """The voxel that lies deepest in a mask (i, j)."""
    from scipy.ndimage import distance_transform_edt

    i, j = np.unravel_index(distance_transform_edt(mask).argmax(), mask.shape)
    return int(i), int(j)


def _changed(before: np.ndarray, after: np.ndarray) -> float:
    """The share of pixels that look different."""
    return float((np.abs(before - after).max(axis=2) > 20).mean())


def _wait_for_picture(
    workbench: WorkbenchPage, place: tuple[float, float], is_so: Callable[[np.ndarray], bool], what: str
) -> None:
    workbench.wait(lambda: is_so(workbench.picture(place)), 30, lambda: what)


def _click_elsewhere(workbench: WorkbenchPage, kidney: np.ndarray, grid: Grid) -> None:
    """A negative click beside the kidney, where the mask may have leaked to."""
    i, j = (int(value) for value in np.argwhere(kidney[:, :, KIDNEY_SLICE]).max(axis=0))
    area = workbench.area()
    workbench.click("tool-negative")
    said = workbench.page.inner_text("[data-test=answer]")
    workbench.page.mouse.click(*workbench.place_of((i + 3, j), grid))
    workbench.wait(lambda: workbench.page.inner_text("[data-test=answer]") != said, 30, lambda: "no second answer")
    workbench.click("tool-positive")
    workbench.page.mouse.move(area["x"] + 30, area["y"] + 30)


def _answer_of_server(study: Study, voxel: tuple[int, int]) -> np.ndarray:
    params = {"foreground": [[*voxel, KIDNEY_SLICE]], "slice": KIDNEY_SLICE, "multimask": True}
    reply = requests.post(
        f"{study.url}/infer/segsam?image=ct_abdomen&output=image",
        files={"params": (None, json.dumps(params))},
        timeout=60,
    )
    reply.raise_for_status()
    return np.asarray(nibabel.Nifti1Image.from_bytes(_unpacked(reply.content)).dataobj)


def _unpacked(content: bytes) -> bytes:
    import gzip

    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def _read(path: Path) -> np.ndarray:
    import SimpleITK

    array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    return array.T if array.ndim == 3 else array.T[:, :, None]
