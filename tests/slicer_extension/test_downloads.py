"""Images come whole or not at all, whatever the server and the disk do."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO, Any

import pytest
from SamanticLib.cancellation import Cancellation, working_under
from SamanticLib.client import SamanticClient
from SamanticLib.errors import (
    BadAnswer,
    Cancelled,
    DiskFull,
    SamanticError,
    ServerAway,
    ServerFailed,
    ServerSlow,
)
from SamanticLib.image_files import download
from SamanticLib.transport import Transport
from tests.slicer_extension.servers import (
    Asked,
    Server,
    answers,
    answers_json,
    cuts,
    running,
)

NIFTI = "application/octet-stream"
NAMED = {"Content_Disposition": 'attachment; filename="ct.nii.gz"'}


@pytest.fixture
def a_server() -> Iterator[Server]:
    with running(answers(b"")) as server:
        yield server


def client_of(server: Server, **options: Any) -> SamanticClient:
    return SamanticClient(server.url, **{"connect_timeout_s": 2, "read_timeout_s": 10, **options})


def full_disk(_: Path) -> IO[bytes]:
    return Path("/dev/full").open("wb")


def test_a_download_is_whole_and_named_by_its_id(a_server: Server, tmp_path: Path) -> None:
    content = bytes(range(256)) * 2000
    a_server.behaviour = answers(content, NIFTI, Content_Disposition='attachment; filename="../../evil.NII.GZ"')
    path = client_of(a_server).download_image("ct", tmp_path / "new folder")
    assert path == tmp_path / "new folder" / "ct.nii.gz"
    assert path.read_bytes() == content
    assert a_server.last.query["image"] == "ct"


@pytest.mark.parametrize("behaviour", ["cut", "slow", "500", "no name", "no length"])
def test_a_download_that_fails_leaves_the_file_of_before_and_nothing_else(
    a_server: Server, tmp_path: Path, behaviour: str
) -> None:
    (tmp_path / "ct.nii.gz").write_bytes(b"before")
    content = bytes(1 << 20)

    def without_length(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Disposition", 'attachment; filename="ct.nii.gz"')
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    def stops(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        cuts(content, 1000, NIFTI, **NAMED)(handler, asked)
        handler.wfile.flush()
        a_server.ending.wait(10)

    a_server.behaviour, error = {
        "cut": (cuts(content, 700_000, NIFTI, **NAMED), ServerAway),
        "slow": (stops, ServerSlow),
        "500": (answers_json({}, 500), ServerFailed),
        "no name": (answers(content, NIFTI), BadAnswer),
        "no length": (without_length, BadAnswer),
    }[behaviour]
    with pytest.raises(error):
        client_of(a_server, read_timeout_s=0.5).download_image("ct", tmp_path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("ct.nii.gz", b"before")]


def test_a_download_that_is_cancelled_leaves_nothing(a_server: Server, tmp_path: Path) -> None:
    cancellation = Cancellation()

    def stops(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        cuts(bytes(1 << 20), 500_000, NIFTI, **NAMED)(handler, asked)
        handler.wfile.flush()
        cancellation.cancel()
        a_server.ending.wait(10)

    a_server.behaviour = stops
    with working_under(cancellation), pytest.raises(Cancelled):
        client_of(a_server).download_image("ct", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_while_downloading_is_said_and_leaves_nothing(a_server: Server, tmp_path: Path) -> None:
    a_server.behaviour = answers(bytes(1 << 20), NIFTI, **NAMED)
    transport = Transport(a_server.url, token=None, connect_timeout_s=2, read_timeout_s=5, certificate_file=None)
    with pytest.raises(DiskFull, match=r"no space left for the image 'ct'.*Make room"):
        download(transport, "ct", {"image": "ct"}, tmp_path, full_disk)
    assert list(tmp_path.iterdir()) == []
    assert client_of(a_server).download_image("ct", tmp_path).stat().st_size == 1 << 20


def test_an_image_larger_than_the_disk_is_not_begun(a_server: Server, tmp_path: Path) -> None:
    def huge(handler: BaseHTTPRequestHandler, _: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Disposition", 'attachment; filename="ct.nii.gz"')
        handler.send_header("Content-Length", str(60 << 30))
        handler.end_headers()
        a_server.ending.wait(10)

    a_server.behaviour = huge
    free = 1 << 30
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
        with pytest.raises(DiskFull, match=r"has 61440 MB, but .* has room for 1024 MB"):
            client_of(a_server).download_image("ct", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("image_id", ["", "../evil", ".hidden", "a/b", "a\\b", "x" * 129, "a..b"])
def test_an_id_that_would_lead_out_of_the_folder_is_refused_without_asking(
    a_server: Server, tmp_path: Path, image_id: str
) -> None:
    with pytest.raises(SamanticError, match="cannot be the id of an image"):
        client_of(a_server).download_image(image_id, tmp_path)
    assert a_server.asked == []
