"""Requests to one server: time limits, certificates, logins, and every failure as a sentence."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util.ssl_ import create_urllib3_context

from SamanticLib.cancellation import current_cancellation
from SamanticLib.errors import BadAnswer, Cancelled, SamanticError, ServerSlow, file_error
from SamanticLib.exchange import Exchange, Head
from SamanticLib.failures import network_error, raise_for_status
from SamanticLib.multipart import Upload

MOST_JSON = 64 << 20
MOST_HANGING = 4
"""Requests that nobody waits for any more, but that the server still works on; it works on four at once."""

LOOK_S = 0.02


@dataclass(frozen=True)
class Reply:
    """A whole answer, content and all."""

    content: bytes
    content_type: str

    def json(self) -> Any:
        """Return the content as JSON. Raises BadAnswer if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise BadAnswer(
                f"The server's answer is not JSON but begins with '{shown(self.content[:60])}'. Is this the address of "
                "a Samantic server?"
            ) from error


class Transport:
    """Speaks HTTP with one server, from several threads. TLS certificates are always verified; redirects are refused.

    certificate_file: PEM with authorities to trust beside the usual ones. Raises SamanticError for an address that is
    none and a file that holds no certificate. Source: ours.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        connect_timeout_s: float,
        read_timeout_s: float,
        certificate_file: str | Path | None,
    ) -> None:
        self.url = checked_url(url)
        self.login = BearerLogin(token)
        self._timeouts = (connect_timeout_s, read_timeout_s)
        self._session = requests.Session()
        # A hospital's proxy cannot lead to this very machine.
        self._session.trust_env = not is_this_machine(self.url)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # An Authorization header of ours would lose against a .netrc file; this way of logging in does not.
        self._session.auth = self.login
        self._session.headers["Accept-Encoding"] = "identity"
        if certificate_file is not None:
            self._session.mount("https://", _TrustingAdapter(Path(certificate_file)))
        self._given_up: list[threading.Thread] = []
        self._lock = threading.Lock()

    def json(self, method: str, path: str, **asked: Any) -> Any:
        """Ask and return the JSON of the answer; arguments as for `reply`."""
        return self.reply(method, path, most_bytes=MOST_JSON, **asked).json()

    def reply(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        upload: Upload | None = None,
        most_bytes: int = MOST_JSON,
        repeatable: bool = False,
    ) -> Reply:
        """Ask and return the whole answer. body: JSON to send. upload: parts to send, open.

        repeatable: asking twice does no harm; it is asked once more if a connection kept from before was closed by the
        server. Raises every kind of SamanticError but DiskFull.
        """
        with self.streamed(method, path, query, body, upload, most_bytes, repeatable) as (head, blocks):
            return Reply(b"".join(blocks), head.headers.get("Content-Type", ""))

    @contextmanager
    def streamed(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        upload: Upload | None = None,
        most_bytes: int = MOST_JSON,
        repeatable: bool = False,
    ) -> Iterator[tuple[Head, Iterator[bytes]]]:
        """Ask, and yield the head of a good answer and its content piece by piece; otherwise as `reply`."""
        self._wait_for_room()
        headers = {} if upload is None else {"Content-Type": upload.content_type}
        exchange: Exchange

        def ask() -> requests.Response:
            return self._session.request(
                method,
                self.url + path,
                params=dict(query or {}),
                json=body,
                data=None if upload is None else _Watched(upload, exchange.heard),
                headers=headers,
                timeout=self._timeouts,
                stream=True,
                allow_redirects=False,
            )

        exchange = Exchange(
            again_if_closed(ask, upload) if repeatable else ask,
            sum(self._timeouts),
            lambda error: network_error(error, self.url, self._timeouts),
        )
        try:
            with exchange.under_way() as head:
                if head.status != 200:
                    detail = b"".join(exchange.content(head, MOST_JSON))
                    raise_for_status(head, detail, self.url)
                yield head, exchange.content(head, most_bytes)
        finally:
            with self._lock:
                self._given_up.append(exchange.thread)

    def _wait_for_room(self) -> None:
        """Let requests end that were given up, so that an impatient person does not fill the server's queue."""
        cancellation, until = current_cancellation(), time.monotonic() + sum(self._timeouts)
        while not self._has_room():
            if time.monotonic() > until:
                raise ServerSlow(f"{MOST_HANGING} earlier requests to {self.url} still hang. Ask who runs the server.")
            if cancellation.wait(LOOK_S):
                raise Cancelled("This was cancelled.")

    def _has_room(self) -> bool:
        with self._lock:
            self._given_up = [thread for thread in self._given_up if thread.is_alive()]
            return len(self._given_up) < MOST_HANGING


class BearerLogin(AuthBase):
    """Puts the token into each request, if there is one, and keeps every other login out of it."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def again_if_closed(ask: Callable[[], requests.Response], upload: Upload | None) -> Callable[[], requests.Response]:
    """Return what asks a second time where the server closed the connection before it said anything."""

    def twice() -> requests.Response:
        try:
            return ask()
        except requests.ConnectionError as error:
            if "RemoteDisconnected" not in repr(error) and "ConnectionResetError" not in repr(error):
                raise
            if upload is not None:
                upload.rewind()
            return ask()

    return twice


def checked_url(url: str) -> str:
    """Return the address of a server without its last slash. Raises SamanticError for one that is none."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or re.search(r"\s", text):
        raise SamanticError(f"'{url[:200]}' is not the address of a server; give one like http://127.0.0.1:8000.")
    if parts.username or parts.password:
        raise SamanticError("The address of a server cannot hold a name or a password; log in with a token instead.")
    return text


def is_this_machine(url: str) -> bool:
    """Return whether an address is one of this machine itself."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def path_of(*words: str) -> str:
    """Return a path of an address whose words may hold anything."""
    return "/" + "/".join(quote(word, safe="") for word in words)


def shown(content: bytes) -> str:
    """Return bytes of anybody's as text for one line."""
    return "".join(c if c.isprintable() else " " for c in content.decode("utf-8", "replace")).strip()


class _Watched:
    """An upload that tells when a piece of it is taken."""

    def __init__(self, upload: Upload, on_read: Callable[[], None]) -> None:
        self._upload = upload
        self._on_read = on_read

    def __len__(self) -> int:
        return len(self._upload)

    def read(self, size: int = -1) -> bytes:
        self._on_read()
        return self._upload.read(size)


class _TrustingAdapter(HTTPAdapter):
    """Trusts the authorities in a file beside the usual ones."""

    def __init__(self, certificate_file: Path) -> None:
        # Python's own context cannot check addresses of numbers under the older urllib3 that Slicer brings.
        self._context = create_urllib3_context()
        try:
            self._context.load_verify_locations(cafile=certificate_file)
        except ssl.SSLError as error:
            raise SamanticError(f"'{certificate_file}' holds no certificate; give a file in the format PEM.") from error
        except OSError as error:
            raise file_error(error, "certificates", certificate_file) from error
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **named)

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        return super().proxy_manager_for(*arguments, ssl_context=self._context, **named)
