"""Breast ultrasound, students and photographs of skin through a real server: answers, refusals, training rounds."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import psutil
import pytest
import requests
import torch
from PIL import Image
from typer.testing import CliRunner

from samantic.bundled import bundled_models
from samantic.bundled.catalogue import NAMES
from samantic.cli.main import app as command_line
from samantic.datasets.labelled_view import LabelledView
from samantic.evaluation import dice

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
LARGE = (4000, 6000)
MOST_MEMORY = 1200 * 2**20
"""That a photograph of 24 million pixels may take beside what a small one does."""

MODELS = {
    "breast": ("scan", 2, ["breast_lesion"]),
    "student_breast_ultrasound": ("scan", 2, ["breast_lesion"]),
    "student_dermoscopy": ("mole", 2, ["skin_lesion"]),
    "student_hippocampus": ("mr", 3, ["hippocampus_anterior", "hippocampus_posterior"]),
    "skin_photo": ("arm", 2, ["skin", "skin_lesion"]),
}
"""Model -> an image that it is for, its dimension, its classes."""

REAL = 6
"""Real pictures of each kind: one alone may be a hard one."""

SKIN_COLOURS = np.array([(40, 90, 200), (225, 180, 150), (110, 50, 40)], np.uint8)
MR_SHAPE = (24, 20, 6)
Views = Callable[..., list[LabelledView]]


def examples(kind: str) -> list[dict[str, Any]]:
    blocks = re.findall(rf"^```json {kind}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [json.loads(block) for block in blocks]


def of_all(ending: str = "") -> list[dict[str, Any]]:
    """The examples of the three sections, each with its model."""
    return [
        {"model": kind, **example}
        for kind in ("breast", "student", "skin_photo")
        for example in examples(kind + ending)
    ]


def named(example: dict[str, Any]) -> str:
    return f"{example['model']} {json.dumps(example['params'])[:40]}"


@pytest.fixture(scope="module")
def spots(lesion_views: Views) -> list[LabelledView]:
    """Dark spots: the first to ask about, the others to label."""
    return lesion_views(6, seed=21)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, lesion_views: Views) -> dict[str, str]:
    """Tiny networks as `--conf` names them; those of skin and of the breast have learned to find dark spots."""
    folder = tmp_path_factory.mktemp("weights")
    taught = lesion_views(16, seed=9)
    files = {
        "breast": _breast(folder / "breast", taught),
        "student_dermoscopy": _student(folder / "skin", taught),
        "student_breast_ultrasound": _grey_student(folder / "grey.safetensors"),
        "student_hippocampus": _hippocampus_student(folder / "mr.safetensors"),
        "skin_photo": _skin_photo(folder / "photo.safetensors"),
    }
    return {f"{model}_weights": str(path) for model, path in files.items()}


def _breast(run: Path, taught: list[LabelledView]) -> Path:
    from samantic.breast import BreastConfig, read_breast, save_breast
    from samantic.breast.training.calibrate import calibrate
    from samantic.breast.training.examples import BreastExample
    from samantic.breast.training.fit import fit_breast
    from samantic.training import FitOptions

    shown = [
        BreastExample(view.image_id, _without_colour(view.image), view.labels > 0, (False, True, False))
        for view in taught
    ]
    options = FitOptions(steps=40, batch_size=8, learning_rate=5e-3, average_decay=0.9)
    fit_breast(BreastConfig(image_size=64, hidden=32), shown, options, run)
    trained = read_breast(run / "breast.safetensors")
    calibration = calibrate(trained.network, shown[:10], shown[10:])
    save_breast(trained.network, run / "told.safetensors", manifest=trained.manifest, calibration=calibration)
    return run / "told.safetensors"


def _student(run: Path, taught: list[LabelledView]) -> Path:
    from samantic.student import StudentConfig
    from samantic.student.training import Lessons, StudentSettings, fit_student
    from samantic.training import FitOptions

    config = StudentConfig(side=32, fold=2, widths=(8, 16), mixers=(0, 1), head_width=8, state=4)
    options = FitOptions(steps=40, batch_size=4, learning_rate=5e-3, average_decay=0.9)
    fit_student(StudentSettings(config, Lessons.none(), fit=options), taught, (), run)
    return run / "student.safetensors"


def _grey_student(path: Path) -> Path:
    from samantic.student import StudentConfig

    config = StudentConfig(("breast_lesion",), "breast_ultrasound", (2,), 32, 2, (8, 16), (0, 1), 2, 8, 4)
    return _random_student(path, config)


def _hippocampus_student(path: Path) -> Path:
    from samantic.student import StudentConfig

    classes = ("hippocampus_anterior", "hippocampus_posterior")
    return _random_student(path, StudentConfig(classes, "mr", (0, 1, 2), 32, 2, (8, 16), (0, 1), 2, 8, 4))


def _random_student(path: Path, config: Any) -> Path:
    from samantic.segsam import TrainingManifest
    from samantic.student import MambaStudent, save_student

    torch.manual_seed(3)
    save_student(MambaStudent(config), path, manifest=TrainingManifest())
    return path


def _skin_photo(path: Path) -> Path:
    from samantic.segsam import TrainingManifest
    from samantic.skinphoto.checkpoint import save_skin_photo
    from samantic.skinphoto.network import SkinPhotoConfig, SkinPhotoNetwork

    torch.manual_seed(0)
    config = SkinPhotoConfig("mobilenet_v2", side=64, decoder_channels=16, atrous_rates=(1, 2, 3), norm="instance")
    save_skin_photo(SkinPhotoNetwork(config), path, TrainingManifest())
    return path


def _without_colour(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture.mean(axis=2).astype(np.uint8)[..., None], 3, axis=2)


def _arm(number: int, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    """0 background at the left, 1 skin, 2 a lesion in it."""
    rows, columns = shape
    y, x = np.ogrid[:rows, :columns]
    labels = (x >= (0.1 + 0.05 * number) * columns) * np.ones(shape, np.uint8)
    labels[(y - rows / 2) ** 2 + (x - 0.7 * columns) ** 2 < (rows / 4) ** 2] = 2
    return labels


def _tails() -> np.ndarray:
    """0 background, 1 and 2 the halves of something long."""
    labels = np.zeros(MR_SHAPE, np.uint8)
    labels[6:12, 6:14, 1:5], labels[12:18, 6:14, 1:5] = 1, 2
    return labels


@pytest.fixture(scope="module")
def server(
    start_server: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    weights: dict[str, str],
    spots: list[LabelledView],
) -> Iterator[Any]:
    """A server on pictures of all kinds."""
    folder = tmp_path_factory.mktemp("pictures")
    mole = Image.fromarray(spots[0].image)
    mole.save(folder / "mole.jpg", quality=95)
    mole.convert("L").save(folder / "scan.png")
    Image.fromarray(_without_colour(spots[0].image)).save(folder / "stored_as_rgb.png")
    for view in spots[1:]:
        Image.fromarray(view.image).save(folder / f"{view.image_id}.png")
        Image.fromarray(view.image).convert("L").save(folder / f"grey_{view.image_id}.png")
    for number in range(4):
        Image.fromarray(SKIN_COLOURS[_arm(number)]).save(folder / f"arm{number}.png")
    arm = Image.fromarray(SKIN_COLOURS[_arm(2, (240, 320))])
    arm.save(folder / "arm.jpg", quality=95)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by a quarter
    arm.save(folder / "turned.jpg", quality=95, exif=turned)
    arm.convert("L").save(folder / "grey_arm.png")
    arm.resize((3, 2)).save(folder / "tiny.png")
    arm.resize(LARGE[::-1], Image.Resampling.NEAREST).save(folder / "large.jpg", quality=80)
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 20, MR_SHAPE)
        volume = (200 + 150.0 * _tails() + noise).astype(np.int16)
        name = "mr" if number == 0 else f"mr{number}"
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([-1.0, -1.0, 1.0, 1.0])), folder / f"{name}.nii.gz")
    running = start_server(studies=folder, conf={"models": "breast,student,skin_photo", **weights})
    yield running
    running.kill()


def ask(server: Any, model: str, image: str, output: str = "image", **params: Any) -> requests.Response:
    return requests.post(
        f"{server.url}/infer/{model}",
        params={"image": image, "output": output},
        data={"params": json.dumps(params)},
        timeout=240,
    )


def picture_of(answer: requests.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def refused(answer: requests.Response) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    detail = answer.json()["detail"]
    assert detail[-1] in ".?" and "\n" not in detail and "Traceback" not in detail
    return detail


def test_info_lists_them_with_type_dimension_classes_and_trainers(server: Any):
    info = requests.get(f"{server.url}/info/", timeout=60).json()
    told = {name: (model["type"], model["dimension"], model["labels"]) for name, model in info["models"].items()}
    assert told == {name: ("segmentation", dimension, labels) for name, (_, dimension, labels) in MODELS.items()}
    assert set(info["trainers"]) == set(MODELS)
    assert all(trainer["config"]["initial"] == ["current", "bundled"] for trainer in info["trainers"].values())


@pytest.mark.parametrize("example", of_all(), ids=named)
def test_the_examples_of_the_document_are_answered_with_its_keys(server: Any, example: dict[str, Any]):
    answer = ask(server, example["model"], example["image"], "json", **example["params"])
    assert answer.status_code == 200, answer.text
    kind = "student" if example["model"].startswith("student") else example["model"]
    (documented,) = examples(f"{kind}-answer")
    result = answer.json()
    assert set(result) == set(documented) and set(result["latencies"]) == set(documented["latencies"])
    for structure in result["structures"]:
        assert set(structure) == set(documented["structures"][0])
    for crop in result.get("crops", ()):
        assert set(crop) == set(documented["crops"][0])
    assert result["model"] == example["model"] and result["map"] == example["params"].get("map", "labels")


@pytest.mark.parametrize("example", of_all("-refused"), ids=named)
def test_the_refusals_of_the_document_are_made(server: Any, example: dict[str, Any]):
    answer = ask(server, example["model"], example["image"], **example["params"])
    assert answer.status_code == example["status"] and example["detail"] in refused(answer)


@pytest.mark.parametrize("model", ["breast", "student_dermoscopy"])
def test_a_spot_that_it_knows_is_outlined_in_the_size_of_its_picture(
    server: Any, model: str, spots: list[LabelledView]
):
    mask = picture_of(ask(server, model, MODELS[model][0]))
    assert mask.shape == spots[0].labels.shape and mask.dtype == np.uint8
    assert dice(mask == 1, spots[0].labels == 1) > 0.7


def test_a_grey_ultrasound_that_is_stored_as_rgb_gives_the_same_answer(server: Any):
    for model in ("breast", "student_breast_ultrasound"):
        stored, grey = (picture_of(ask(server, model, image, map="confidence")) for image in ("stored_as_rgb", "scan"))
        assert stored.shape == grey.shape and np.abs(stored.astype(int) - grey).mean() < 0.02 * 65535


def test_a_volume_gives_labels_in_its_own_grid(server: Any, tmp_path: Path):
    answer = ask(server, "student_hippocampus", "mr")
    assert answer.status_code == 200, answer.text
    (tmp_path / "mask.nii.gz").write_bytes(answer.content)
    written = nibabel.load(tmp_path / "mask.nii.gz")
    assert written.shape == MR_SHAPE and np.allclose(written.affine, np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert set(np.unique(np.asarray(written.dataobj))) <= {0, 1, 2}


def test_photographs_of_every_size_and_kind_are_read_as_their_pixels_are_stored(server: Any):
    shapes = {"arm": (240, 320), "turned": (240, 320), "grey_arm": (240, 320), "tiny": (2, 3)}
    for image, shape in shapes.items():
        mask = picture_of(ask(server, "skin_photo", image))
        assert mask.shape == shape and set(np.unique(mask)) <= {0, 1, 2}, image
    as_stored, turned = (picture_of(ask(server, "skin_photo", image)) for image in ("arm", "turned"))
    assert (as_stored == turned).all()


def test_24_million_pixels_are_answered_within_bounded_memory(server: Any):
    process = psutil.Process(server.process.pid)
    processes = [process, *process.children(recursive=True)]

    def highest() -> int:
        status = [Path(f"/proc/{one.pid}/status").read_text() for one in processes]
        return max(int(re.search(r"VmHWM:\s+(\d+)", text)[1]) * 1024 for text in status)

    before = highest()
    for model in ("skin_photo", "student_dermoscopy"):
        assert picture_of(ask(server, model, "large")).shape == LARGE
    assert highest() - before < MOST_MEMORY, f"{(highest() - before) >> 20} MiB more"


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_file_that_is_no_whole_image_is_refused(server: Any, model: str, spots: list[LabelledView]):
    whole = io.BytesIO()
    Image.fromarray(spots[0].image).save(whole, "JPEG")
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    volume = (server.studies / "mr.nii.gz").read_bytes()
    broken = {"cut.jpg": whole.getvalue()[:-200], "bomb.png": bomb, "empty.png": b"", "cut.nii.gz": volume[:-300]}
    for name, content in broken.items():
        answer = requests.post(
            f"{server.url}/infer/{model}", data={"params": "{}"}, files={"file": (name, content)}, timeout=60
        )
        assert refused(answer), name


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"map": "entropy"}, "'map' is 'entropy', but it must be one of labels"),
        ({"result": "half"}, "'result'"),
        ({"result_extension": ".jpg"}, "'result_extension'"),
        ({"window": "soft"}, "soft"),
        ({"classes": ["livre"]}, "livre"),
        ({"map": "confidence", "save_label": True}, "cannot be saved"),
        ({"save_label": "perhaps"}, "'save_label' is 'perhaps'"),
    ],
)
@pytest.mark.parametrize("model", sorted(MODELS))
def test_values_that_mean_nothing_are_refused_and_leave_no_label(
    server: Any, model: str, params: dict[str, Any], told: str
):
    assert told in refused(ask(server, model, MODELS[model][0], **params))
    assert [path for path in (server.studies / "labels" / "original").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("model", ["breast", "student_hippocampus", "skin_photo"])
def test_a_job_ends_with_the_mask_of_a_request(server: Any, model: str):
    started = requests.post(
        f"{server.url}/samantic/jobs",
        params={"kind": "automatic", "model": model, "image": MODELS[model][0]},
        data={"params": "{}"},
        timeout=60,
    )
    assert started.status_code == 200, started.text
    url = f"{server.url}/samantic/jobs/{started.json()['id']}"
    deadline = time.monotonic() + 60
    while (state := requests.get(url, timeout=60).json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    assert state["state"] == "done" and state["done"] == state["total"] > 0 and state["result"]["model"] == model
    mask = requests.get(f"{url}/result", timeout=60)
    assert mask.status_code == 200 and mask.content == ask(server, model, MODELS[model][0]).content


@pytest.mark.parametrize("example", examples("train-refused"), ids=named)
def test_trainings_that_cannot_be_are_refused_before_they_begin(server: Any, example: dict[str, Any]):
    answer = requests.post(f"{server.url}/train/{example['model']}", json=example["params"], timeout=60)
    assert answer.status_code == example["status"] and example["detail"] in refused(answer)


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("breast", {}),
        ("student_dermoscopy", {"unlabelled": 2, "most_unlabelled": 4}),
        ("student_breast_ultrasound", {"distillation": 0, "guesses": 0, "likeness": 0}),
        ("student_hippocampus", {"distillation": 0, "guesses": 0, "likeness": 0, "slices": 6}),
        ("skin_photo", {}),
    ],
)
def test_it_learns_from_labels_and_what_it_learned_is_served_until_it_is_taken_back(
    server: Any, model: str, more: dict[str, Any], spots: list[LabelledView]
):
    image, _, classes = MODELS[model]
    first = ask(server, model, image, "json").json()["weights_hash"]
    for image_id, label, names in _labels_for(model, spots):
        _submit(server, image_id, label, names)
    short = {"epochs": 1, "steps_per_epoch": 12, "batch_size": 4, "learning_rate": 5e-3, **more}
    trained = requests.post(f"{server.url}/train/{model}", params={"run_sync": True}, json=short, timeout=300)
    assert trained.status_code == 200, trained.text
    stats = trained.json()
    assert set(stats["per_class"]) == set(classes)
    now = ask(server, model, image, "json").json()["weights_hash"]
    listed = requests.get(f"{server.url}/samantic/models/{model}/versions", timeout=60).json()
    if stats["published"] is None:
        # Weights that a few steps made worse must not be served.
        assert stats["best_metric"] <= stats["before"]["mean_dice"] and now == first and listed["served"] == "bundled"
        return
    assert stats["published"] == listed["served"] == "0001" and now != first
    home = ("--model", model, "--home", str(server.home))
    history = CliRunner().invoke(command_line, ["models", "history", *home], env={"COLUMNS": "200"})
    assert "0001" in history.output
    assert CliRunner().invoke(command_line, ["models", "rollback", *home]).exit_code == 0
    assert ask(server, model, image, "json").json()["weights_hash"] == first


def _labels_for(model: str, spots: list[LabelledView]) -> list[tuple[str, np.ndarray, dict[str, int]]]:
    """Image, its label as an array, and what its values mean."""
    if model == "student_hippocampus":
        return [(f"mr{n}", _tails(), {"Anterior hippocampus": 1, "Posterior hippocampus": 2}) for n in (1, 2)]
    if model == "skin_photo":
        return [(f"arm{number}", _arm(number), {"skin": 1, "skin lesion": 2}) for number in range(4)]
    prefix, name = ("", "skin lesion") if model == "student_dermoscopy" else ("grey_", "breast lesion")
    return [(f"{prefix}{view.image_id}", view.labels.astype(np.uint8), {name: 1}) for view in spots[1:]]


def _submit(server: Any, image_id: str, label: np.ndarray, names: dict[str, int]) -> None:
    file = io.BytesIO()
    if label.ndim == 2:
        name = "label.png"
        Image.fromarray(label).save(file, "PNG")
    else:
        name = "label.nii"
        file.write(nibabel.Nifti1Image(label, np.diag([-1.0, -1.0, 1.0, 1.0])).to_bytes())
    notes = {"label_info": [{"name": word, "idx": value} for word, value in names.items()]}
    saved = requests.put(
        f"{server.url}/datastore/label",
        params={"image": image_id, "tag": "final"},
        data={"params": json.dumps(notes)},
        files={"label": (name, file.getvalue())},
        timeout=60,
    )
    assert saved.status_code == 200, saved.text


@pytest.fixture(scope="module")
def plain_server(start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server as people start it, on real images that its models have not learned from, where there are any."""
    folder = tmp_path_factory.mktemp("real")
    for views in _real_views().values():
        for view in views:
            Image.fromarray(view.image).save(folder / f"{view.image_id}.png")
    volume = _real_volume()
    if volume is not None:
        (folder / "hippocampus.nii.gz").write_bytes(volume[0].read_bytes())
    running = start_server(studies=folder, conf={"models": "all"})
    yield running
    running.kill()


