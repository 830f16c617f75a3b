"""The app under the stock `monailabel start_server --app …`, without our ASGI module: it works, only one at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import requests

CLICKS = {"ct": [22, 30, 12], "series": [22, 30, 6], "lesion": [30, 22, 0]}


def click(server: Any, image_id: str, **options: Any) -> requests.Response:
    params = {"foreground": [CLICKS[image_id]], "background": []}
    return requests.post(
        f"{server.url}/infer/segsam",
        params={"image": image_id, "output": "json"},
        data={"params": json.dumps({**params, **options})},
        timeout=120,
    )


def test_the_stock_server_lists_images_and_classes(a_plain_server: Any) -> None:
    info = requests.get(f"{a_plain_server.url}/info/", timeout=60).json()
    assert info["models"]["segsam"]["type"] == "deepgrow" and "liver" in info["labels"]
    assert info["datastore"]["total"] == 4


def test_a_click_is_answered_on_every_kind_of_image(a_plain_server: Any) -> None:
    for image in CLICKS:
        answer = click(a_plain_server, image)
        assert answer.status_code == 200, answer.text
        assert answer.json()["predicted_class"]


def test_a_label_is_kept_and_the_next_image_is_another_one(a_plain_server: Any) -> None:
    image = (a_plain_server.studies / "ct.nii.gz").read_bytes()
    url = f"{a_plain_server.url}/datastore/label"
    saved = requests.put(
        f"{url}?image=ct", files={"label": ("l.nii.gz", image)}, data={"params": '{"by": "me"}'}, timeout=60
    )
    assert saved.json() == {"image": "ct", "label": "ct"}
    assert requests.get(f"{url}/info?label=ct&tag=final", timeout=60).json()["by"] == "me"
    chosen = requests.post(f"{a_plain_server.url}/activelearning/first", json={}, timeout=60).json()
    # Whoever clicked on an image before may still hold it, or no longer: any of the unlabelled ones may come.
    assert chosen["id"] in ("lesion", "scan", "series")
    requests.delete(f"{url}?id=ct&tag=final", timeout=60)


def test_what_would_be_dangerous_there_is_refused_by_the_app_itself(a_plain_server: Any) -> None:
    outside = {path.name for path in a_plain_server.studies.parent.iterdir()}
    for image in ("/etc/passwd", "nothing", "../studies/ct"):
        answer = requests.post(
            f"{a_plain_server.url}/infer/segsam", params={"image": image}, data={"params": "{}"}, timeout=60
        )
        assert answer.status_code == 404 and "Traceback" not in answer.text
    assert click(a_plain_server, "ct", image="/etc/passwd").status_code == 404
    scan = (a_plain_server.studies / "scan.png").read_bytes()
    for query in ("image?image=../evil", "label?image=ct&tag=../../evil"):
        field = "file" if query.startswith("image") else "label"
        requests.put(f"{a_plain_server.url}/datastore/{query}", files={field: ("a.png", scan)}, timeout=60)
    assert {path.name for path in a_plain_server.studies.parent.iterdir()} == outside
    assert requests.get(f"{a_plain_server.url}/info/", timeout=60).json()["datastore"]["total"] == 4


def test_an_unknown_model_ends_the_start_with_a_sentence(tmp_path: Path, write_studies: Any) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_bytes(files("samantic.app").joinpath("main.py").read_bytes())
    options = ["--app", str(app), "--studies", str(write_studies(tmp_path / "studies")), "--host", "127.0.0.1"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "monailabel.main",
            "start_server",
            *options,
            "--port",
            "0",
            "--conf",
            "models",
            "nothing",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "SAMANTIC_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode != 0
    assert "there is no model nothing; use all or any of besadiff, breast, segsam" in done.stdout + done.stderr
