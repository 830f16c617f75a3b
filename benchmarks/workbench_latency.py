"""How long a person at the workbench waits: click to visible mask, scrolling during a propagation, cancelling it.

    python benchmarks/workbench_latency.py [--clicks 12] [--no-results]

A real browser on a real server with the demo CT. The time of a click runs from the mouse button to the first picture
of the page in which the place that was clicked looks different, on a slice that was clicked on before.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from results import machine, write_section
from servers import samantic_server
from workbench_page import Grid, WorkbenchPage, browser_page, workbench_process

SLICE = 60
GRID = Grid((160, 160, 88), (2.25, 2.25))
PATIENCE_S = 90.0
STILL_S = 0.8

SOURCE = """
([x, y]) => document.elementsFromPoint(x, y).find((one) => one.tagName === 'IMG' || one.tagName === 'CANVAS').src
"""

WATCH = """
([x, y, radius]) => {
  const area = document.elementsFromPoint(x, y).find((one) => one.tagName === 'IMG' || one.tagName === 'CANVAS');
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 2 * radius;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const box = area.getBoundingClientRect();
  const width = area.naturalWidth || area.width, height = area.naturalHeight || area.height;
  const draw = () => {
    context.drawImage(area, (x - box.x - radius) * width / box.width, (y - box.y - radius) * height / box.height,
      2 * radius * width / box.width, 2 * radius * height / box.height, 0, 0, 2 * radius, 2 * radius);
    return context.getImageData(0, 0, 2 * radius, 2 * radius).data;
  };
  const before = draw();
  window.samanticSeen = null;
  window.samanticBegan = null;
  const begin = () => { window.samanticBegan = performance.now(); };
  window.addEventListener('mousedown', begin, { once: true, capture: true });
  const look = () => {
    const now = draw();
    let changed = 0;
    for (let at = 0; at < now.length; at += 4) {
      if (Math.max(Math.abs(now[at] - before[at]), Math.abs(now[at + 2] - before[at + 2])) > 20) changed += 1;
    }
    if (window.samanticBegan !== null && changed > now.length / 16) window.samanticSeen = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""


@dataclass(frozen=True)
class Waits:
    """Milliseconds that a person waited for the same thing again and again."""

    name: str
    milliseconds: tuple[float, ...]

    def row(self, bound: str) -> str:
        """A row of the table."""
        times = np.array(self.milliseconds)
        return f"| {self.name} | {len(times)} | {np.median(times):.0f} | {np.percentile(times, 95):.0f} | {bound} |"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clicks", type=int, default=12, help="clicks, not counting the first")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        text = _measured(Path(name), options.clicks)
    print(text)
    if not options.no_results:
        write_section("workbench latency", text)


def _measured(folder: Path, count: int) -> str:
    from samantic.datasets import write_demo_study

    studies = folder / "studies"
    write_demo_study(studies, lambda _: None)
    with (
        samantic_server(studies, folder / "home", OMP_NUM_THREADS="1") as server,
        workbench_process(server.url, folder) as url,
        browser_page() as page,
    ):
        workbench = WorkbenchPage(page, url)
        workbench.wait_for_step("Choose an image")
        workbench.open_image("ct_abdomen")
        workbench.choose_class("spleen", "spleen")
        workbench.scroll_to(SLICE)
        before = _processor_ms()
        clicks = Waits("click to visible mask, later clicks", tuple(_clicks(workbench, count)))
        # Each click is undone again, and the two that are not counted cost as much.
        each = (_processor_ms() - before) / (2 * (count + 2))
        alone = Waits("wheel to another slice", tuple(_scrolls(workbench, 12)))
        workbench.scroll_to(SLICE)
        during, cancel = _propagation(workbench)
    return f"""`benchmarks/workbench_latency.py`, one run: the browser workbench on the demo CT of
{" x ".join(map(str, GRID.shape_ijk))} voxels, page of 1440 x 900 pixels. Server, workbench and browser share the
machine. Milliseconds from the event in the browser to the first changed picture in it.

| | n | median | 95th percentile | wanted |
|---|---|---|---|---|
{clicks.row("400")}
{alone.row("")}
{during.row("300")}
{cancel.row("1000")}

Processor time of server, workbench and browser together for a click or its undo, surfaces and all: {each:.0f} ms.
Load of the machine at the end (1 minute): {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores.

Machine: {machine()}."""


def _processor_ms() -> float:
    """Processor time so far of this process and all that it has started, and that of theirs."""
    ticks, parents = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has just ended
            continue
        number = int(path.parent.name)
        parents[number], ticks[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    total = 0
    for number, spent in ticks.items():
        above = number
        while above in parents and above != os.getpid():
            above = parents[above]
        total += spent if above == os.getpid() and number != os.getpid() else 0
    return 1000 * total / os.sysconf("SC_CLK_TCK")


def _clicks(workbench: WorkbenchPage, count: int) -> list[float]:
    """Each click in a place of its own that is dark before; undone before the next."""
    times = []
    for number in range(-2, count):
        place = workbench.place_of((106 + 2 * (number % 4), 90 + 2 * (number % 3)), GRID)
        times += [_until_seen(workbench, place, lambda here=place: workbench.page.mouse.click(*here))]
        workbench.wait_for_answer()
        workbench.click("undo")
        workbench.page.wait_for_timeout(900)
    return times[2:]


def _scrolls(workbench: WorkbenchPage, count: int) -> list[float]:
    place = workbench.place_of((80, 80), GRID)
    times = []
    for number in range(count):
        workbench.page.mouse.move(*place)
        workbench.page.wait_for_timeout(250)
        way = -120 if number % 2 else 120
        times.append(_until_shown(workbench, lambda way=way: workbench.page.mouse.wheel(0, way)))
    return times


def _propagation(workbench: WorkbenchPage) -> tuple[Waits, Waits]:
    """Scroll while an object is followed, and cancel it, until there are enough times of both."""
    scrolled: list[float] = []
    cancelled: list[float] = []
    workbench.page.mouse.click(*workbench.place_of((107, 92), GRID))
    workbench.wait_for_answer()
    while len(cancelled) < 3:
        workbench.click("propagate")
        workbench.wait(lambda: workbench.is_enabled("cancel"), 20, lambda: "no job")
        for _ in range(4):
            if workbench.is_enabled("cancel"):
                scrolled += _scrolls(workbench, 1)
        if not workbench.is_enabled("cancel"):
            break
        began = time.perf_counter()
        workbench.click("cancel")
        workbench.wait(lambda: not workbench.page.locator("[data-test=cancel]").count(), 20, lambda: "still there")
        cancelled.append(1000 * (time.perf_counter() - began))
        workbench.page.wait_for_timeout(1500)
    scrolling = Waits("wheel to another slice during a propagation", tuple(scrolled))
    return scrolling, Waits("cancelling it, until the page is free", tuple(cancelled))


def _until_seen(workbench: WorkbenchPage, place: tuple[float, float], act: Any, radius: int = 8) -> float:
    page = workbench.page
    page.mouse.move(*place)
    _wait_until_still(page, place)
    page.evaluate(WATCH, [*place, radius])
    act()
    page.wait_for_function("window.samanticSeen !== null", timeout=1000 * PATIENCE_S, polling=10)
    return float(page.evaluate("window.samanticSeen - window.samanticBegan"))


def _wait_until_still(page: Any, place: tuple[float, float]) -> None:
    """Wait until the picture of a view has been the same for a while."""
    shown, since = "", time.monotonic()
    while time.monotonic() - since < STILL_S:
        now = str(page.evaluate(SOURCE, [*place]))
        if now != shown:
            shown, since = now, time.monotonic()
        page.wait_for_timeout(50)


def _until_shown(workbench: WorkbenchPage, act: Any) -> float:
    """From a turn of the wheel until the picture of the view is another one."""
    area = workbench.area()
    middle = (area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    page = workbench.page
    page.evaluate(WATCH_PICTURE, [*middle])
    act()
    page.wait_for_function("window.samanticSeen !== null", timeout=1000 * PATIENCE_S, polling=10)
    return float(page.evaluate("window.samanticSeen - window.samanticBegan"))


WATCH_PICTURE = """
([x, y]) => {
  const area = document.elementsFromPoint(x, y).find((one) => one.tagName === 'IMG' || one.tagName === 'CANVAS');
  window.samanticSeen = null;
  window.samanticBegan = null;
  const name = document.querySelector('[data-view=Red]');
  const source = area.src, words = name.innerText;
  window.addEventListener('wheel', () => { window.samanticBegan = performance.now(); }, { once: true, capture: true });
  const look = () => {
    if (window.samanticBegan !== null && area.src !== source && name.innerText !== words) {
      window.samanticSeen = performance.now();
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""


if __name__ == "__main__":
    main()
