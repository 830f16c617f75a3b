"""Downloading checkpoints from a real server on this machine that behaves well, badly and slowly."""

import hashlib
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from samantic.sam import Checkpoint, WeightsError, fetch_checkpoint, find_file, verify_file

CONTENT = bytes(range(256)) * 4000  # about 1 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class WeightsServer(ThreadingHTTPServer):
    """A server of one file; its attributes say how it behaves."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = CONTENT
        self.etag = '"one"'
        self.honours_range = True
        self.honours_if_range = True
        self.cut_after = None  # bytes of each answer before the connection breaks
        self.stall_after = None  # bytes of each answer before nothing more comes
        self.trickle = False
        self.status = None
        self.redirect = None
        self.requests = []
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pth"

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        if server.status:
            self.send_error(server.status)
            return
        body, start = server.content, 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        fresh = not server.honours_if_range or self.headers.get("If-Range", server.etag) == server.etag
        if asked and server.honours_range and fresh:
            start = int(asked[1])
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        body = body[start:]
        self.send_header("Content-Length", str(len(body)))
        if server.etag:
            self.send_header("ETag", server.etag)
        self.end_headers()
        if server.trickle:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if server.released.wait(0.02):
                    return
        self.wfile.write(body[: min(server.cut_after or len(body), server.stall_after or len(body))])
        if server.stall_after:
            self.wfile.flush()
            server.released.wait(20)


@pytest.fixture
def server():
    server = WeightsServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def checkpoint(server):
    return a_checkpoint(server)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SAMANTIC_WEIGHTS", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    return tmp_path / "models"


def a_checkpoint(server, sha256=SHA256, size_bytes=len(CONTENT), urls=None):
    urls = urls or (server.url,)
    return Checkpoint("a_model", "A model", "vit_b", "a_model.pth", urls, size_bytes, sha256, "Apache-2.0", "")


def refused(checkpoint, folder, **how):
    with pytest.raises(WeightsError) as caught:
        fetch_checkpoint(checkpoint, folder, **how)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not (folder / "a_model.pth").exists()
    return sentence


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def a_part(folder, content=CONTENT[:300_000], etag=None):
    folder.mkdir(parents=True)
    (folder / "a_model.pth.part").write_bytes(content)
    if etag:
        (folder / "a_model.pth.part.etag").write_text(etag)


# ---- right


def test_a_file_is_downloaded_verified_and_reported_with_its_progress(checkpoint, folder):
    seen = []
    file = fetch_checkpoint(checkpoint, folder, progress=lambda done, total: seen.append((done, total)))
    assert file.path.read_bytes() == CONTENT
    assert (file.sha256, file.is_verified) == (SHA256, True)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert names(folder) == ["a_model.pth"]


def test_a_file_that_is_here_is_not_downloaded_again(server, checkpoint, folder):
    fetch_checkpoint(checkpoint, folder)
    fetch_checkpoint(checkpoint, folder)
    assert len(server.requests) == 1


def test_the_offline_folder_comes_first_and_nothing_is_downloaded(server, checkpoint, folder, tmp_path, monkeypatch):
    offline = tmp_path / "usb stick"
    offline.mkdir()
    (offline / "a_model.pth").write_bytes(CONTENT)
    monkeypatch.setenv("SAMANTIC_WEIGHTS", str(offline))
    assert fetch_checkpoint(checkpoint, folder).path == offline / "a_model.pth"
    assert find_file(checkpoint, folder) == offline / "a_model.pth"
    assert not server.requests


def test_a_wrong_file_in_the_offline_folder_is_refused_and_left_alone(checkpoint, folder, tmp_path, monkeypatch):
    (tmp_path / "a_model.pth").write_bytes(b"x" * len(CONTENT))
    monkeypatch.setenv("SAMANTIC_WEIGHTS", str(tmp_path))
    assert SHA256 in refused(checkpoint, folder)
    assert (tmp_path / "a_model.pth").exists()


def test_an_offline_folder_that_does_not_exist_is_a_plain_error(checkpoint, folder, monkeypatch):
    monkeypatch.setenv("SAMANTIC_WEIGHTS", "/nowhere/at all")
    assert "SAMANTIC_WEIGHTS names /nowhere/at all" in refused(checkpoint, folder)


def test_without_a_published_hash_the_size_must_match_and_the_found_hash_is_kept(server, folder):
    checkpoint = a_checkpoint(server, sha256=None)
    file = fetch_checkpoint(checkpoint, folder)
    assert (file.sha256, file.is_verified) == (SHA256, False)
    assert (folder / "a_model.pth.sha256").read_text() == f"{SHA256}  a_model.pth\n"
    file.path.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(WeightsError, match=f"expected .* {SHA256}, found"):
        verify_file(checkpoint, file.path)


def test_a_second_address_is_asked_where_the_first_does_not_have_it(server, folder):
    urls = ("http://127.0.0.1:9/weights.pth", server.url)
    assert fetch_checkpoint(a_checkpoint(server, urls=urls), folder).is_verified


# ---- resuming


def test_a_partial_download_goes_on_where_it_stopped(server, checkpoint, folder):
    a_part(folder, etag='"one"')
    assert fetch_checkpoint(checkpoint, folder).path.read_bytes() == CONTENT
    assert server.requests[0]["Range"] == "bytes=300000-"
    assert server.requests[0]["If-Range"] == '"one"'
    assert names(folder) == ["a_model.pth"]


def test_a_server_that_ignores_ranges_sends_all_of_it_again(server, checkpoint, folder):
    server.honours_range = False
    a_part(folder)
    assert fetch_checkpoint(checkpoint, folder).path.read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_is_begun_anew(server, checkpoint, folder):
    a_part(folder, content=b"o" * 300_000, etag='"older"')
    assert fetch_checkpoint(checkpoint, folder).path.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_beginning_that_does_not_fit_is_found_by_the_hash_and_begun_anew(server, checkpoint, folder):
    a_part(folder, content=b"o" * 300_000)
    assert fetch_checkpoint(checkpoint, folder).path.read_bytes() == CONTENT
    assert ["Range" in request for request in server.requests] == [True, False]


@pytest.mark.parametrize("have", [len(CONTENT) + 1, len(CONTENT)])
def test_a_partial_file_that_is_as_long_or_longer_than_the_whole_is_checked_and_begun_anew(checkpoint, folder, have):
    a_part(folder, content=b"o" * have)
    assert fetch_checkpoint(checkpoint, folder).path.read_bytes() == CONTENT


def test_a_complete_partial_file_needs_no_server(server, checkpoint, folder):
    a_part(folder, content=CONTENT)
    assert fetch_checkpoint(checkpoint, folder).is_verified
    assert not server.requests


def test_a_server_with_a_shorter_file_answers_416_and_is_asked_for_all_of_it(server, checkpoint, folder):
    server.content = CONTENT[:200_000]
    a_part(folder)
    sentence = refused(checkpoint, folder)
    assert f"offers a file of 200000 bytes, expected {len(CONTENT)}" in sentence
    assert "Range" not in server.requests[1]


def test_broken_connections_are_taken_up_again_until_the_file_is_whole(server, checkpoint, folder):
    server.cut_after = 300_000
    assert fetch_checkpoint(checkpoint, folder).path.read_bytes() == CONTENT
    assert len(server.requests) == 4


def test_a_server_that_always_breaks_off_at_one_place_is_given_up_and_the_part_is_kept(server, checkpoint, folder):
    server.cut_after = 300_000
    server.honours_range = False
    sentence = refused(checkpoint, folder)
    assert "0.3 MB are kept" in sentence
    assert (folder / "a_model.pth.part").stat().st_size == 300_000
    server.cut_after, server.honours_range = None, True
    assert fetch_checkpoint(checkpoint, folder).is_verified


def test_a_cancelled_download_keeps_its_part_and_can_be_continued(server, checkpoint, folder):
    server.stall_after = 400_000
    cancel = threading.Event()
    sentence = refused(checkpoint, folder, progress=lambda *_: cancel.set(), cancel=cancel)
    assert "cancelled" in sentence
    assert (folder / "a_model.pth.part").stat().st_size > 0
    server.stall_after = None
    assert fetch_checkpoint(checkpoint, folder).is_verified


# ---- wrong


def test_a_wrong_file_is_refused_with_both_hashes_and_removed(server, checkpoint, folder):
    server.content = b"w" * len(CONTENT)
    sentence = refused(checkpoint, folder)
    assert SHA256 in sentence
    assert hashlib.sha256(server.content).hexdigest() in sentence
    assert names(folder) == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b"<html>log in</html>"])
def test_a_file_of_another_size_is_refused_before_it_is_downloaded(server, checkpoint, folder, content):
    server.content = content
    assert f"offers a file of {len(content)} bytes, expected {len(CONTENT)}" in refused(checkpoint, folder)


@pytest.mark.parametrize("content", [CONTENT[:1000], b"x" * len(CONTENT), CONTENT + b"x"])
def test_a_wrong_or_partial_file_here_is_refused_with_both_hashes_and_left_alone(checkpoint, folder, content):
    folder.mkdir()
    (folder / "a_model.pth").write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        fetch_checkpoint(checkpoint, folder)
    assert SHA256 in str(caught.value)
    assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert (folder / "a_model.pth").read_bytes() == content


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_address_without_the_file_is_a_plain_error(server, checkpoint, folder, status):
    server.status = status
    assert f"127.0.0.1 answered {status}" in refused(checkpoint, folder)
    assert len(server.requests) == (3 if status == 500 else 1)


def test_a_server_that_is_not_there_is_a_plain_error(server, folder):
    assert "connection to 127.0.0.1 broke" in refused(a_checkpoint(server, urls=("http://127.0.0.1:9/x",)), folder)


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com/x", "file:///etc/passwd"])
def test_nothing_is_fetched_without_encryption(server, folder, url):
    assert "without encryption" in refused(a_checkpoint(server, urls=(url,)), folder)


def test_a_redirection_to_an_address_without_encryption_is_not_followed(server, checkpoint, folder):
    server.redirect = "http://weights.example.com/x"
    assert "weights.example.com is not asked without encryption" in refused(checkpoint, folder)


def test_a_redirection_that_stays_safe_is_followed(server, folder):
    server.redirect = "/elsewhere.pth"
    assert "connection to 127.0.0.1 broke" in refused(a_checkpoint(server), folder)  # it points to itself for ever
    server.redirect = None
    other = WeightsServer()
    threading.Thread(target=other.serve_forever, args=(0.02,), daemon=True).start()
    server.redirect = other.url
    assert fetch_checkpoint(a_checkpoint(server), folder).is_verified
    other.shutdown()
    other.server_close()


# ---- slow


def test_a_server_that_falls_silent_is_given_up_with_a_plain_sentence(server, checkpoint, folder):
    server.stall_after = 5_000
    server.honours_range = False
    began = time.monotonic()
    sentence = refused(checkpoint, folder, stall_timeout_s=0.3)
    assert "sent nothing for 0.3 seconds" in sentence
    assert time.monotonic() - began < 10


def test_a_trickle_counts_as_silence(server, checkpoint, folder):
    server.trickle = True
    assert re.search(r"sent only \d+ bytes in 0.3 seconds", refused(checkpoint, folder, stall_timeout_s=0.3))


def test_two_downloads_of_one_file_do_not_write_into_each_other(server, checkpoint, folder):
    server.stall_after = 400_000
    cancel = threading.Event()
    arrived = threading.Event()
    outcome = []

    def first():
        try:
            fetch_checkpoint(checkpoint, folder, progress=lambda *_: arrived.set(), cancel=cancel, stall_timeout_s=1)
        except WeightsError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=first)
    thread.start()
    assert arrived.wait(10)
    assert "by another process" in refused(checkpoint, folder)
    cancel.set()
    server.released.set()
    thread.join(20)
    assert "cancelled" in outcome[0]


def test_a_full_disk_is_said_before_anything_is_downloaded(server, folder):
    sentence = refused(a_checkpoint(server, size_bytes=10**18), folder)
    assert "are free there" in sentence
    assert not server.requests
