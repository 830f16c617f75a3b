"""Every endpoint with every kind of bad request that we could think of, against one real server."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nibabel
import numpy as np
import pytest
import requests
from PIL import Image

LIMIT_MB = 4


def nifti(shape: tuple[int, ...] = (64, 64, 24), value: int = 0, slice_distance: float = 3.0) -> bytes:
    image = nibabel.Nifti1Image(np.full(shape, value, np.uint8), np.diag([-1.5, -1.5, slice_distance, 1.0]))
    return image.to_bytes()


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "png")
    return file.getvalue()


def absurd_nifti() -> bytes:
    header = nibabel.Nifti1Header()
    header.set_data_shape((32000, 32000, 32000))
    header["magic"], header["vox_offset"] = b"n+1", 352
    return header.binaryblock + bytes(8)


def archive(*files: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files:
            zipped.writestr(name, content)
    return file.getvalue()


def chunks(content: bytes) -> Any:
    # A generator makes requests send the body in chunks, without a length.
    yield from (content[start : start + 65536] for start in range(0, len(content), 65536))


def multipart(name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    body = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return body + content + b"\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


@dataclass(frozen=True)
class Bad:
    """One bad request: what is wrong with it, the request, the statuses that are right, a word of the answer."""

    wrong: str
    method: str
    path: str
    statuses: tuple[int, ...]
    says: str = ""
    send: dict[str, Any] = field(default_factory=dict)


def click(**params: Any) -> dict[str, Any]:
    return {"data": {"params": json.dumps({"foreground": [[22, 30, 12]], "background": [], **params})}}


def raw_params(text: str) -> dict[str, Any]:
    return {"data": {"params": text}}


def with_file(key: str, name: str, content: bytes, **data: str) -> dict[str, Any]:
    return {"files": {key: (name, content)}, "data": data}


INFER = "/infer/segsam?image=ct"
LABEL = "/datastore/label?image=ct&tag=final"
GRID = nifti()
ELSEWHERE = nifti(value=1, slice_distance=5.0)
TOO_MUCH = bytes((LIMIT_MB << 20) + 1)

BAD_REQUESTS = [
    # inference: what to run it on
    Bad("unknown model", "POST", "/infer/nothing?image=ct", (404,), "segsam", click()),
    Bad("a model called by a path", "POST", "/infer/..%5Csegsam?image=ct", (404,), "model", click()),
    Bad("no image", "POST", "/infer/segsam", (422,), "No image", click()),
    Bad("unknown image", "POST", "/infer/segsam?image=nothing", (404,), "nothing", click()),
    Bad("image is a path", "POST", "/infer/segsam?image=/etc/passwd", (422,), "image id", click()),
    Bad("image leads out", "POST", "/infer/segsam?image=../ct", (422,), "image id", click()),
    Bad("image has a NUL", "POST", "/infer/segsam?image=ct%00", (422,), "image id", click()),
    Bad("image beside a path in params", "POST", INFER, (422,), "'image'", click(image="/etc/passwd")),
    Bad("a label file by its path", "POST", INFER, (422,), "'label_file'", click(label_file="/etc/passwd")),
    Bad("a client's address in params", "POST", INFER, (422,), "client_address", click(client_address="1.2.3.4")),
    Bad("another model in params", "POST", INFER, (422,), "'model'", click(model="other")),
    Bad("unknown session", "POST", "/infer/segsam?session_id=nothing", (404,), "session", click()),
    Bad("session leads out", "POST", "/infer/segsam?session_id=../../../etc", (422,), "session id", click()),
    Bad("file of no image type", "POST", "/infer/segsam", (422,), "nii.gz", with_file("file", "a.txt", b"hello")),
    Bad("file without extension", "POST", "/infer/segsam", (422,), "nii.gz", with_file("file", "passwd", b"x")),
    Bad("damaged NIfTI", "POST", "/infer/segsam", (422,), "", with_file("file", "a.nii.gz", b"garbage")),
    Bad("empty PNG", "POST", "/infer/segsam", (422,), "empty", with_file("file", "a.png", b"")),
    Bad("absurd size in a header", "POST", "/infer/segsam", (422,), "", with_file("file", "a.nii", absurd_nifti())),
    Bad("label as JPEG", "POST", INFER, (422,), "label", {**click(), "files": {"label": ("a.jpg", png())}}),
    Bad("damaged label", "POST", INFER, (422,), "", {**click(), "files": {"label": ("a.nii.gz", b"garbage")}}),
    Bad(
        "label of another grid",
        "POST",
        INFER,
        (422,),
        "",
        {**click(), "files": {"label": ("a.nii", ELSEWHERE)}},
    ),
    # inference: how
    Bad("params are not JSON", "POST", INFER, (422,), "not JSON", raw_params("{foreground")),
    Bad("params are a list", "POST", INFER, (422,), "a list", raw_params("[1, 2]")),
    Bad("params are null", "POST", INFER, (422,), "null", raw_params("null")),
    Bad("params hold NaN", "POST", INFER, (422,), "NaN", raw_params('{"foreground": [[NaN, 1, 2]]}')),
    Bad("params hold an infinite number", "POST", INFER, (422,), "too large", raw_params('{"slice": 1e999}')),
    Bad("params hold half a character", "POST", INFER, (422,), "Unicode", raw_params('{"label": "\\ud800"}')),
    Bad("params nested without end", "POST", INFER, (422,), "nested", raw_params("[" * 100_000)),
    Bad("params nested too deeply", "POST", INFER, (422,), "nested", raw_params('{"a":' * 50 + "1" + "}" * 50)),
    Bad("params far too long", "POST", INFER, (400, 413), "", raw_params('{"text": "' + "x" * 1_100_000 + '"}')),
    Bad("params sent as a file", "POST", INFER, (422,), "params", {"files": {"params": ("p.json", b"{}")}}),
    Bad("unknown priority", "POST", INFER, (422,), "priority", click(priority="urgent")),
    Bad("a tag that leads out", "POST", INFER, (422,), "tag", click(save_label=True, label_tag="../../evil")),
    Bad("unknown kind of output", "POST", f"{INFER}&output=bogus", (422,), "output", click()),
    Bad("DICOM SEG of a folder", "POST", f"{INFER}&output=dicom_seg", (422,), "dicom_seg", click()),
    Bad("no prompt at all", "POST", INFER, (422,), "", raw_params("{}")),
    Bad("a click outside", "POST", INFER, (422,), "", click(foreground=[[64, 0, 12]])),
    Bad("a click of two numbers in a volume", "POST", INFER, (422,), "", click(foreground=[[1, 2]])),
    Bad("a click of words", "POST", INFER, (422,), "", click(foreground=[["a", "b", "c"]])),
    Bad("a slice outside", "POST", INFER, (422,), "slice", click(slice=24)),
    Bad("an axis that is none", "POST", INFER, (422,), "axis", click(axis=7)),
    Bad("an unknown class", "POST", INFER, (422,), "", click(classes=["no_such_organ"])),
    Bad("a region of three numbers", "POST", INFER, (422,), "roi", click(roi=[1, 2, 3])),
    Bad("body is JSON", "POST", INFER, (422,), "", {"json": {"params": {}}}),
    Bad(
        "multipart without boundary",
        "POST",
        INFER,
        (400, 422),
        "",
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ),
    Bad("GET instead of POST", "GET", INFER, (405,), "GET"),
    Bad("a slide of a model that knows none", "POST", "/infer/wsi/segsam?image=ct", (422,), "slides", {"json": {}}),
    Bad("a slide of an unknown model", "POST", "/infer/wsi_v2/nothing?image=/etc/passwd", (404,), "nothing"),
    # uploads beyond the limit
    Bad("upload too large", "POST", "/infer/segsam", (413,), "MB", with_file("file", "a.nii", TOO_MUCH)),
    Bad("image too large", "PUT", "/datastore/image?image=big", (413,), "MB", with_file("file", "a.nii", TOO_MUCH)),
    Bad(
        "too large and of unknown length",
        "PUT",
        "/datastore/image?image=big",
        (413,),
        "MB",
        {"data": lambda: chunks(multipart("a.nii", TOO_MUCH)[0]), "headers": multipart("", b"")[1]},
    ),
    # images
    Bad("unknown kind of listing", "GET", "/datastore/?output=bogus", (422,), "output"),
    Bad(
        "upload leads out",
        "PUT",
        "/datastore/image?image=../evil",
        (422,),
        "image id",
        with_file("file", "a.nii", GRID),
    ),
    Bad(
        "upload to a path",
        "PUT",
        "/datastore/image?image=/tmp/evil",
        (422,),
        "image id",
        with_file("file", "a.nii", GRID),
    ),
    Bad(
        "upload by the old address leads out",
        "PUT",
        "/datastore/?image=a/../../b",
        (422,),
        "id",
        with_file("file", "a.nii", GRID),
    ),
    Bad("upload hides itself", "PUT", "/datastore/image?image=.lock", (422,), "id", with_file("file", "a.nii", GRID)),
    Bad("upload without file", "PUT", "/datastore/image?image=new", (422,), "file", {"data": {"params": "{}"}}),
    Bad(
        "upload of a program", "PUT", "/datastore/image?image=new", (422,), "nii.gz", with_file("file", "a.exe", b"MZ")
    ),
    Bad(
        "upload of a damaged image",
        "PUT",
        "/datastore/image?image=new",
        (422,),
        "",
        with_file("file", "a.nii.gz", b"no"),
    ),
    Bad(
        "upload of a cut image",
        "PUT",
        "/datastore/image?image=new",
        (422,),
        "",
        with_file("file", "a.nii", GRID[:5000]),
    ),
    Bad("upload whose name leads out", "PUT", "/datastore/image", (422,), "", with_file("file", "../../e.nii", b"no")),
    Bad(
        "another image under a taken id",
        "PUT",
        "/datastore/image?image=ct",
        (409,),
        "'ct'",
        with_file("file", "a.nii", GRID),
    ),
    Bad(
        "notes are a list",
        "PUT",
        "/datastore/image?image=new",
        (422,),
        "list",
        with_file("file", "a.nii", GRID, params="[]"),
    ),
    Bad("removing an unknown image", "DELETE", "/datastore/image?id=nothing", (404,), "nothing"),
    Bad("removing by a path", "DELETE", "/datastore/?id=../../etc", (422,), "image id"),
    Bad("removing nothing", "DELETE", "/datastore/image", (422,), "id"),
    Bad("removing a DICOM series", "DELETE", "/datastore/image?id=series", (409,), "folder"),
    Bad("is an unknown image there", "HEAD", "/datastore/image?image=nothing", (404,)),
    Bad("unknown kind of checksum", "HEAD", "/datastore/image?image=ct&check_sum=ROT13:ab", (422,)),
    Bad("another checksum", "HEAD", "/datastore/image?image=ct&check_sum=SHA256:ab", (404,)),
    Bad("downloading an unknown image", "GET", "/datastore/image?image=nothing", (404,), "nothing"),
    Bad("downloading a file of the system", "GET", "/datastore/image?image=/etc/passwd", (422,), "image id"),
    Bad("downloading without a name", "GET", "/datastore/image", (422,), "image"),
    Bad("notes of an unknown image", "GET", "/datastore/image/info?image=nothing", (404,), "nothing"),
    Bad(
        "noting about an unknown image",
        "PUT",
        "/datastore/image/info?image=nothing",
        (404,),
        "",
        {"data": {"info": "{}"}},
    ),
    Bad("noting no JSON", "PUT", "/datastore/image/info?image=ct", (422,), "JSON", {"data": {"info": "{"}}),
    Bad(
        "notes that would stop the strategies",
        "PUT",
        "/datastore/image/info?image=ct",
        (422,),
        "strategy",
        {"data": {"info": '{"strategy": "x"}'}},
    ),
    # labels
    Bad(
        "label for an unknown image",
        "PUT",
        "/datastore/label?image=nothing",
        (404,),
        "nothing",
        with_file("label", "a.nii", GRID),
    ),
    Bad(
        "label for a path",
        "PUT",
        "/datastore/label?image=../../evil",
        (422,),
        "image id",
        with_file("label", "a.nii", GRID),
    ),
    Bad(
        "label whose tag leads out",
        "PUT",
        "/datastore/label?image=ct&tag=../../evil",
        (422,),
        "tag",
        with_file("label", "a.nii", GRID),
    ),
    Bad(
        "label whose tag has a slash",
        "PUT",
        "/datastore/label?image=ct&tag=a/b",
        (422,),
        "tag",
        with_file("label", "a.nii", GRID),
    ),
    Bad(
        "label whose tag is too long",
        "PUT",
        f"/datastore/label?image=ct&tag={'x' * 200}",
        (422,),
        "tag",
        with_file("label", "a.nii", GRID),
    ),
    Bad("label without file", "PUT", LABEL, (422,), "label", {"data": {"params": "{}"}}),
    Bad("label that is damaged", "PUT", LABEL, (422,), "my.nii.gz", with_file("label", "my.nii.gz", b"garbage")),
    Bad("label that is cut short", "PUT", LABEL, (422,), "", with_file("label", "a.nii", GRID[:5000])),
    Bad("label as JPEG to keep", "PUT", LABEL, (422,), "nii.gz", with_file("label", "a.jpg", png())),
    Bad("label of another image", "PUT", LABEL, (422,), "", with_file("label", "a.nii", ELSEWHERE)),
    Bad("label with broken notes", "PUT", LABEL, (422,), "JSON", with_file("label", "a.nii", GRID, params="{'a': 1}")),
    Bad("removing a label of an unknown image", "DELETE", "/datastore/label?id=nothing&tag=final", (404,), "nothing"),
    Bad("removing a label that is not there", "DELETE", "/datastore/label?id=ct&tag=nothing", (404,), "nothing"),
    Bad("removing a label by a path", "DELETE", "/datastore/label?id=ct&tag=../..", (422,), "tag"),
    Bad("is an unknown label there", "HEAD", "/datastore/label?image=ct&tag=nothing", (404,)),
    Bad("downloading a label that is not there", "GET", "/datastore/label?label=ct&tag=nothing", (404,), "nothing"),
    Bad("downloading a label by a path", "GET", "/datastore/label?label=ct&tag=..%2F..", (422,), "tag"),
    Bad("downloading a label without a tag", "GET", "/datastore/label?label=ct", (422,), "tag"),
    Bad("notes of an unknown label", "GET", "/datastore/label/info?label=ct&tag=nothing", (404,), "nothing"),
    Bad(
        "noting about an unknown label",
        "PUT",
        "/datastore/label/info?label=ct&tag=nothing",
        (404,),
        "",
        {"data": {"info": "{}"}},
    ),
    Bad(
        "noting no JSON about a label",
        "PUT",
        "/datastore/label/info?label=ct&tag=final",
        (422,),
        "JSON",
        {"data": {"info": "?"}},
    ),
    Bad(
        "noting by the old address",
        "PUT",
        "/datastore/updatelabelinfo?label=nothing&tag=final",
        (404,),
        "",
        {"data": {"params": "{}"}},
    ),
    Bad("a data set of nothing", "GET", "/datastore/dataset", (404,), "label"),
    Bad("a data set of less than nothing", "GET", "/datastore/dataset?limit_cases=-1", (422,), "limit_cases"),
    # sessions
    Bad("unknown upload session", "GET", "/session/nothing", (404,), "nothing"),
    Bad("a session that leads out", "GET", "/session/..%2f..%2fetc", (404, 422)),
    Bad("closing an unknown session", "DELETE", "/session/nothing", (404,), "nothing"),
    Bad("a session of no files", "PUT", "/session/", (422,), "files"),
    Bad("a session of garbage", "PUT", "/session/", (422,), "", with_file("files", "a.nii.gz", b"garbage")),
    Bad("a session of a text", "PUT", "/session/", (422,), "", with_file("files", "a.txt", b"hello")),
    Bad("a session whose file is hidden", "PUT", "/session/", (422,), "name", with_file("files", ".bashrc", b"hello")),
    Bad(
        "a session of two files of one name",
        "PUT",
        "/session/",
        (422,),
        "a.dcm",
        {"files": [("files", ("a.dcm", b"x"))] * 2},
    ),
    Bad(
        "a session of no archive", "PUT", "/session/?uncompress=true", (422,), "zip", with_file("files", "a.zip", b"PK")
    ),
    Bad(
        "an archive that leads out",
        "PUT",
        "/session/?uncompress=true",
        (422,),
        "",
        with_file("files", "a.zip", archive(("../../evil.nii", b"x"))),
    ),
    Bad(
        "an archive that swells",
        "PUT",
        "/session/?uncompress=true",
        (413,),
        "unpacks",
        with_file("files", "a.zip", archive(("a.nii", TOO_MUCH))),
    ),
    Bad("an expiry of words", "PUT", "/session/?expiry=soon", (422,), "expiry", with_file("files", "a.nii", GRID)),
    # tasks
    Bad("unknown strategy", "POST", "/activelearning/nothing", (404,), "random", {"json": {}}),
    Bad(
        "another strategy in the body",
        "POST",
        "/activelearning/random",
        (422,),
        "strategy",
        {"json": {"strategy": "x"}},
    ),
    Bad("strategy with a list", "POST", "/activelearning/random", (422,), "list", {"json": [1]}),
    Bad("strategy with broken JSON", "POST", "/activelearning/random", (422,), "JSON", {"data": b"{"}),
    Bad("strategy with NaN", "POST", "/activelearning/random", (422,), "NaN", {"data": b'{"client_id": NaN}'}),
    Bad(
        "strategy with bytes that are no text",
        "POST",
        "/activelearning/random",
        (422,),
        "",
        {"data": b'{"a": "\xff\xfe"}'},
    ),
    Bad("training what is not trained here", "POST", "/train/segsam_auto", (404,), "trained", {"json": {}}),
    Bad("training an unknown model", "POST", "/train/nothing?run_sync=true", (404,), "nothing", {"json": {}}),
    Bad("no training runs", "GET", "/train/?check_if_running=true", (404,), ""),
    Bad("unknown scoring method", "POST", "/scoring/nothing", (404,), "nothing", {"json": {}}),
    Bad("batch of an unknown model", "POST", "/batch/infer/nothing", (404,), "nothing", {"json": {}}),
    Bad(
        "batch of a model that needs clicks",
        "POST",
        "/batch/infer/segsam",
        (422,),
        "prompts",
        {"json": {"images": ["/etc/passwd"]}},
    ),
    Bad("batch of unknown images", "POST", "/batch/infer/segsam?images=bogus", (422,), "images", {"json": {}}),
    Bad("no batch runs", "GET", "/batch/infer", (404,), ""),
    # models, logs, pages
    Bad("downloading an unknown model", "GET", "/model/nothing", (404,), "nothing"),
    Bad("checksum of an unknown model", "GET", "/model/info/nothing", (404,), "nothing"),
    Bad("replacing an unknown model", "PUT", "/model/nothing", (404,), "nothing", with_file("file", "a.pt", b"x")),
    Bad("replacing the bundled model", "PUT", "/model/segsam", (404,), "segsam", with_file("file", "a.pt", b"x")),
    Bad("deleting the bundled model", "DELETE", "/model/segsam", (404,), "segsam"),
    Bad("no lines of the log", "GET", "/logs/?lines=0", (422,), "lines"),
    Bad("more lines than a number holds", "GET", "/logs/?lines=99999999999999999999", (422,), "lines"),
    Bad("a page that leads out", "GET", "/ohif/..%2f..%2f..%2fmain.py", (404,), ""),
    Bad("a folder as a page", "GET", "/ohif/..", (404,), ""),
    Bad("a static file that leads out", "GET", "/static/..%2f..%2fapp.py", (404,), ""),
    Bad("a proxy to nowhere", "GET", "/proxy/dicom/wado/studies", (404,), "DICOMweb"),
    Bad("a proxy to elsewhere", "POST", "/proxy/dicom/http://example.org", (404,), "DICOMweb", {"data": b"x"}),
    Bad("a page that does not exist", "GET", "/nothing/at/all", (404,), "/nothing/at/all"),
    Bad("removing what can only be read", "DELETE", "/info/", (405,), "DELETE"),
    # ours
    Bad("unknown domain", "GET", "/samantic/vocabulary?domain=nothing", (404,), "ct"),
    Bad("vocabulary of an unknown model", "GET", "/samantic/vocabulary?model=nothing", (404,), "segsam"),
    # foreign web pages
    Bad(
        "a foreign page clicks",
        "POST",
        INFER,
        (403,),
        "evil.example",
        {**click(), "headers": {"Origin": "http://evil.example"}},
    ),
    Bad(
        "a foreign page looks", "GET", "/info/", (403,), "evil.example", {"headers": {"Origin": "https://evil.example"}}
    ),
    Bad("a sandboxed page clicks", "POST", "/reload", (403,), "null", {"headers": {"Origin": "null"}}),
]


@pytest.fixture(scope="module")
def guarded_server(start_server: Any) -> Any:
    return start_server(environment={"SAMANTIC_MAX_UPLOAD_MB": str(LIMIT_MB)})


def kept(server: Any) -> dict[str, str]:
    """Every file that a request could have left somewhere, with its content; the log is meant to grow."""
    found = {}
    for place in (server.studies, server.home, server.temporary, server.log.parent):
        for path in place.rglob("*"):
            if path.is_dir():
                found[str(path)] = "folder"
            elif "logs" not in path.parts and path != server.log and "__pycache__" not in path.parts:
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def answer_to(server: Any, bad: Bad) -> tuple[int, bytes]:
    send = dict(bad.send)
    if callable(send.get("data")):
        send["data"] = send["data"]()
    if not send and bad.method in ("GET", "DELETE"):
        # requests would tidy the address up before sending it.
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        connection.request(bad.method, bad.path)
        response = connection.getresponse()
        return response.status, response.read()
    response = requests.request(bad.method, server.url + bad.path, timeout=60, **send)
    return response.status_code, response.content


def test_there_are_many_of_them_and_no_two_are_alike() -> None:
    assert len(BAD_REQUESTS) >= 60
    assert len({bad.wrong for bad in BAD_REQUESTS}) == len(BAD_REQUESTS)


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=[bad.wrong for bad in BAD_REQUESTS])
def test_a_bad_request_is_answered_with_one_sentence_and_leaves_nothing(guarded_server: Any, bad: Bad) -> None:
    before = kept(guarded_server)
    status, content = answer_to(guarded_server, bad)
    assert status in bad.statuses, content[:500]
    assert 400 <= status < 500
    if bad.method != "HEAD":
        answer = json.loads(content)
        assert set(answer) == {"detail"}
        sentence = answer["detail"]
        assert isinstance(sentence, str) and "\n" not in sentence and 10 < len(sentence) < 600
        assert sentence[-1] in ".?!" and bad.says in sentence
        assert "Traceback" not in sentence and str(guarded_server.home) not in sentence
        assert str(guarded_server.temporary) not in sentence
    assert kept(guarded_server) == before


def test_the_server_goes_on_after_all_of_them(guarded_server: Any) -> None:
    for bad in BAD_REQUESTS:
        answer_to(guarded_server, bad)
    assert guarded_server.process.poll() is None
    assert "Traceback" not in guarded_server.logged()
    answer = requests.post(
        f"{guarded_server.url}/infer/segsam?image=ct&output=json",
        data={"params": json.dumps({"foreground": [[22, 30, 12]], "background": []})},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert requests.get(f"{guarded_server.url}/info/", timeout=60).json()["datastore"]["total"] == 4


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU to tell about")
def test_a_machine_without_a_gpu_says_so(guarded_server: Any) -> None:
    answer = requests.get(f"{guarded_server.url}/logs/gpu", timeout=60)
    assert answer.status_code == 404 and "nvidia-smi" in answer.json()["detail"]


def test_a_path_of_the_studies_folder_is_no_image(guarded_server: Any) -> None:
    path: Path = guarded_server.studies / "ct.nii.gz"
    answer = requests.post(f"{guarded_server.url}/infer/segsam", params={"image": str(path)}, timeout=60, **click())
    assert answer.status_code == 422 and "image id" in answer.json()["detail"]
