"""How long a click takes over HTTP on a 512 x 512 x 200 volume, beside other ways to answer it, in one run.

    python benchmarks/click_latency.py [--clicks 12] [--no-results]

Rows: later clicks on one slice; the same with the embedding cache off; MONAI Label's own SAM2 task (sam2_hiera_t with
random weights, which take as long as trained ones; it encodes on every click); crops of volumes of other depths; and
/info/ while an encoder runs. Servers answer one after the other, so that none slows another down.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests
import torch
from results import machine, write_section
from servers import Server, samantic_server, stock_server, write_ct

SHAPE = (512, 512, 200)
DEPTHS = (50, 100, 200, 400)
SLICE = 25
BOOTSTRAPS = 2000

SAM2_CONFIG = "sam2_hiera_t.yaml"
SAM2_APP = """
from pathlib import Path

from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferType
from monailabel.sam2.infer import Sam2InferTask


class App(MONAILabelApp):
    def __init__(self, app_dir, studies, conf):
        self.model_dir = str(Path(app_dir) / "model")
        super().__init__(app_dir, studies, conf, name="sam2", description="the stock SAM2 task")

    def init_infers(self):
        return {"sam_2d": Sam2InferTask(model_dir=self.model_dir, type=InferType.DEEPGROW, dimension=2)}
"""


@dataclass(frozen=True)
class Timing:
    """Milliseconds of repeated requests."""

    name: str
    milliseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the median."""
        draws = np.random.default_rng(0).choice(self.milliseconds, (BOOTSTRAPS, len(self.milliseconds)))
        low, high = np.percentile(np.median(draws, axis=1), (2.5, 97.5))
        return float(low), float(high)

    def row(self, reference: Timing) -> str:
        """A row of the table; the ratio is to the reference, with the interval of independent bootstraps."""
        generator = np.random.default_rng(1)
        mine, other = (
            np.median(generator.choice(one.milliseconds, (BOOTSTRAPS, len(one.milliseconds))), axis=1)
            for one in (self, reference)
        )
        low, high = np.percentile(mine / other, (2.5, 97.5))
        ratio = "1" if self is reference else f"{self.median / reference.median:.1f} ({low:.1f} to {high:.1f})"
        bounds = "{:.0f} to {:.0f}".format(*self.interval())
        return f"| {self.name} | {len(self.milliseconds)} | {self.median:.0f} | {bounds} | {ratio} |"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clicks", type=int, default=12, help="clicks per row")
    arguments.add_argument("--no-results", action="store_true", help="print only, leave RESULTS.md alone")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        text = _measured(Path(name), options.clicks)
    print(text)
    if not options.no_results:
        write_section("click latency", text)


