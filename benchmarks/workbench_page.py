"""The workbench in a real browser: started, looked at and clicked as a person would, for its tests and measurements."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

CHROMIUM = "/usr/bin/chromium"
START_SECONDS = 120
VIEWS = {"Axial": "Red", "Coronal": "Green", "Sagittal": "Yellow"}


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an image are in its axial view: their number, and millimetres along i and j."""

    shape_ijk: tuple[int, int, int]
    spacing_ij_mm: tuple[float, float]


@dataclass
class RunningWorkbench:
    """A workbench: the address of its page, and its process."""

    url: str
    process: subprocess.Popen[bytes]

    def crash(self) -> None:
        """End the process as a power cut does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def workbench_process(samantic_url: str, folder: Path) -> Iterator[str]:
    """Start `samantic workbench` and yield the address of its page; its words and drafts go to `folder`."""
    with running_workbench(samantic_url, folder) as workbench:
        yield workbench.url


@contextmanager
def running_workbench(samantic_url: str, folder: Path) -> Iterator[RunningWorkbench]:
    """Start `samantic workbench` on a free port; its words and drafts go to `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "import sys; from samantic.cli.main import app; app()"
    command = [sys.executable, "-c", code, "workbench", "--server", samantic_url, "--port", str(port)]
    log = folder / "workbench.log"
    variables = {**os.environ, "TMPDIR": str(folder), "SAMANTIC_HOME": str(folder / "home")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=variables)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The workbench did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)
        yield RunningWorkbench(url, process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def browser_page(width: int = 1440, height: int = 900) -> Iterator[Any]:
    """Yield a page of Chromium without a screen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=arguments)
        try:
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()


class WorkbenchPage:
    """What a person sees and does."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        page.goto(url)
        page.wait_for_selector(_at("next-step"), timeout=30_000)

    @property
    def next_step(self) -> str:
        """The line at the top."""
        return str(self.page.inner_text(_at("next-step")))

    def wait_for_step(self, words: str, seconds: float = 30) -> None:
        """Wait until the line at the top holds these words."""
        self.wait(lambda: words in self.next_step, seconds, lambda: f"'{words}' in '{self.next_step}' {self.notice!r}")

    def wait_for_answer(self, seconds: float = 60) -> None:
        """Wait until the model has answered and its mask can be accepted."""
        self.wait(lambda: self.is_enabled("accept"), seconds, lambda: f"no answer: '{self.next_step}' {self.notice!r}")

    def wait(self, is_so: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"It has not happened in {seconds} s: {what()}")
            self.page.wait_for_timeout(50)

    @property
    def notice(self) -> str:
        """The sentence that is shown, "" for none."""
        found = self.page.locator(_at("notice"))
        return str(found.inner_text()) if found.count() else ""

    def click(self, name: str) -> None:
        """Click on a part of the page."""
        self.page.click(_at(name), timeout=10_000)

    def is_enabled(self, name: str) -> bool:
        """Whether a button is there and can be clicked."""
        found = self.page.locator(_at(name))
        return bool(found.count()) and bool(found.is_enabled())

    def open_image(self, image_id: str) -> None:
        """Choose an image from the list and wait until it is shown."""
        self.page.locator(f"{_at('image')} input").click(force=True)
        self.page.locator(".v-overlay .v-list-item").get_by_text(image_id, exact=True).click()
        self.wait_for_step("What do you want to outline?")
        self.page.wait_for_timeout(600)

    def choose_class(self, search: str, name: str) -> None:
        """Search the classes by the keyboard and choose one."""
        self.page.keyboard.press("/")
        self.page.wait_for_timeout(250)
        self.page.keyboard.type(search)
        self.page.click(f"[data-class={name}]", timeout=10_000)
        self.page.wait_for_selector(_at("chosen-class"))

    def area(self, view: str = "Axial") -> dict[str, float]:
        """Where a view is on the page."""
        name = self.page.locator(f"[data-view={VIEWS[view]}]")
        box = name.locator("xpath=ancestor::*[contains(@class, 'layout-grid-item')]").bounding_box()
        return dict(box)

    @property
    def image(self) -> str:
        """The image that is open."""
        return str(self.page.locator(_at("image")).inner_text()).strip()

    def slice_shown(self, view: str = "Axial") -> int:
        """The number of the slice that a view shows, from 0."""
        words = str(self.page.locator(f"[data-view={VIEWS[view]}]").inner_text())
        return int(words.split("/")[0].split()[-1]) - 1

    def scroll_to(self, index: int, view: str = "Axial") -> None:
        """Turn the wheel until a view shows a slice."""
        area = self.area(view)
        self.page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
        for _ in range(400):
            shown = self.slice_shown(view)
            if shown == index:
                return
            self.page.mouse.wheel(0, -120 if index > shown else 120)
            self.wait(lambda before=shown: self.slice_shown(view) != before, 5, lambda: "the wheel does nothing")
        raise AssertionError(f"The wheel does not lead to slice {index}; {view} shows {self.slice_shown(view)}")

    def place_of(self, voxel_ij: tuple[float, float], grid: Grid, view: str = "Axial") -> tuple[float, float]:
        """Where a voxel of the slice that is shown is on the page."""
        area = self.area(view)
        size = [count * spacing for count, spacing in zip(grid.shape_ijk, grid.spacing_ij_mm, strict=False)]
        mm_per_pixel = max(size[0] / area["width"], size[1] / area["height"])
        offsets = [
            (index - (count - 1) / 2) * spacing / mm_per_pixel
            for index, count, spacing in zip(voxel_ij, grid.shape_ijk, grid.spacing_ij_mm, strict=False)
        ]
        return area["x"] + area["width"] / 2 + offsets[0], area["y"] + area["height"] / 2 + offsets[1]

    def picture(self, around: tuple[float, float], radius: float = 24) -> np.ndarray:
        """What is on the screen around a place, (rows, columns, 3) int16."""
        clip = {"x": around[0] - radius, "y": around[1] - radius, "width": 2 * radius, "height": 2 * radius}
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=clip))).convert("RGB"), np.int16)

    def save_picture(self, path: Path, quality: int = 78) -> None:
        """Save what is on the screen as JPEG."""
        self.page.wait_for_timeout(900)
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        path.parent.mkdir(parents=True, exist_ok=True)
        shot.save(path, quality=quality, optimize=True)


def _at(name: str) -> str:
    return f"[data-test={name}]"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False
