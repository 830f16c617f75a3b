"""The workbench crashes under a person, who finds the segments again in the next one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trame_slicer")
pytest.importorskip("playwright")

from benchmarks.workbench_page import WorkbenchPage, browser_page, running_workbench
from tests.end_to_end.conftest import ServerStarter
from tests.end_to_end.workbench_study import HAS_BROWSER, Study, wait_for_draft

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_BROWSER, reason="there is no Chromium on this machine")]


def test_what_was_drawn_before_a_crash_is_restored_and_submitted(start_server: ServerStarter, tmp_path: Path) -> None:
    server = start_server()
    study, drafts = Study(server.url, server.studies), tmp_path / "home" / "workbench" / "drafts"
    with browser_page() as page:
        with running_workbench(server.url, tmp_path) as workbench_process:
            workbench = WorkbenchPage(page, workbench_process.url)
            workbench.wait_for_step("Choose an image")
            workbench.open_image("ct")
            workbench.choose_class("liver", "liver")
            _click_the_middle(workbench)
            wait_for_draft(workbench, drafts)
            workbench_process.crash()
        kept = next(drafts.glob("*.seg.nrrd")).read_bytes()

        with running_workbench(server.url, tmp_path) as workbench_process:
            workbench = WorkbenchPage(page, workbench_process.url)
            workbench.wait_for_step("Choose an image")
            workbench.open_image("ct")
            question = page.locator("[data-test=draft]")
            question.wait_for(timeout=30_000)
            assert "with 1 segment" in question.inner_text()
            workbench.click("restore-draft")
            page.wait_for_selector("[data-segment]")
            assert page.locator("[data-segment]").inner_text().strip() == "liver"
            workbench.click("submit")
            workbench.wait_for_step("Saved.")
            workbench.wait(lambda: not list(drafts.iterdir()), 30, lambda: "the draft stays after it was submitted")
            first = study.label("ct")

            workbench.open_image("lesion")
            workbench.open_image("ct")
            assert not page.locator("[data-segment]").count()
            assert not question.count()
            workbench.click("load-label")
            page.wait_for_selector("[data-segment]")
            assert "Loaded: liver of ct." in workbench.notice
            workbench.click("submit")
            workbench.wait_for_step("Saved.")
            assert np.array_equal(study.label("ct") > 0, first > 0), "what was loaded is not what was submitted"

    assert np.array_equal(study.label("ct") > 0, _mask(kept, tmp_path)), "not what was drawn before the crash"


def _click_the_middle(workbench: WorkbenchPage) -> None:
    area = workbench.area()
    workbench.page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    workbench.wait_for_answer()
    workbench.page.wait_for_selector("[data-segment]")


def _mask(content: bytes, folder: Path) -> np.ndarray:
    """A draft with one segment, on the voxels of the CT."""
    import SimpleITK

    path = folder / "kept.seg.nrrd"
    path.write_bytes(content)
    image = SimpleITK.ReadImage(str(path))
    whole = np.zeros((64, 64, 24), bool)
    crop = SimpleITK.GetArrayFromImage(image).T > 0
    first = [int(word) for word in image.GetMetaData("Segmentation_ReferenceImageExtentOffset").split()]
    whole[tuple(slice(start, start + size) for start, size in zip(first, crop.shape, strict=True))] = crop
    return whole
