import gzip
import zlib

import numpy as np
import pytest

from samantic.imaging.sparse_deflate import BLOCK, gzip_stream, zlib_stream


def sample(size: int, runs: list[tuple[int, int]]) -> np.ndarray:
    data = np.zeros(size, np.uint8)
    random = np.random.default_rng(size)
    for start, stop in runs:
        data[start:stop] = random.integers(1, 255, min(stop, size) - start)
    return data


CASES = {
    "nothing": sample(0, []),
    "one zero": sample(1, []),
    "zeros only": sample(5 * BLOCK, []),
    "zeros and a bit": sample(5 * BLOCK + 17, []),
    "no zeros": sample(3 * BLOCK, [(0, 3 * BLOCK)]),
    "the first byte": sample(4 * BLOCK, [(0, 1)]),
    "the last byte": sample(4 * BLOCK, [(4 * BLOCK - 1, 4 * BLOCK)]),
    "across a border": sample(4 * BLOCK + 5, [(2 * BLOCK - 3, 2 * BLOCK + 3)]),
    "alternating": sample(7 * BLOCK, [(BLOCK, 2 * BLOCK), (3 * BLOCK, 4 * BLOCK), (5 * BLOCK, 5 * BLOCK + 1)]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("head", [b"", b"header"])
def test_gzip_unpacks_to_the_same_bytes_and_checksum(name: str, head: bytes) -> None:
    stream = b"".join(gzip_stream(head, CASES[name]))
    assert gzip.decompress(stream) == head + CASES[name].tobytes()
    inflater = zlib.decompressobj(zlib.MAX_WBITS + 16)
    inflater.decompress(stream)
    assert inflater.eof
    assert inflater.unused_data == b""  # one member, which every reader understands


@pytest.mark.parametrize("name", CASES)
def test_zlib_unpacks_to_the_same_bytes_and_checksum(name: str) -> None:
    assert zlib.decompress(b"".join(zlib_stream(CASES[name]))) == CASES[name].tobytes()


def test_zeros_take_next_to_no_room() -> None:
    assert len(b"".join(gzip_stream(b"", CASES["zeros only"]))) < 5 * BLOCK / 200
