"""The server goes away under a person at the workbench, and comes back: nothing is lost, nothing is stuck."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

pytest.importorskip("trame_slicer")
pytest.importorskip("playwright")

from benchmarks.workbench_page import WorkbenchPage, browser_page, workbench_process
from tests.end_to_end.conftest import RunningServer, ServerStarter
from tests.end_to_end.workbench_study import (
    HAS_BROWSER,
    KIDNEY_SLICE,
    Study,
    begin_kidney,
    changed,
    inner_voxel,
    voxel_beside,
    wait_for_picture,
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_BROWSER, reason="there is no Chromium on this machine")]


@pytest.fixture(scope="module")
def a_server_to_kill(start_server: ServerStarter, tmp_path_factory: pytest.TempPathFactory) -> RunningServer:
    from samantic.datasets import write_demo_study

    folder = tmp_path_factory.mktemp("study")
    write_demo_study(folder)
    return start_server(studies=folder)


@pytest.fixture(scope="module")
def a_workbench(a_server_to_kill: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkbenchPage]:
    with workbench_process(a_server_to_kill.url, tmp_path_factory.mktemp("workbench")) as url, browser_page() as page:
        yield WorkbenchPage(page, url)


def test_the_session_goes_on_when_the_server_was_killed_and_started_again(
    a_workbench: WorkbenchPage, a_server_to_kill: RunningServer, start_server: ServerStarter
) -> None:
    workbench, study = a_workbench, Study(a_server_to_kill.url, a_server_to_kill.studies)
    kidney, grid = begin_kidney(workbench, study)
    voxel = inner_voxel(kidney[:, :, KIDNEY_SLICE])
    place = workbench.place_of(voxel, grid)
    empty = workbench.picture(place)
    workbench.page.mouse.click(*place)
    workbench.wait_for_answer()
    wait_for_picture(workbench, place, lambda now: changed(empty, now) > 0.5, "no mask appeared at the click")

    a_server_to_kill.kill()
    workbench.page.mouse.click(*workbench.place_of((voxel[0] + 2, voxel[1]), grid))
    said = "Nobody answers at"
    workbench.wait(lambda: said in workbench.notice, 30, lambda: f"no sentence, but {workbench.notice!r}")
    assert "Traceback" not in workbench.notice
    assert workbench.next_step.startswith("The server does not answer; your segments are safe.")
    assert "does not answer" in workbench.page.inner_text("[data-test=connection]")
    assert _segments(workbench) == ["left kidney"]
    assert changed(empty, workbench.picture(place)) > 0.5, "the mask has gone with the server"

    workbench.scroll_to(KIDNEY_SLICE + 2)
    workbench.scroll_to(KIDNEY_SLICE)
    workbench.click("undo")
    workbench.click("undo")
    workbench.wait(lambda: workbench.is_enabled("redo"), 30, lambda: "undo does not answer without a server")
    wait_for_picture(workbench, place, lambda now: changed(empty, now) < 0.5, "the mask was not taken back")
    workbench.click("redo")
    wait_for_picture(workbench, place, lambda now: changed(empty, now) > 0.5, "the mask did not come back")

    port = urlsplit(a_server_to_kill.url).port
    start_server(studies=a_server_to_kill.studies, home=a_server_to_kill.home, port=port)
    workbench.wait(lambda: "The server is back" in workbench.notice, 30, lambda: f"it says {workbench.notice!r}")
    assert "does not answer" not in workbench.page.inner_text("[data-test=connection]")
    before = workbench.page.inner_text("[data-test=answer]")
    workbench.click("tool-negative")
    workbench.page.mouse.click(*workbench.place_of(voxel_beside(kidney[:, :, KIDNEY_SLICE]), grid))
    workbench.wait(
        lambda: workbench.page.inner_text("[data-test=answer]") != before and workbench.is_enabled("accept"),
        60,
        lambda: f"the server that is back was not asked: {workbench.next_step!r} {workbench.notice!r}",
    )
    workbench.click("accept")
    workbench.click("submit")
    workbench.wait_for_step("Saved.")
    label = study.label("ct_abdomen")
    assert label[voxel[0], voxel[1], KIDNEY_SLICE] > 0
    assert not (label > 0)[:, :, :KIDNEY_SLICE].any()


def _segments(workbench: WorkbenchPage) -> list[str]:
    return [words.strip() for words in workbench.page.locator("[data-segment]").all_inner_texts()]
