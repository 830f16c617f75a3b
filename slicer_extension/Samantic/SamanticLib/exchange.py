"""One request and its answer, in a thread of its own, so that who waits for it can stop waiting at any moment."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests

from SamanticLib.cancellation import current_cancellation
from SamanticLib.errors import BadAnswer, Cancelled, SamanticError, ServerSlow

BLOCK = 1 << 16
BLOCKS_AHEAD = 16
SLOWEST_PACE = 1024
"""Bytes a second: an answer that drips more slowly than that, for longer than the time limit, is given up."""

_WAKE = object()
_END = object()


@dataclass(frozen=True)
class Head:
    """The beginning of an answer."""

    status: int
    headers: Mapping[str, str]


class Exchange:
    """What has come of a request so far; only the thread that began it reads it.

    ask: sends the request and returns the answer, whose content has not been read. limit_s: the longest silence.
    translate: what to raise for an error of the network. The thread holds nothing but the connection: when its reader
    stops, it ends by itself as soon as the network lets it. Source: ours.
    """

    def __init__(
        self, ask: Callable[[], requests.Response], limit_s: float, translate: Callable[[Exception], SamanticError]
    ) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._translate = translate
        self._arrived: queue.Queue[Any] = queue.Queue(BLOCKS_AHEAD)
        self._left = threading.Event()
        self._heard = time.monotonic()
        self._cancellation = current_cancellation()
        self.thread = threading.Thread(target=self._run, name="samantic-request", daemon=True)

    @contextmanager
    def under_way(self) -> Iterator[Head]:
        """Begin, yield the head of the answer, and leave the rest alone after the block."""
        with self._cancellation.calling(self._wake):
            try:
                self.thread.start()
                yield self._next()
            finally:
                self._left.set()

    def heard(self) -> None:
        """Note that something moved, such as a piece of what is sent. Raises Cancelled when nobody waits any more."""
        self._heard = time.monotonic()
        if self._left.is_set():
            raise Cancelled("Nobody waits for this answer any more.")

    def content(self, head: Head, most_bytes: int) -> Iterator[bytes]:
        """Yield the content piece by piece.

        Raises BadAnswer for more than `most_bytes` and for other than the announced length, ServerSlow, Cancelled, and
        what `translate` makes of an error of the network.
        """
        began, count, announced = time.monotonic(), 0, announced_length(head)
        if announced is not None and announced > most_bytes:
            raise BadAnswer(f"The server's answer has {announced} bytes; at most {most_bytes} are read.")
        while (block := self._next()) is not _END:
            count += len(block)
            seconds = time.monotonic() - began
            if count > most_bytes:
                raise BadAnswer(f"The server's answer is longer than {most_bytes} bytes; no more are read.")
            if seconds > self._limit_s and count < SLOWEST_PACE * seconds:
                raise self._slow()
            yield block
        if announced is not None and count != announced:
            # Older versions of urllib3 do not notice it.
            raise self._translate(ConnectionError(f"{count} of {announced} bytes came"))

    def _next(self) -> Any:
        while True:
            if self._cancellation.is_cancelled():
                raise Cancelled("This was cancelled.")
            left_s = self._heard + self._limit_s - time.monotonic()
            try:
                item = self._arrived.get(timeout=max(left_s, 0.001))
            except queue.Empty:
                if self._heard + self._limit_s <= time.monotonic():
                    raise self._slow() from None
                continue
            if item is _WAKE:
                continue
            if isinstance(item, SamanticError):
                raise item
            if isinstance(item, Exception):
                raise self._translate(item) from item
            return item

    def _slow(self) -> ServerSlow:
        return ServerSlow(
            f"The server has taken longer than {self._limit_s:g} s to answer. It may be busy: try again, or allow it "
            "more time."
        )

    def _wake(self) -> None:
        with suppress(queue.Full):  # then the reader is awake
            self._arrived.put_nowait(_WAKE)

    def _run(self) -> None:
        try:
            with self._ask() as response:
                self._hand_over(Head(response.status_code, response.headers))
                for block in response.iter_content(BLOCK):
                    self._hand_over(block)
            self._hand_over(_END)
        except Exception as error:  # whatever it is, the reader is the one to tell
            with suppress(Cancelled):
                self._hand_over(error)

    def _hand_over(self, item: Any) -> None:
        while True:
            self.heard()
            with suppress(queue.Full):
                self._arrived.put(item, timeout=0.5)
                return


def announced_length(head: Head) -> int | None:
    """Return how many bytes an answer says it has, None if it does not say. Raises BadAnswer for nonsense."""
    length = head.headers.get("Content-Length")
    if length is None or head.headers.get("Content-Encoding", "identity") != "identity":
        return None
    if not length.isdigit():
        raise BadAnswer(f"The server's answer says its length is '{length[:40]}'.")
    return int(length)