def needs_weights_of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(name not in bundled_models(), reason=f"the package holds no weights '{name}' yet")


def _data() -> Path | None:
    named = os.environ.get("SAMANTIC_DATA", "").strip()
    return Path(named) if named and (Path(named) / "splits.json").is_file() else None


def _real_views() -> dict[str, list[LabelledView]]:
    """The first pictures of the validation parts that show a lesion."""
    from samantic.datasets.development_sets import busi, isic2017

    folder = _data()
    if folder is None:
        return {}
    with_lesion = {
        "skin": (view for view in isic2017(folder, "val") if (view.labels > 0).any()),
        "breast": (view for view in busi(folder, "val") if (view.labels > 0).any()),
    }
    return {kind: list(itertools.islice(views, REAL)) for kind, views in with_lesion.items()}


def _real_volume() -> tuple[Path, Path] | None:
    folder = _data()
    if folder is None:
        return None
    name = json.loads((folder / "splits.json").read_text(encoding="utf-8"))["msd_hippocampus"]["val"][0]
    root = folder / "msd_hippocampus"
    return next((root / "imagesTr").glob(f"{name}.nii*")), next((root / "labelsTr").glob(f"{name}.nii*"))


def test_a_plain_server_offers_every_model_whose_weights_come_with_the_package(plain_server: Any):
    from samantic.app.lib.initial_weights import ALL

    info = requests.get(f"{plain_server.url}/info/", timeout=60).json()
    there = {weights.task for weights in ALL if weights.bundled in NAMES}
    assert there <= set(info["models"]) and there == set(info["trainers"])
    assert "is not offered" not in plain_server.logged()


