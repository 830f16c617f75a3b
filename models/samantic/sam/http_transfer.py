"""One HTTP transfer into a file that may already hold the beginning."""

from __future__ import annotations

import ipaddress
import re
import threading
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from samantic.sam.checkpoint_file import Progress

_BLOCK_BYTES = 1024 * 1024
_SLOWEST_BYTES_PER_S = 1024
_BUSY = {408, 425, 429, 500, 502, 503, 504}


class TransferError(RuntimeError):
    """Why the transfer ended early; `is_worth_another_try` where the same request may succeed later."""

    def __init__(self, reason: str, is_worth_another_try: bool = True) -> None:
        super().__init__(reason)
        self.is_worth_another_try = is_worth_another_try


def transfer(
    url: str, part: Path, size_bytes: int, progress: Progress | None, cancel: threading.Event, stall_timeout_s: float
) -> None:
    """Completes `part` to `size_bytes` from `url`, from its end on where the server can and the file is unchanged.

    The server's ETag is kept in `<part>.etag`, so that a file which changed meanwhile is begun anew. Raises
    TransferError; what arrived until then stays in `part`.
    """
    host = _checked_host(url)
    have = part.stat().st_size if part.exists() else 0
    if have == size_bytes:
        return
    if have > size_bytes:
        part.unlink()
        have = 0
    try:
        with (
            _session(url) as session,
            session.get(url, headers=_headers(part, have), stream=True, timeout=stall_timeout_s) as response,
        ):
            start = _start(response, part, have, size_bytes, host)
            _receive(response, part, start, size_bytes, progress, cancel, stall_timeout_s, host)
    except requests.exceptions.SSLError as error:
        raise TransferError(f"the certificate of {host} is not trusted ({_first(error)})", False) from None
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise TransferError(f"{host} sent nothing for {stall_timeout_s:g} seconds") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TransferError(f"the connection to {host} broke ({_first(error)})") from None
    except OSError as error:
        raise TransferError(f"{part} cannot be written ({error.strerror or error})", False) from None


def remove_part(part: Path) -> None:
    """Removes a partial file and what was noted about it."""
    for path in (part, _etag_file(part)):
        path.unlink(missing_ok=True)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where the answer points to, refused before anything is sent there without encryption."""
        target = super().get_redirect_target(resp)
        if target is not None:
            _checked_host(urljoin(resp.url, target))
        return target


def _session(url: str) -> requests.Session:
    session = _Session()
    # A proxy of the environment cannot reach this machine's own servers.
    session.trust_env = not _is_loopback(urlsplit(url).hostname or "")
    return session


def _headers(part: Path, have: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity", "User-Agent": "samantic"}
    if have:
        headers["Range"] = f"bytes={have}-"
        etag = _etag_file(part)
        if etag.is_file():
            headers["If-Range"] = etag.read_text(encoding="latin-1")
    return headers


def _start(response: requests.Response, part: Path, have: int, size_bytes: int, host: str) -> int:
    """The byte at which the answer begins, after throwing away what does not fit to it."""
    status = response.status_code
    if status == 416:
        part.unlink(missing_ok=True)
        raise TransferError(f"{host} cannot go on from byte {have}")
    if status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            part.unlink(missing_ok=True)
            raise TransferError(f"{host} went on from another byte than {have}")
        _check_size(match[2], size_bytes, host)
        return have
    if status != 200:
        raise TransferError(f"{host} answered {status} {response.reason or ''}".rstrip(), status in _BUSY)
    _check_size(response.headers.get("Content-Length", "*"), size_bytes, host)
    etag = response.headers.get("ETag", "")
    # A weak ETag does not promise the same bytes.
    if etag.startswith('"'):
        _etag_file(part).write_text(etag, encoding="latin-1")
    else:
        _etag_file(part).unlink(missing_ok=True)
    part.write_bytes(b"")
    return 0


def _check_size(offered: str, size_bytes: int, host: str) -> None:
    if offered.isdigit() and int(offered) != size_bytes:
        raise TransferError(f"{host} offers a file of {offered} bytes, expected {size_bytes}", False)


def _receive(
    response: requests.Response,
    part: Path,
    start: int,
    size_bytes: int,
    progress: Progress | None,
    cancel: threading.Event,
    stall_timeout_s: float,
    host: str,
) -> None:
    done = start
    window_began, window_done = time.monotonic(), done
    with part.open("ab") as file:
        while block := response.raw.read1(_BLOCK_BYTES, decode_content=False):
            if done + len(block) > size_bytes:
                file.truncate(0)
                raise TransferError(f"{host} sent more than the {size_bytes} bytes expected", False)
            file.write(block)
            done += len(block)
            if progress is not None:
                progress(done, size_bytes)
            if cancel.is_set():
                raise TransferError("it was cancelled", False)
            # A trickle would keep the socket's own timeout from ever passing.
            now = time.monotonic()
            if now - window_began > stall_timeout_s:
                if done - window_done < _SLOWEST_BYTES_PER_S * (now - window_began):
                    raise TransferError(f"{host} sent only {done - window_done} bytes in {stall_timeout_s:g} seconds")
                window_began, window_done = now, done
    if done < size_bytes:
        raise TransferError(f"{host} ended the connection after {done} of {size_bytes} bytes")


def _checked_host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise TransferError(f"{host or url[:60]} is not asked without encryption (https)", False)
    return host


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _etag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _first(error: BaseException) -> str:
    return str(error).split("\n")[0][:160] or type(error).__name__