def _measured(folder: Path, count: int) -> str:
    studies = folder / "studies"
    studies.mkdir()
    for depth in DEPTHS:
        write_ct(studies / f"ct{depth}.nii.gz", (*SHAPE[:2], depth))
    image = f"ct{SHAPE[2]}"
    with samantic_server(studies, folder / "home") as server:
        crops = {depth: _clicks(server, "segsam", f"ct{depth}", count, result="crop") for depth in DEPTHS}
        full = _clicks(server, "segsam", image, count)
        as_slicer = _clicks(server, "segsam", image, count, result_extension=".nrrd", result_dtype="uint8")
        idle = Timing("/info/, server idle", tuple(_timed(lambda: requests.get(f"{server.url}/info/", timeout=60), 20)))
        busy = Timing("/info/, while an encoder runs", tuple(_info_during_encoding(server, image)))
    with samantic_server(studies, folder / "home-off", SAMANTIC_EMBEDDING_CACHE="off") as server:
        uncached = _clicks(server, "segsam", image, count, result="crop")
    with _sam2_server(folder, studies) as server:
        sam2 = _clicks(server, "sam_2d", image, max(5, count // 2), result_extension=".nrrd", result_dtype="uint8")
    later = Timing("later clicks, `result: crop`", crops[SHAPE[2]].total)
    rows = [
        later,
        Timing("later clicks, whole volume as .nii.gz", full.total),
        Timing("later clicks, whole volume as Slicer asks (.nrrd)", as_slicer.total),
        Timing("cache off, `result: crop`", uncached.total),
        Timing("MONAI Label's SAM2 task, sam2_hiera_t", sam2.total),
    ]
    overhead = Timing("", tuple(t - d for t, d in zip(later.milliseconds, crops[SHAPE[2]].decode, strict=True)))
    low, high = overhead.interval()
    decoder = statistics.median(crops[SHAPE[2]].decode)
    depths = "\n".join(
        f"| {depth} | {len(crop.total)} | {Timing('', crop.total).median:.0f} "
        f"| {'{:.0f} to {:.0f}'.format(*Timing('', crop.total).interval())} |"
        for depth, crop in crops.items()
    )
    return f"""`benchmarks/click_latency.py`, one run: clicks over HTTP on a CT of {" x ".join(map(str, SHAPE))} voxels,
every click on a slice that was clicked on before, at another place. Milliseconds; intervals are 95 % bootstrap
intervals of the median.

| | n | median | interval | times the first row |
|---|---|---|---|---|
{chr(10).join(row.row(later) for row in rows)}

Decoder pass: {decoder:.0f} ms. All else of a later click with `result: crop` (HTTP, reading, prompts, writing):
{overhead.median:.0f} ms ({low:.0f} to {high:.0f}).

`result: crop` by depth of the volume:

| slices | n | median | interval |
|---|---|---|---|
{depths}

{_longest(idle)} {_longest(busy)}

Machine: {machine()}."""


@dataclass(frozen=True)
class Clicks:
    """Milliseconds of each click: as the client waits, and of the decoder pass as the server says."""

    total: tuple[float, ...]
    decode: tuple[float, ...]


def _clicks(server: Server, model: str, image: str, count: int, **params: Any) -> Clicks:
    """Later clicks on one slice: a first one, not counted, opens the volume and embeds the slice; one more settles."""
    total, decode = [], []
    for number in range(-2, count):
        point = [150 + 9 * number, 240 + 5 * number, SLICE]
        fields = {"foreground": [point], "background": [], "slice": SLICE, **params}
        began = time.perf_counter()
        response = requests.post(
            f"{server.url}/infer/{model}?image={image}", files={"params": (None, json.dumps(fields))}, timeout=300
        )
        elapsed = 1000 * (time.perf_counter() - began)
        response.raise_for_status()
        if number >= 0:
            total.append(elapsed)
            decode.append(_decode_ms(response.content))
        elif number == -2:
            time.sleep(3)  # the neighbours of the slice are prepared; no row is about that
    return Clicks(tuple(total), tuple(decode))


def _decode_ms(content: bytes) -> float:
    found = content.find(b'"decode": ')
    return float(content[found + 10 :].split(b",", 1)[0]) if found >= 0 else 0.0


def _timed(request: Callable[[], Any], count: int) -> Iterator[float]:
    for _ in range(count):
        began = time.perf_counter()
        request().raise_for_status()
        yield 1000 * (time.perf_counter() - began)


def _info_during_encoding(server: Server, image: str, slices: int = 8) -> list[float]:
    """/info/ again and again while clicks on slices that nobody has seen keep the encoder running."""
    done = threading.Event()

    def click() -> None:
        for number in range(slices):
            fields = {"foreground": [[200, 240, 60 + 10 * number]], "result": "crop"}
            requests.post(
                f"{server.url}/infer/segsam?image={image}", files={"params": (None, json.dumps(fields))}, timeout=300
            ).raise_for_status()
        done.set()

    clicking = threading.Thread(target=click)
    clicking.start()
    times: list[float] = []
    while not done.is_set():
        times += _timed(lambda: requests.get(f"{server.url}/info/", timeout=60), 1)
        time.sleep(0.01)
    clicking.join()
    return times


def _longest(timing: Timing) -> str:
    return (
        f"{timing.name}: median {timing.median:.0f} ms, 95th percentile "
        f"{np.percentile(timing.milliseconds, 95):.0f} ms (n = {len(timing.milliseconds)})."
    )


@contextmanager
def _sam2_server(folder: Path, studies: Path) -> Iterator[Server]:
    app = folder / "sam2-app"
    (app / "model").mkdir(parents=True)
    (app / "main.py").write_text(SAM2_APP, encoding="utf-8")
    _write_random_sam2(app / "model")
    # The task looks for these names and downloads nothing when the files are there.
    names = {"MONAI_SAM_MODEL_PT": "https://unused/sam2.pt", "MONAI_SAM_MODEL_CFG": f"https://unused/{SAM2_CONFIG}"}
    with stock_server(app, studies, folder / "home-sam2", **names) as server:
        yield server


def _write_random_sam2(folder: Path) -> None:
    import sam2
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from sam2.build_sam import build_sam2

    shutil.copy(Path(next(iter(sam2.__path__))) / "configs" / "sam2" / SAM2_CONFIG, folder / SAM2_CONFIG)
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(folder), version_base=None):
        model = build_sam2(SAM2_CONFIG, None, device="cpu")
    torch.save({"model": model.state_dict()}, folder / "sam2.pt")


if __name__ == "__main__":
    main()