@pytest.mark.skipif(_data() is None, reason="SAMANTIC_DATA names no folder with the public images")
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        pytest.param("breast", "breast", marks=needs_weights_of("breast-ultrasound")),
        pytest.param("student_breast_ultrasound", "breast", marks=needs_weights_of("student-breast-ultrasound")),
        pytest.param("student_dermoscopy", "skin", marks=needs_weights_of("student-dermoscopy")),
    ],
)
def test_the_bundled_model_outlines_lesions_in_real_pictures(plain_server: Any, model: str, kind: str):
    found = []
    for view in _real_views()[kind]:
        mask = picture_of(ask(plain_server, model, view.image_id))
        assert mask.shape == view.labels.shape
        found.append(dice(mask == 1, view.labels > 0))
    assert len(found) == REAL and np.mean(found) > 0.7, found


@needs_weights_of("student-hippocampus")
@pytest.mark.skipif(_data() is None, reason="SAMANTIC_DATA names no folder with the public images")
def test_the_bundled_student_finds_both_parts_of_a_real_hippocampus(plain_server: Any, tmp_path: Path):
    _, truth = _real_volume()
    answer = ask(plain_server, "student_hippocampus", "hippocampus")
    assert answer.status_code == 200, answer.text
    (tmp_path / "mask.nii.gz").write_bytes(answer.content)
    found, true = (np.asarray(nibabel.load(path).dataobj) for path in (tmp_path / "mask.nii.gz", truth))
    assert found.shape == true.shape
    assert all(dice(found == value, true == value) > 0.6 for value in (1, 2))


