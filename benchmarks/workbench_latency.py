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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from results import machine, write_section
from servers import samantic_server
from workbench_page import Grid, WorkbenchPage, browser_page, workbench_process

SLICE = 60
GRID = Grid((160, 160, 88), (2.25, 2.25))
STILL_S = 0.8

SOURCE = """
([x, y]) => document.elementsFromPoint(x, y).find((one) => one.tagName === 'IMG' || one.tagName === 'CANVAS').src
"""

WATCH = """
([x, y, radius, kind]) => {
  const area = document.elementsFromPoint(x, y).find((one) => one.tagName === 'IMG');
  const name = document.querySelector('[data-view=Red]');
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 2 * radius;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const box = area.getBoundingClientRect();
  const scale = area.naturalWidth / box.width;
  const draw = () => {
    context.drawImage(area, (x - box.x - radius) * scale, (y - box.y - radius) * scale, 2 * radius * scale,
      2 * radius * scale, 0, 0, 2 * radius, 2 * radius);
    return context.getImageData(0, 0, 2 * radius, 2 * radius).data;
  };
  const before = draw(), words = name.innerText;
  const differs = () => {
    if (kind === 'wheel') return name.innerText !== words;
    const now = draw();
    let changed = 0;
    for (let at = 0; at < now.length; at += 4) {
      if (Math.max(Math.abs(now[at] - before[at]), Math.abs(now[at + 2] - before[at + 2])) > 20) changed += 1;
    }
    return changed > now.length / 16;
  };
  let began = null;
  window.addEventListener(kind, () => { began = performance.now(); }, { once: true, capture: true });
  window.samanticWait = new Promise((resolve) => {
    const look = () => {
      if (began === null || !differs()) return;
      area.removeEventListener('load', look);
      requestAnimationFrame(() => resolve(performance.now() - began));
    };
    area.addEventListener('load', look);
  });
}
"""
"""Looks at a view only when a new picture has come, so that watching costs nothing."""


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
All three shared {len(os.sched_getaffinity(0))} of {os.cpu_count()} cores, on which other work was going on: load
{os.getloadavg()[0]:.1f} at the end.

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
        times += [_until_seen(workbench, place, "mousedown", lambda here=place: workbench.page.mouse.click(*here))]
        workbench.wait_for_answer()
        workbench.click("undo")
        workbench.page.wait_for_timeout(900)
    return times[2:]


def _scrolls(workbench: WorkbenchPage, count: int) -> list[float]:
    place = workbench.place_of((80, 80), GRID)
    times = []
    for number in range(count):
        way = -120 if number % 2 else 120
        times.append(_until_seen(workbench, place, "wheel", lambda way=way: workbench.page.mouse.wheel(0, way)))
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


def _until_seen(
    workbench: WorkbenchPage, place: tuple[float, float], kind: str, act: Callable[[], None], radius: int = 8
) -> float:
    """From the mouse button, or the wheel, until the view shows what came of it."""
    page = workbench.page
    page.mouse.move(*place)
    _wait_until_still(page, place)
    page.evaluate(WATCH, [*place, radius, kind])
    act()
    return float(page.evaluate("window.samanticWait"))


def _wait_until_still(page: Any, place: tuple[float, float]) -> None:
    """Wait until the picture of a view has been the same for a while."""
    shown, since = "", time.monotonic()
    while time.monotonic() - since < STILL_S:
        now = str(page.evaluate(SOURCE, [*place]))
        if now != shown:
            shown, since = now, time.monotonic()
        page.wait_for_timeout(200)


if __name__ == "__main__":
    main()
