"""Requests and answers of several parts (RFC 7578): sent from the disk piece by piece, read with nothing trusted."""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from SamanticLib.errors import BadAnswer, file_error

MOST_PARTS = 16


@dataclass(frozen=True)
class UploadedFile:
    """A file to send: the part that it is, and the name that the server sees, of which it reads the ending."""

    part: str
    path: Path
    name: str


class Upload:
    """A body of text fields and at most one file; `requests` reads it as a file of known length, and so do retries.

    Opened when entered. Raises SamanticError for a file that cannot be read.
    """

    def __init__(self, fields: Mapping[str, str], file: UploadedFile | None = None) -> None:
        self._boundary = f"samantic-{secrets.token_hex(16)}"
        head = b"".join(self._field(name, value) for name, value in fields.items())
        self._file = file
        self._opened: IO[bytes] | None = None
        self._pieces: list[IO[bytes]] = []
        if file is not None:
            head += (
                f'--{self._boundary}\r\nContent-Disposition: form-data; name="{file.part}"; filename="{file.name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
        self._head = head
        self._tail = ("\r\n" if file is not None else "").encode() + f"--{self._boundary}--\r\n".encode()
        self._length = len(self._head) + len(self._tail)

    def __enter__(self) -> Upload:
        """Open the file."""
        size = 0
        if self._file is not None:
            try:
                self._opened = self._file.path.open("rb")
                size = os.fstat(self._opened.fileno()).st_size
            except OSError as error:
                raise file_error(error, "what is to be sent", self._file.path) from error
        self._length = len(self._head) + size + len(self._tail)
        self.rewind()
        return self

    def __exit__(self, *_: Any) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()

    def __len__(self) -> int:
        """Number of bytes."""
        return self._length

    @property
    def content_type(self) -> str:
        """What stands in the request's header."""
        return f"multipart/form-data; boundary={self._boundary}"

    def rewind(self) -> None:
        """Begin again."""
        if self._opened is not None:
            self._opened.seek(0)
        pieces = (io.BytesIO(self._head), self._opened, io.BytesIO(self._tail))
        self._pieces = [piece for piece in pieces if piece is not None]

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, b"" at the end."""
        while self._pieces:
            block = self._pieces[0].read(size)
            if block:
                return block
            self._pieces.pop(0)
        return b""

    def _field(self, name: str, value: str) -> bytes:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def parts_of(content: bytes, content_type: str) -> dict[str, bytes]:
    """Return part name -> content of a multipart answer.

    Raises BadAnswer for what is not whole: no boundary, no end, parts without a name or with the same one.
    """
    boundary = re.search(r'boundary="?([^";,\s]{1,200})"?', content_type)
    if boundary is None:
        raise BadAnswer(f"The server's answer says it is '{content_type[:60]}', without what separates its parts.")
    separator = b"--" + boundary[1].encode("ascii", "replace")
    pieces = (b"\r\n" + content).split(b"\r\n" + separator, MOST_PARTS + 1)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise BadAnswer("The server's answer came without its end. Ask again.")
    parts: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, blank, body = piece.partition(b"\r\n\r\n")
        name = re.search(rb'[;\s]name="([^"]{1,80})"', head)
        if not blank or name is None or name[1].decode("utf-8", "replace") in parts:
            raise BadAnswer("The server's answer has a part that cannot be told from the others.")
        parts[name[1].decode("utf-8", "replace")] = body
    return parts
