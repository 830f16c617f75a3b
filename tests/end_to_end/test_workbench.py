"""The workbench as a person uses it: a real server on the demo study, a real browser.

With SAMANTIC_PICTURES=docs/pictures/workbench the pictures of the user guide are taken on the way.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests

pytest.importorskip("trame_slicer")
pytest.importorskip("playwright")

from benchmarks.workbench_page import Grid, WorkbenchPage, browser_page, workbench_process
from tests.end_to_end.workbench_study import (
    CT_SPACING_MM,
    HAS_BROWSER,
    KIDNEY_SLICE,
    Study,
    changed,
    inner_voxel,
    voxel_beside,
    wait_for_picture,
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_BROWSER, reason="there is no Chromium on this machine")]


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
    grid = Grid(kidney.shape, CT_SPACING_MM)
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

    voxel = inner_voxel(kidney[:, :, KIDNEY_SLICE])
    place = workbench.place_of(voxel, grid)
    before = workbench.picture(place)
    workbench.page.mouse.click(*place)
    workbench.wait_for_answer()
    wait_for_picture(workbench, place, lambda now: changed(before, now) > 0.5, "no mask appeared at the click")
    assert not workbench.is_enabled("redo")
    take("3-click")

    workbench.page.wait_for_timeout(1000)
    answered = workbench.picture(place)
    _click_elsewhere(workbench, kidney, grid)
    take("4-correct")
    workbench.click("undo")
    back = "undo does not bring back the answer before"
    workbench.wait(lambda: workbench.is_enabled("redo"), 30, lambda: "nothing was taken back")
    wait_for_picture(workbench, place, lambda now: changed(answered, now) < 0.1, back)
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
    label = a_study.label("ct_abdomen")
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
    place = workbench.place_of(inner_voxel(truth[:, :, 0]), Grid(truth.shape, (1.0, 1.0)))
    workbench.page.mouse.click(*place)
    workbench.page.wait_for_timeout(300)
    workbench.wait_for_answer()
    workbench.click("accept")
    workbench.click("submit")
    workbench.wait_for_step("Saved.")
    (said,) = a_study.note("dermoscopy_1")["provenance"]["classes"]
    assert (said["class"], said["type"]["value"]) == ("skin_lesion", "95324001")
    drawn = a_study.label("dermoscopy_1") > 0
    overlap = 2 * (drawn & truth).sum() / (drawn.sum() + truth.sum())
    assert overlap > 0.7, f"Dice {overlap:.2f} of the lesion"

    workbench.click("train-quick")
    workbench.wait_for_step("The model is learning", seconds=60)
    workbench.wait(lambda: "Dice" in _training(workbench) or _outcome(workbench) != "", 240, lambda: workbench.notice)
    take("10-learning")
    workbench.wait(lambda: _outcome(workbench) != "", 300, lambda: f"{_training(workbench)!r} {workbench.notice!r}")
    served = a_study.version_served("besadiff")
    if "has learned" in _outcome(workbench):
        assert f"version {served} answers from now on" in workbench.notice
    else:
        assert served == "bundled", "it says that nothing was published"
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


def _training(workbench: WorkbenchPage) -> str:
    """What is said of a training that runs, "" when it has ended."""
    found = workbench.page.locator("[data-test=training]")
    return str(found.inner_text()) if found.count() else ""


def _outcome(workbench: WorkbenchPage) -> str:
    """The sentence on what came of the training, "" for another one."""
    said = workbench.notice
    return said if "The model has learned" in said or "The model did not get better" in said else ""


def _click_elsewhere(workbench: WorkbenchPage, kidney: np.ndarray, grid: Grid) -> None:
    """A negative click beside the kidney, where the mask may have leaked to."""
    area = workbench.area()
    workbench.click("tool-negative")
    said = workbench.page.inner_text("[data-test=answer]")
    workbench.page.mouse.click(*workbench.place_of(voxel_beside(kidney[:, :, KIDNEY_SLICE]), grid))
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
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
