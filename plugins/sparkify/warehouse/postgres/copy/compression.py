"""Decompress files while they are fetched.

"File compression parameters" (https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-file-compression.html).
LZOP is not supported: no maintained library reads it.
"""

from __future__ import annotations

import bz2
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from backports import zstd

from sparkify.warehouse.copy_result import CopyFailedError, RejectedRow
from sparkify.warehouse.postgres.copy.errors import BAD_COMPRESSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MAX_PIECE = 256 * 1024  # bytes that one step returns, whatever the compression ratio


class _Gunzip:
    """zlib's decompressor of one gzip member, with the interface of bz2's and zstd's."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._member.decompress(self._member.unconsumed_tail + data, max_length)

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def needs_input(self) -> bool:
        return not self._member.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data


class _Format(NamedTuple):
    """A compression format.

    :param decompressor: returns a decompressor of a single stream; a file may be several concatenated streams.
    :param error: the exception that it raises for invalid data.
    :param padding: the byte that may follow the last stream.
    """

    decompressor: Callable[[], Any]
    error: type[Exception]
    padding: bytes = b""


# By the name of COPY's option, in lower case.
FORMATS = {
    "gzip": _Format(_Gunzip, zlib.error, b"\0"),
    "bzip2": _Format(bz2.BZ2Decompressor, OSError),
    "zstd": _Format(zstd.ZstdDecompressor, zstd.ZstdError),
}


def decompress(pieces: Iterable[bytes], name: str, url: str) -> Iterator[bytes]:
    """Yield the content of a compressed file in pieces of bounded size.

    :param pieces: the file, in pieces of any size; it may be several concatenated streams.
    :param name: the format, one of :data:`FORMATS`.
    :param url: the file's URL, for errors.
    :raises CopyFailedError: if the file is in another format, corrupt, or truncated.
    """
    decompressor, invalid, padding = FORMATS[name]
    stream = decompressor()
    started = False
    for piece in pieces:
        data = piece
        while data or not (stream.needs_input or stream.eof):
            if stream.eof:
                data = data.lstrip(padding)
                if not data:
                    break
                stream = decompressor()
            started = True
            try:
                content = stream.decompress(data, _MAX_PIECE)
            except invalid as error:
                raise _corrupt(
                    url,
                    f"is not a valid {name} file: {error}. "
                    f"Remedy: remove {name.upper()} if the file is not compressed so, or write the object again.",
                ) from None
            yield content
            data = stream.unused_data
    if started and not stream.eof:
        raise _corrupt(url, f"is truncated: its {name} data is incomplete. Remedy: write the object again.")


def _corrupt(url: str, reason: str) -> CopyFailedError:
    return CopyFailedError(f"{url} {reason}", [RejectedRow(url, 0, "", BAD_COMPRESSION, reason)])
