"""Deflate for label maps, which are mostly zeros: blocks of zeros are compressed once and copied from then on.

A full flush ends a deflate block at a byte and forgets the window, so pieces compressed apart can stand in one stream
(as parallel gzip tools do it). The result is one ordinary gzip or zlib stream. Source: ours; RFC 1950 to 1952.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

BLOCK = 1 << 18
LEVEL = 1  # higher levels cost a click more time than they save on the wire
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
ZLIB_HEADER = b"\x78\x01"


def gzip_stream(head: bytes, data: np.ndarray) -> Iterator[bytes]:
    """One gzip member, in pieces, of the bytes `head` followed by the bytes of `data` (N,) uint8."""
    checksum = zlib.crc32(head)
    yield GZIP_HEADER
    if head:
        yield _deflated(head)
    for block in _blocks(data):
        if _is_zero_block(block):
            checksum = _crc32_after_zeros(checksum)
            yield _zero_block()
        else:
            checksum = zlib.crc32(block.data, checksum)
            yield _deflated(block.data)
    yield _end() + struct.pack("<II", checksum, (len(head) + data.size) & 0xFFFFFFFF)


def zlib_stream(data: np.ndarray) -> Iterator[bytes]:
    """One zlib stream, in pieces, of the bytes of `data` (N,) uint8."""
    checksum = 1
    yield ZLIB_HEADER
    for block in _blocks(data):
        checksum = zlib.adler32(block.data, checksum)
        yield _zero_block() if _is_zero_block(block) else _deflated(block.data)
    yield _end() + struct.pack(">I", checksum)


def _blocks(data: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, data.size, BLOCK):
        yield data[start : start + BLOCK]


def _is_zero_block(block: np.ndarray) -> bool:
    return block.size == BLOCK and not block.any()


def _deflated(piece: bytes | memoryview) -> bytes:
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(piece) + deflater.flush(zlib.Z_FULL_FLUSH)


@lru_cache(maxsize=1)
def _zero_block() -> bytes:
    return _deflated(bytes(BLOCK))


@lru_cache(maxsize=1)
def _end() -> bytes:
    return zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS).flush(zlib.Z_FINISH)


def _crc32_after_zeros(checksum: int) -> int:
    # A CRC is linear over bits, up to a constant: what each bit becomes after a block of zeros is worked out once.
    constant, bits = _crc32_zero_operator()
    result = constant
    for bit, effect in enumerate(bits):
        if checksum >> bit & 1:
            result ^= effect
    return result


@lru_cache(maxsize=1)
def _crc32_zero_operator() -> tuple[int, tuple[int, ...]]:
    zeros = bytes(BLOCK)
    constant = zlib.crc32(zeros, 0)
    return constant, tuple(zlib.crc32(zeros, 1 << bit) ^ constant for bit in range(32))
