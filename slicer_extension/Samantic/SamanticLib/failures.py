"""Errors of the network and of the server -> sentences for a person."""

from __future__ import annotations

import json
import re

import requests
import urllib3

from SamanticLib.errors import (
    BadAnswer,
    CertificateWrong,
    LoginNeeded,
    RequestRefused,
    SamanticError,
    ServerAway,
    ServerFailed,
    ServerSlow,
)
from SamanticLib.exchange import Head

LONGEST_DETAIL = 500


def network_error(error: Exception, url: str, timeouts: tuple[float, float]) -> SamanticError:
    """Return what an error of `requests` means. timeouts: seconds to connect and to wait, as they were."""
    chain = " ".join(repr(one) for one in _chain(error))
    if isinstance(error, requests.exceptions.SSLError) or "SSLError" in chain or "SSLCertVerificationError" in chain:
        return _tls_error(chain, url)
    if isinstance(error, requests.ConnectTimeout):
        return ServerAway(
            f"The server at {url} did not answer within {timeouts[0]:g} s. Is the address right, and is it running?"
        )
    if isinstance(error, requests.ReadTimeout) or any(
        isinstance(one, urllib3.exceptions.ReadTimeoutError) for one in _chain(error)
    ):
        return ServerSlow(
            f"The server at {url} has taken longer than {timeouts[1]:g} s to answer. It may be busy: try again, or "
            "allow it more time."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return ServerAway(f"The proxy on the way to {url} does not let it through. Ask who runs the network.")
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or type(error) is ConnectionError:
        return ServerAway(
            f"The connection to {url} broke in the middle of the answer; nothing of it was used. Try again."
        )
    if isinstance(error, requests.ConnectionError):
        if "RemoteDisconnected" in chain or "ConnectionResetError" in chain or "BrokenPipeError" in chain:
            return ServerAway(f"The server at {url} closed the connection without an answer. Try again.")
        return ServerAway(f"Nobody answers at {url}. Is the address right, and is the server running?")
    if isinstance(error, requests.RequestException):
        return BadAnswer(f"What came from {url} is no answer of a web server ({type(error).__name__}).")
    return SamanticError(f"The request to {url} failed: {type(error).__name__}: {str(error)[:200]}.")


def raise_for_status(head: Head, content: bytes, url: str) -> None:
    """Raise the error that an answer other than 200 stands for, with the server's own sentence where it has one."""
    status, detail = head.status, _detail(content)
    if status in (401, 403):
        why = f" It says: {detail}" if detail else ""
        if status == 401:
            raise LoginNeeded(f"The server at {url} wants a login, or yours has expired.{why} Log in again.")
        raise LoginNeeded(f"The server at {url} does not allow you this.{why}")
    if 300 <= status < 400:
        target = head.headers.get("Location", "")[:200]
        raise BadAnswer(f"{url} sends on to '{target}', which is not followed. Give that address if you trust it.")
    if 400 <= status < 500:
        raise RequestRefused(detail or f"The server at {url} refused this ({status}) without a reason.", status, detail)
    if status >= 500:
        said = detail or "It gave no reason."
        raise ServerFailed(f"The server at {url} could not do this ({status}). {said} Try again later.", status)
    raise BadAnswer(f"The server at {url} answered with the status {status}, which says nothing here.")


def _detail(content: bytes) -> str:
    try:
        detail = json.loads(content)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if not isinstance(detail, str):
        return ""
    plain = "".join(c if c.isprintable() else " " for c in detail).strip()
    return plain if len(plain) <= LONGEST_DETAIL else f"{plain[:LONGEST_DETAIL]}…"


def _tls_error(chain: str, url: str) -> SamanticError:
    if "CERTIFICATE_VERIFY_FAILED" in chain or "doesn't match" in chain:
        reason = re.search(r"certificate verify failed: ([^(\"']+)", chain)
        why = f": {reason[1].strip()}" if reason else ""
        return CertificateWrong(
            f"The certificate of {url} is not trusted here{why}. If you know this server, give the certificate of its "
            "authority as the certificate file; otherwise do not go on."
        )
    return ServerAway(f"{url} does not speak TLS. If the server has no certificate, its address begins with http://.")


def _chain(error: BaseException) -> list[BaseException]:
    """The error and all that it was made of."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop()
        found.append(one)
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [other for other in inner if isinstance(other, BaseException) and other not in found]
    return found
