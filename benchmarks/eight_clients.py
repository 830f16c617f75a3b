"""Eight clients on four images at once: every answer equals the one that a single client gets, memory stays bounded.

    python benchmarks/eight_clients.py [--seconds 120]

Every client goes through the same clicks, boxes and refinements over and over, each time in a new session.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from monailabel.client import MONAILabelClient
from PIL import Image
from results import machine, write_section
from servers import Server, samantic_server, write_ct, write_photograph

CLIENTS = 8
STEPS = 8
TIMING = ("latencies", "embedding_source")
"""What an answer says about how it came about, not about the image."""


@dataclass
class Report:
    """What eight clients saw: answers, those unlike a single client's, failures, and the server's memory in MiB."""

    answers: int = 0
    different: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    alone_mib: float = 0.0
    resident_mib: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)


def hammer(server: Server, images: dict[str, tuple[int, int, int]], seconds: float, folder: Path) -> Report:
    """Ask everything once alone, then by eight clients at once for so many seconds.

    images: id -> shape (I, J, K), K = 1 for a photograph. folder: for the answers that clients download.
    """
    scripts = [_script(number, images) for number in range(CLIENTS)]
    report = Report()
    expected = []
    for number, script in enumerate(scripts):
        client = MONAILabelClient(server.url, str(_folder(folder, "alone")), f"client-{number}")
        expected.append([_answer(client, image, params, f"alone-{number}") for image, params in script])
    report.alone_mib = server.resident_mib
    until = time.monotonic() + seconds
    lock = threading.Lock()

    def work(number: int) -> None:
        client = MONAILabelClient(server.url, str(_folder(folder, str(number))), f"client-{number}")
        for turn in range(10**6):
            for step, (image, params) in enumerate(scripts[number]):
                began = time.perf_counter()
                try:
                    answer = _answer(client, image, params, f"{number}-{turn}")
                except Exception as error:  # whatever it is, it belongs into the report
                    with lock:
                        report.failures.append(f"{image} {params}: {getattr(error, 'msg', error)}")
                    return
                with lock:
                    report.answers += 1
                    report.milliseconds.append(1000 * (time.perf_counter() - began))
                    if answer != expected[number][step]:
                        report.different.append(f"{image} {params}")
                if time.monotonic() > until:
                    return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        report.resident_mib.append(server.resident_mib)
        time.sleep(0.5)
    # A server removes an answer's file after the answer has left.
    tidied = time.monotonic() + 5
    while (left := [path.name for path in server.temporary.rglob("*") if path.is_file()]) and time.monotonic() < tidied:
        time.sleep(0.1)
    report.left_behind = left
    return report


def _script(number: int, images: dict[str, tuple[int, int, int]]) -> list[tuple[str, dict[str, Any]]]:
    """Clicks, then the same with one click more (a refinement), then boxes; different ones for every client."""
    chance = random.Random(number)
    names = sorted(images)
    steps: list[tuple[str, dict[str, Any]]] = []
    while len(steps) < STEPS:
        image = names[(number + len(steps)) % len(names)]
        width, height, depth = images[image]
        k = chance.randrange(depth)
        first, second = ([chance.randrange(width), chance.randrange(height), k] for _ in range(2))
        result = chance.choice(["full", "crop"])
        steps.append((image, {"foreground": [first], "result": result}))
        if first != second:
            steps.append((image, {"foreground": [first], "background": [second], "result": result}))
        x, y = chance.randrange(width - 12), chance.randrange(height - 12)
        box = [x, x + 12, y, y + 12, k, k + 1]
        steps.append((image, {"roi": box, "classes": ["liver", "spleen", "skin_lesion"]}))
    return steps[:STEPS]


def _answer(client: MONAILabelClient, image: str, params: dict[str, Any], session: str) -> str:
    """A digest of everything that an answer says about the image."""
    file, result = client.infer("segsam", image, {**params, "session": session})
    path = Path(file)
    mask = np.asarray(Image.open(path) if path.suffix == ".png" else nibabel.load(path).dataobj)
    path.unlink()
    said = {key: value for key, value in result.items() if key not in TIMING}
    return hashlib.sha256(mask.tobytes() + json.dumps(said, sort_keys=True).encode()).hexdigest()


def _folder(parent: Path, name: str) -> Path:
    # Two clients that share a folder could overwrite each other's downloads.
    (parent / name).mkdir(parents=True, exist_ok=True)
    return parent / name


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=120)
    seconds = arguments.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        studies = _folder(folder, "studies")
        images = {"ct": (256, 256, 60), "other": (192, 160, 40), "lesion": (640, 480, 1), "mole": (512, 512, 1)}
        write_ct(studies / "ct.nii.gz", images["ct"], 1)
        write_ct(studies / "other.nii.gz", images["other"], 2)
        write_photograph(studies / "lesion.jpg", 640, 480, 3)
        write_photograph(studies / "mole.png", 512, 512, 4)
        with samantic_server(studies, folder / "home") as server:
            report = hammer(server, images, seconds, folder / "downloads")
    half = len(report.resident_mib) // 2
    text = f"""`benchmarks/eight_clients.py`: {CLIENTS} clients on {len(images)} images for {seconds:.0f} s, over HTTP.

| answers | different from the single client's | failures | median ms | server memory after one client, MiB | highest, first half | highest, second half | temporary files left |
|---|---|---|---|---|---|---|---|
| {report.answers} | {len(report.different)} | {len(report.failures)} | {np.median(report.milliseconds):.0f} | {report.alone_mib:.0f} | {max(report.resident_mib[:half]):.0f} | {max(report.resident_mib[half:]):.0f} | {len(report.left_behind)} |

Machine: {machine()}."""  # noqa: E501  a table row is one line
    print(text)
    for problem in (report.failures + report.different + report.left_behind)[:10]:
        print(problem)
    write_section("eight clients at once", text)


if __name__ == "__main__":
    main()
