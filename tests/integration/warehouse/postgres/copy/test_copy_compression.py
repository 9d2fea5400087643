"""COPY of compressed files ("File compression parameters")."""

from __future__ import annotations

import bz2
import gzip
import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.postgres.copy import CopySyntaxError
from sparkify.warehouse.postgres.copy.compression import decompress

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Loader

    Compress = Callable[[bytes], bytes]

LINES = b"".join(b'{"a": %d}\n' % number for number in range(9))
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00note"  # a frame of zstd without content: RFC 8878, 3.1.2


def compress_gzip(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)  # without the time, so that every test process has the same parameters


FORMATS: dict[str, Compress] = {"GZIP": compress_gzip, "BZIP2": bz2.compress, "ZSTD": zstd.compress}
every_format = pytest.mark.parametrize("option", FORMATS)


@every_format
def test_a_file_is_one_stream_or_several(loader: Loader, option: str):
    compress = FORMATS[option]
    loader.table("a int")
    several = compress(LINES[:15]) + compress(b"") + compress(LINES[15:])  # streams may end anywhere
    for number, content in enumerate([compress(LINES), several, b""]):
        loader.put(f"data/{number}", content)
    loader.copy("data/", option)
    assert loader.rows() == [(number,) for number in range(9) for _ in range(2)]


@pytest.mark.parametrize(
    ("option", "content"),
    [("GZIP", compress_gzip(LINES) + b"\0" * 700), ("ZSTD", SKIPPABLE + zstd.compress(LINES) + SKIPPABLE)],
)
def test_padding_and_skippable_frames_are_ignored(loader: Loader, option: str, content: bytes):
    loader.table("a int")
    loader.put("data", content)
    loader.copy("data", option)
    assert loader.rows() == [(number,) for number in range(9)]


def cut(compress: Compress) -> bytes:
    return compress(LINES)[:-1]


def cut_second(compress: Compress) -> bytes:
    return compress(LINES) + compress(LINES)[:-5]


def damaged(compress: Compress) -> bytes:
    """Change the checksum at the end; zstd has one only with a parameter."""
    options = {int(zstd.CompressionParameter.checksum_flag): 1}
    whole = zstd.compress(LINES, options=options) if compress is zstd.compress else compress(LINES)
    return whole[:-8] + bytes(255 - byte for byte in whole[-8:])


def followed(compress: Compress) -> bytes:
    return compress(LINES) + b"more than the magic number of any format"


def plain(compress: Compress) -> bytes:
    return LINES


@pytest.mark.parametrize(
    ("break_", "message"),
    [
        (cut, r"is truncated: its \w+ data is incomplete\. Remedy: write the object again"),
        (cut_second, r"is truncated: its \w+ data is incomplete"),
        (damaged, r"is not a valid \w+ file: "),
        (followed, r"is not a valid \w+ file: "),
        (plain, r"is not a valid \w+ file: .* Remedy: remove \w+ if"),
    ],
)
@every_format
def test_a_broken_file_loads_nothing(loader: Loader, option: str, break_: Callable[[Compress], bytes], message: str):
    loader.table("a int")
    loader.put("data/1", FORMATS[option](LINES))
    url = loader.put("data/2", break_(FORMATS[option]))
    with pytest.raises(CopyFailedError, match=f"^{url} {message}"):
        loader.copy("data/", f"{option} MAXERROR 1000")
    assert loader.rows() == []


@every_format
def test_a_file_in_another_format_is_an_error(loader: Loader, option: str):
    loader.table("a int")
    other = FORMATS["BZIP2" if option != "BZIP2" else "GZIP"]
    url = loader.put("data", other(LINES))
    with pytest.raises(CopyFailedError, match=f"^{url} is not a valid {option.lower()} file"):
        loader.copy("data", option)


@every_format
def test_a_file_larger_than_a_piece(loader: Loader, option: str):
    loader.table("id int, text varchar(200)")
    noise = random.Random(1)
    lines = b"".join(b'{"id": %d, "text": "%s"}\n' % (n, noise.randbytes(80).hex().encode()) for n in range(20_000))
    content = FORMATS[option](lines)
    assert len(content) > 1_000_000
    loader.put("data", content)
    assert loader.copy("data", option).rows == 20_000


@every_format
def test_memory_does_not_depend_on_the_compression_ratio(option: str):
    """64 MB of zeros are one small compressed piece, and decompressed in steps."""
    content = FORMATS[option](bytes(1 << 26))
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in decompress([content], option.lower(), "s3://b/k"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 1 << 26
    assert peak < 1 << 24


def test_lzop_is_refused_before_anything_is_read(loader: Loader):
    with pytest.raises(CopySyntaxError, match="option LZOP is not supported by the local engine"):
        loader.copy("s3://no-such-bucket/data", "LZOP", table="no_such_table")
