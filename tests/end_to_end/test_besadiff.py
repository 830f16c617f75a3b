"""BESA-Diff through a real server: all kinds of photographs, a training round, the examples of docs/protocol.md."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import psutil
import pytest
import requests
from PIL import Image
from typer.testing import CliRunner

from samantic.cli.main import app as command_line
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
LARGE = (4000, 6000)
MOST_MEMORY = 1200 * 2**20
"""That a photograph of 24 million pixels may take beside what a small one does."""


def examples(kind: str) -> list[dict[str, Any]]:
    blocks = re.findall(rf"^```json {kind}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [json.loads(block) for block in blocks]


@pytest.fixture(scope="module")
def mole(lesion_views: Callable[..., list[LabelledView]]) -> LabelledView:
    return replace(lesion_views(1, seed=3)[0], image_id="mole")


@pytest.fixture(scope="module")
def server(
    start_server: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    a_trained_segmenter: Path,
    mole: LabelledView,
    lesion_views: Callable[..., list[LabelledView]],
) -> Iterator[Any]:
    """A server on photographs of all kinds, whose segmenter has learned to find dark spots."""
    folder = tmp_path_factory.mktemp("photographs")
    picture = Image.fromarray(mole.image)
    picture.save(folder / "mole.jpg", quality=95)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by a quarter
    picture.save(folder / "turned.jpg", quality=95, exif=turned)
    alpha = np.full(mole.labels.shape, 255, np.uint8)
    alpha[:4] = 0
    Image.fromarray(np.dstack([mole.image, alpha])).save(folder / "alpha.png")
    picture.convert("L").save(folder / "scan.png")
    picture.resize(LARGE[::-1], Image.Resampling.BICUBIC).save(folder / "large.jpg", quality=80)
    nibabel.save(nibabel.Nifti1Image(np.full((8, 9, 5), -500, np.int16), np.eye(4)), folder / "ct.nii.gz")
    for view in lesion_views(5, seed=8):
        Image.fromarray(view.image).save(folder / f"{view.image_id}.png")
    conf = {"models": "segsam,besadiff", "besadiff_weights": str(a_trained_segmenter)}
    running = start_server(studies=folder, conf=conf)
    yield running
    running.kill()


def ask(server: Any, image: str, output: str = "image", **params: Any) -> requests.Response:
    query = {"image": image, "output": output}
    return requests.post(f"{server.url}/infer/besadiff", params=query, data={"params": json.dumps(params)}, timeout=240)


def picture_of(answer: requests.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def refused(answer: requests.Response) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    detail = answer.json()["detail"]
    assert detail.endswith(".") and "\n" not in detail and "Traceback" not in detail
    return detail


def test_info_offers_it_as_a_model_of_the_lesion_that_can_be_trained(server: Any):
    info = requests.get(f"{server.url}/info/", timeout=60).json()
    assert (info["models"]["besadiff"]["type"], info["models"]["besadiff"]["labels"]) == (
        "segmentation",
        ["skin_lesion"],
    )
    assert info["trainers"]["besadiff"]["config"]["synthetic"] == ["labelled", "none"]


def test_a_jpeg_gives_a_png_mask_and_the_uncertainty_of_every_pixel(server: Any, mole: LabelledView):
    mask = picture_of(ask(server, "mole"))
    assert mask.shape == mole.labels.shape and dice(mask == 1, mole.labels == 1) > 0.7
    levels = picture_of(ask(server, "mole", map="uncertainty"))
    assert levels.shape == mask.shape and levels.dtype == np.uint16 and levels.max() > 0
    # Members differ about the border, not about what lies far from it.
    inside, border = levels[mole.labels == 1], levels[_near_border(mask)]
    assert border.mean() > inside.mean()


def _near_border(mask: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    inside = mask > 0
    return ndimage.binary_dilation(inside, iterations=2) & ~ndimage.binary_erosion(inside, iterations=2)


@pytest.mark.parametrize("example", examples("besadiff"), ids=lambda example: json.dumps(example["params"])[:40])
def test_the_examples_of_the_document_are_answered_with_its_keys(server: Any, example: dict[str, Any]):
    answer = ask(server, example["image"], "json", **example["params"])
    assert answer.status_code == 200, answer.text
    (documented,) = examples("besadiff-answer")
    result = answer.json()
    assert set(result) >= set(documented)
    assert set(result["structures"][0]) == set(documented["structures"][0])
    assert result["coarse"] == ("prompt" if "roi" in example["params"] else None)


@pytest.mark.parametrize("example", examples("besadiff-refused"), ids=lambda example: example["detail"][:20])
def test_the_refusals_of_the_document_are_made(server: Any, example: dict[str, Any]):
    answer = ask(server, example["image"], **example["params"])
    assert answer.status_code == example["status"] and example["detail"] in refused(answer)


def test_exif_rotation_is_ignored_and_transparent_pixels_lie_over_white(server: Any, mole: LabelledView):
    for image in ("turned", "alpha"):
        mask = picture_of(ask(server, image))
        assert mask.shape == mole.labels.shape
        assert dice(mask == 1, mole.labels == 1) > 0.7, image


def test_24_million_pixels_are_answered_within_bounded_memory(server: Any, mole: LabelledView):
    process = psutil.Process(server.process.pid)
    processes = [process, *process.children(recursive=True)]

    def highest() -> int:
        status = [Path(f"/proc/{one.pid}/status").read_text() for one in processes]
        return max(int(re.search(r"VmHWM:\s+(\d+)", text)[1]) * 1024 for text in status)

    before = highest()
    mask = picture_of(ask(server, "large"))
    assert mask.shape == LARGE
    shrunk = np.asarray(Image.fromarray(mask).resize(mole.labels.shape[::-1], Image.Resampling.NEAREST))
    assert dice(shrunk == 1, mole.labels == 1) > 0.7
    assert highest() - before < MOST_MEMORY, f"{(highest() - before) >> 20} MiB more"


def test_a_file_that_is_no_whole_photograph_is_refused(server: Any, mole: LabelledView):
    whole = io.BytesIO()
    Image.fromarray(mole.image).save(whole, "JPEG")
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    for name, content in (("cut.jpg", whole.getvalue()[:-200]), ("bomb.png", bomb), ("empty.png", b"")):
        answer = requests.post(
            f"{server.url}/infer/besadiff", data={"params": "{}"}, files={"file": (name, content)}, timeout=60
        )
        assert refused(answer), name


def test_a_job_counts_steps_and_can_be_cancelled(server: Any):
    def jobs(method: str, path: str = "", **more: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{server.url}/samantic/jobs{path}", timeout=60, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    params = {"params": json.dumps({"members": 20, "steps": 50, "refine": False})}
    job = jobs("POST", "?kind=automatic&model=besadiff&image=mole", data=params)
    while (state := jobs("GET", f"/{job['id']}"))["done"] < 1:
        assert state["state"] in ("queued", "running"), state
    assert state["total"] == 50
    assert jobs("DELETE", f"/{job['id']}")["state"] == "cancelled"


def test_it_learns_from_labels_and_what_it_learned_is_served_until_it_is_taken_back(
    server: Any, lesion_views: Callable[..., list[LabelledView]]
):
    first = ask(server, "mole", "json").json()["weights_hash"]
    for view in lesion_views(5, seed=8):
        label = io.BytesIO()
        Image.fromarray(view.labels.astype(np.uint8)).save(label, "PNG")
        saved = requests.put(
            f"{server.url}/datastore/label",
            params={"image": view.image_id, "tag": "final"},
            data={"params": json.dumps({"label_info": [{"name": "skin lesion", "idx": 1}]})},
            files={"label": ("label.png", label.getvalue())},
            timeout=60,
        )
        assert saved.status_code == 200, saved.text
    short = {"epochs": 2, "steps_per_epoch": 12, "batch_size": 4, "learning_rate": 3e-3, "members": 1}
    query = {"run_sync": True}
    trained = requests.post(f"{server.url}/train/besadiff", params=query, json=short, timeout=240)
    assert trained.status_code == 200, trained.text
    stats = trained.json()
    assert set(stats["per_class"]) == {"skin_lesion"}
    history = CliRunner().invoke(
        command_line,
        ["models", "history", "--model", "besadiff", "--home", str(server.home)],
        env={"COLUMNS": "200"},
    )
    now = ask(server, "mole", "json").json()["weights_hash"]
    assert stats["published"] == "0001" and stats["best_metric"] >= stats["before"]["mean_dice"]
    assert now != first and "0001" in history.output
    back = CliRunner().invoke(command_line, ["models", "rollback", "--model", "besadiff", "--home", str(server.home)])
    assert back.exit_code == 0, back.output
    assert ask(server, "mole", "json").json()["weights_hash"] == first


def test_scoring_asks_it_for_its_masks(server: Any):
    asked = {"model": "besadiff"}
    answer = requests.post(f"{server.url}/scoring/dice", params={"run_sync": True}, json=asked, timeout=240)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["images"] == 5 and found["by_class"]["skin_lesion"]["mean"] > 0.7


def test_the_next_image_is_the_photograph_whose_members_differ_most(server: Any):
    asked = {"client_id": "reader", "model": "besadiff", "wait": True, "n": 10}
    answer = requests.post(f"{server.url}/activelearning/uncertainty", json=asked, timeout=240).json()
    assert sorted(one["id"] for one in answer["suggestions"]) == ["alpha", "large", "mole", "turned"]
    assert {"ct", "scan"} <= set(answer["skipped"])