@needs_weights_of("skin-photo")
@pytest.mark.skipif(_data() is None, reason="SAMANTIC_DATA names no folder with the public images")
def test_the_bundled_model_finds_skin_and_lesions_of_composites_that_it_has_not_seen(plain_server: Any):
    # Of real photographs there is no truth; dermoscopy, of which there is, is not what it is for.
    for number, composite in enumerate(_composites()):
        Image.fromarray(composite.image).save(plain_server.studies / f"composite{number}.png")
    requests.get(f"{plain_server.url}/datastore/", timeout=60)
    found = [picture_of(ask(plain_server, "skin_photo", f"composite{number}")) for number in range(REAL)]
    truth = np.concatenate([composite.labels.ravel() for composite in _composites()])
    labels = np.concatenate([mask.ravel() for mask in found])
    assert dice(labels > 0, truth > 0) > 0.8 and dice(labels == 2, truth == 2) > 0.5


def _composites() -> list[Any]:
    """Photographs that nobody took, of lesions of the validation part, each with the truth."""
    from samantic.datasets.development_sets import isic2017
    from samantic.skinphoto.composites import draw_composite, lesion_patches

    folder = _data()
    lesions = lesion_patches(itertools.islice(isic2017(folder, "val"), 40)) if folder is not None else []
    return [draw_composite(np.random.default_rng((31, number)), lesions, (240, 320)) for number in range(REAL)]
