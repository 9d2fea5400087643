"""Decompress what COPY reads, as it arrives.

"File compression parameters" (https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-file-compression.html).
LZOP is refused: no maintained library reads it.
"""

from __future__ import annotations

import bz2
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from backports import zstd

from sparkify.warehouse.postgres.copy.errors import BAD_COMPRESSION, CopyError, Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST = 256 * 1024  # bytes that one step gives at most, however well the data is compressed


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
    """A way to compress.

    :param decompressor: returns one that reads a single stream; a file may hold several, one after the other.
    :param error: what it raises for invalid data.
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

    :param pieces: the file, cut anywhere; it may be one stream or several, one after the other.
    :param name: of the format, from :data:`FORMATS`.
    :param url: of the file, for the errors.
    :raises CopyError: if the file is not in that format, damaged, or not whole.
    """
    decompressor, invalid, padding = FORMATS[name]
    stream = decompressor()
    begun = False
    for piece in pieces:
        data = piece
        while data or not (stream.needs_input or stream.eof):
            if stream.eof:
                data = data.lstrip(padding)
                if not data:
                    break
                stream = decompressor()
            begun = True
            try:
                content = stream.decompress(data, _MOST)
            except invalid as error:
                raise _damaged(
                    url,
                    f"is not an intact {name} file: {error}. "
                    f"Remedy: leave out {name.upper()} if the file is not compressed so, else write the object again.",
                ) from None
            yield content
            data = stream.unused_data
    if begun and not stream.eof:
        raise _damaged(url, f"ends in the middle of its {name} data. Remedy: write the object again, whole.")


def _damaged(url: str, reason: str) -> CopyError:
    return CopyError(f"{url} {reason}", rejects=[Reject(url, 0, BAD_COMPRESSION, reason)])
