"""docs/protocol.md: every example works as it says, and every key that the server reads or writes stands in it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import requests

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
SHAPE = (64, 64, 24)
NULL_WITHOUT_CALIBRATION = ("class_confidence", "unsure", "out_of_domain")


def examples(kind: str) -> list[dict[str, Any]]:
    blocks = re.findall(rf"^```json {kind}\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [json.loads(block) for block in blocks]


def shortened(example: dict[str, Any]) -> str:
    return json.dumps(example["params"])[:60]


@pytest.fixture(scope="module")
def label_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The label files that examples name."""
    scribbles, mask = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    scribbles[16:28, 30, 12], scribbles[3:60, 4, 12] = 3, 2
    mask[15:30, 24:36, 12] = 1
    paths = {}
    for name, labels in (("scribbles", scribbles), ("mask", mask)):
        paths[name] = tmp_path_factory.mktemp("labels") / f"{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(labels, np.diag([-1.5, -1.5, 3.0, 1.0])), paths[name])
    return paths


def send(server: Any, example: dict[str, Any], label_files: dict[str, Path], output: str) -> requests.Response:
    parts: dict[str, Any] = {"params": (None, json.dumps(example["params"]))}
    if "label" in example:
        path = label_files[example["label"]]
        parts["label"] = (path.name, path.read_bytes())
    url = f"{server.url}/infer/segsam?image={example['image']}&output={output}"
    return requests.post(url, files=parts, timeout=300)


@pytest.mark.parametrize("example", examples("request"), ids=shortened)
def test_each_request_of_the_document_is_answered(
    a_server: Any, example: dict[str, Any], label_files: dict[str, Path]
) -> None:
    response = send(a_server, example, label_files, "json")
    assert response.status_code == 200, response.text
    result = response.json()
    assert result["predicted_class"]
    if example["params"].get("result_write_to_file", True):
        mask = send(a_server, example, label_files, "image")
        assert mask.status_code == 200
        assert mask.content


@pytest.mark.parametrize("example", examples("refused"), ids=shortened)
def test_each_refusal_of_the_document_is_refused_as_it_says(
    a_server: Any, example: dict[str, Any], label_files: dict[str, Path]
) -> None:
    response = send(a_server, example, label_files, "all")
    assert response.status_code == example["status"]
    assert example["detail"] in response.json()["detail"]


def test_the_answer_has_the_keys_and_the_types_of_the_document(a_server: Any, label_files: dict[str, Path]) -> None:
    (documented,) = examples("answer")
    request = {"image": "ct", "params": {"roi": [14, 31, 22, 38, 12, 13], "label": "liver"}}
    send(a_server, request, label_files, "json")
    answer = send(a_server, request, label_files, "json").json()
    assert shape_of(answer, documented) == shape_of(documented, documented)
    assert set(answer) == set(documented)
    assert set(answer["latencies"]) == set(documented["latencies"])
    assert set(answer["objects"][0]) == set(documented["objects"][0])


def test_every_key_that_the_server_reads_or_writes_stands_in_the_document(a_server: Any) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    read = set()
    for module in files("samantic.app.lib.infers").iterdir():
        if module.name.endswith(".py"):
            source = module.read_text(encoding="utf-8")
            read |= set(re.findall(r"""params(?:\.get\(|\[)"(\w+)\"""", source))
    read -= {"image", "label_file", "client_address"}  # what the server itself puts there
    assert {"foreground", "roi", "boxes", "session", "result", "window", "multimask"} <= read
    written = set(send(a_server, {"image": "ct", "params": {"foreground": [[22, 30, 12]]}}, {}, "json").json())
    missing = sorted(key for key in read | written if f"`{key}`" not in text)
    assert missing == []


def shape_of(value: Any, example: Any) -> Any:
    """Types by key, as deep as the example goes; a mapping from names to numbers counts as one thing."""
    if isinstance(example, dict):
        if all(isinstance(one, int | float) and not isinstance(one, bool) for one in example.values()):
            return "numbers by name" if isinstance(value, dict) else type(value).__name__
        return {
            key: shape_of(inner if key in NULL_WITHOUT_CALIBRATION and value[key] is None else value.get(key), inner)
            for key, inner in example.items()
        }
    if isinstance(example, list) and example and isinstance(example[0], dict):
        return [shape_of(value[0], example[0])]
    if isinstance(example, list):
        return f"list of {len(example if value is None else value)}"  # null where nothing was found
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
