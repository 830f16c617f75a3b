"""The automatic mode and batch inference through a real server; the examples of docs/protocol.md work as they say."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests
from PIL import Image

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
MR_SHAPE, PHOTOGRAPH = (24, 20, 6), (64, 48)


def examples(kind: str) -> list[dict[str, Any]]:
    blocks = re.findall(rf"^```json {kind}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [json.loads(block) for block in blocks]


@pytest.fixture(scope="module")
def a_studies_server(start_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server on an MR volume, a JPEG and a file that is no image."""
    folder = tmp_path_factory.mktemp("studies")
    i, j, k = np.mgrid[: MR_SHAPE[0], : MR_SHAPE[1], : MR_SHAPE[2]]
    brain = 200 + 80 * (((i - 12) / 5) ** 2 + ((j - 10) / 3) ** 2 < 1) + 3 * k
    nibabel.save(nibabel.Nifti1Image(brain.astype(np.int16), np.diag([-1.0, -1, 3, 1])), folder / "mr.nii.gz")
    y, x = np.mgrid[: PHOTOGRAPH[1], : PHOTOGRAPH[0]]
    skin = np.where((((x - 30) / 13) ** 2 + ((y - 22) / 10) ** 2 < 1)[..., None], (96, 60, 48), (222, 178, 150))
    Image.fromarray(skin.astype(np.uint8)).save(folder / "lesion.jpg", quality=95)
    (folder / "broken.nii.gz").write_bytes(b"not an image")
    return start_server(studies=folder)


def ask(server: Any, image: str, output: str = "json", **params: Any) -> requests.Response:
    url = f"{server.url}/infer/segsam_auto?image={image}&output={output}"
    return requests.post(url, data={"params": json.dumps({"grid_points": 3, **params})}, timeout=120)


def test_info_offers_it_as_a_segmentation_model_with_the_classes_that_it_knows(a_studies_server: Any) -> None:
    models = requests.get(f"{a_studies_server.url}/info/", timeout=60).json()["models"]
    assert models["segsam_auto"]["type"] == "segmentation"
    assert models["segsam_auto"]["dimension"] == 3
    assert models["segsam_auto"]["labels"] == models["segsam"]["labels"]


def test_an_mr_volume_gives_a_label_map_in_its_grid(a_studies_server: Any, tmp_path: Path) -> None:
    classes = ["hippocampus_anterior", "hippocampus_posterior"]
    answer = ask(a_studies_server, "mr", classes=classes)
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert result["label_names"] == {"hippocampus_anterior": 1, "hippocampus_posterior": 2}
    assert result["model"] == "segsam_auto"
    assert len(result["weights_hash"]) == 64
    file = tmp_path / "mask.nii.gz"
    file.write_bytes(ask(a_studies_server, "mr", "image", classes=classes).content)
    mask = nibabel.load(file)
    assert mask.shape == MR_SHAPE
    np.testing.assert_allclose(mask.affine, nibabel.load(a_studies_server.studies / "mr.nii.gz").affine, atol=1e-4)
    labels = np.asarray(mask.dataobj)
    assert set(np.unique(labels)) <= {0, 1, 2}
    assert {one["value"]: one["voxels"] for one in result["structures"]} == {
        int(value): int((labels == value).sum()) for value in np.unique(labels) if value
    }


def test_a_jpeg_gives_a_png_of_its_size(a_studies_server: Any, tmp_path: Path) -> None:
    file = tmp_path / "mask.png"
    file.write_bytes(ask(a_studies_server, "lesion", "image", classes=["skin_lesion"]).content)
    picture = Image.open(file)
    assert (picture.format, picture.size) == ("PNG", PHOTOGRAPH)
    assert set(np.unique(picture)) <= {0, 1}


@pytest.mark.parametrize(
    ("image", "params", "status", "says"),
    [
        ("nothing", {}, 404, "nothing"),
        ("broken", {}, 422, "broken"),
        ("mr", {"classes": ["hippocampi"]}, 422, "did you mean"),
        ("mr", {"slice": 6}, 422, "0 to 5"),
        ("mr", {"foreground": [[1, 1, 1]]}, 422, "takes none"),
        ("lesion", {"axis": 0}, 422, "only one view"),
        ("lesion", {"proposals": "oracle"}, 422, "auto, head, grid"),
    ],
)
def test_a_bad_request_gets_one_plain_sentence(
    a_studies_server: Any, image: str, params: dict[str, Any], status: int, says: str
) -> None:
    answer = ask(a_studies_server, image, **params)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("example", examples("automatic"), ids=lambda one: json.dumps(one["params"])[:50])
def test_each_request_of_the_document_is_answered(a_studies_server: Any, example: dict[str, Any]) -> None:
    answer = ask(a_studies_server, example["image"], **example["params"])
    assert answer.status_code == 200, answer.text


def test_the_answer_has_the_keys_of_the_document(a_studies_server: Any) -> None:
    (documented,) = examples("automatic-answer")
    answer = ask(a_studies_server, "mr").json()
    assert set(answer) == set(documented)
    assert set(documented["latencies"]) >= set(answer["latencies"])
    for structure in answer["structures"]:
        assert set(structure) == set(documented["structures"][0])


def test_batch_inference_labels_every_image_that_it_can_and_a_person_opens_it_drafted(a_studies_server: Any) -> None:
    url = a_studies_server.url
    params = {"grid_points": 2, "classes": ["skin_lesion", "hippocampus_anterior"]}
    started = requests.post(f"{url}/batch/infer/segsam_auto?images=unlabeled", json=params, timeout=60)
    assert started.status_code == 200, started.text
    state = started.json()
    for _ in range(600):
        state = requests.get(f"{url}/batch/infer", timeout=60).json()
        if state["status"] not in ("SUBMITTED", "RUNNING"):
            break
        time.sleep(0.2)
    assert state["status"] == "DONE", state
    objects = requests.get(f"{url}/datastore/?output=all", timeout=60).json()["objects"]
    assert {image: sorted(record["labels"]) for image, record in objects.items()} == {
        "mr": ["original"],
        "lesion": ["original"],
        "broken": [],
    }
    info = objects["mr"]["labels"]["original"]["info"]
    assert info["params"]["label_names"] == {"skin_lesion": 1, "hippocampus_anterior": 2}
    assert info["model"] == "segsam_auto"
    assert len(info["params"]["weights_hash"]) == 64
    label = requests.get(f"{url}/datastore/label?label=lesion&tag=original", timeout=60)
    assert label.status_code == 200
    assert label.content.startswith(b"\x89PNG")
