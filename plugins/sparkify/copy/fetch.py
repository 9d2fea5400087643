"""Fetch objects from S3: many small ones at once, a large one in pieces, always in the order asked for."""

from __future__ import annotations

import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import obstore
import tenacity
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from sparkify.copy.errors import CopyError
from sparkify.copy.s3 import S3_ERRORS, S3Object, explain

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from obstore import BytesStream
    from obstore.store import S3Store

    from sparkify.copy.s3 import OpenStore

AT_ONCE = 16  # requests in flight
AHEAD = 32  # small objects that may wait in memory
SMALL = 512 * 1024  # bytes; an object up to this size is fetched whole
PIECE = 256 * 1024  # bytes; larger ones come in pieces of about this size


class Fetcher:
    """Reads the objects of one COPY.

    :param open_store: opens a bucket; called once for each.
    :ivar objects: how many objects were read.
    :ivar size: how many bytes they had, as stored.
    """

    def __init__(self, open_store: OpenStore) -> None:
        self.objects = 0
        self.size = 0
        self._open_store = open_store
        self._stores: dict[str, S3Store] = {}

    def store(self, bucket: str) -> S3Store:
        """Return the store of a bucket."""
        if bucket not in self._stores:
            self._stores[bucket] = self._open_store(bucket)
        return self._stores[bucket]

    def read(self, objects: Iterable[S3Object]) -> Generator[tuple[S3Object, Iterator[bytes]]]:
        """Yield each object that exists with its content, in order; the content must be used up before the next.

        :raises CopyError: when one cannot be read whole, or a mandatory one is missing.
        """
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="copy")
        try:
            remaining = iter(objects)
            waiting = deque(self._start(pool, item) for item in islice(remaining, AHEAD))
            while waiting:
                item, future = waiting.popleft()
                waiting.extend(self._start(pool, following) for following in islice(remaining, 1))
                try:
                    content = future.result() if future else None
                except FileNotFoundError as error:
                    if item.mandatory or "NoSuchBucket" in str(error):
                        raise explain(error, item.bucket, item.key) from None
                    continue
                except S3_ERRORS as error:
                    raise explain(error, item.bucket, item.key) from None
                self.objects += 1
                yield item, self._whole(item, content) if content is not None else self._pieces(pool, item)
        finally:
            pool.shutdown(cancel_futures=True)

    def _start(self, pool: ThreadPoolExecutor, item: S3Object) -> tuple[S3Object, Future[bytes | None] | None]:
        store = self.store(item.bucket)
        large = item.size is not None and item.size > SMALL
        return item, None if large else pool.submit(_fetch, store, item)

    def _whole(self, item: S3Object, content: bytes) -> Iterator[bytes]:
        self.size += len(content)
        self._check(item, len(content), len(content))
        yield content

    def _pieces(self, pool: ThreadPoolExecutor, item: S3Object) -> Iterator[bytes]:
        """Yield a large object piece by piece; while one is worked on, the next arrives."""
        received = 0
        try:
            result = obstore.get(self.store(item.bucket), item.key)
            announced = result.meta["size"]
            stream = iter(result.stream(PIECE))
            arriving = pool.submit(_next_piece, stream)
            while (piece := arriving.result()) is not None:
                arriving = pool.submit(_next_piece, stream)
                received += len(piece)
                self.size += len(piece)
                yield piece
        except S3_ERRORS as error:
            raise explain(error, item.bucket, item.key) from None
        self._check(item, received, announced)

    @staticmethod
    def _check(item: S3Object, received: int, announced: int) -> None:
        expected = announced if item.size is None else item.size
        if not received == announced == expected:
            raise CopyError(
                f"{item.url} came with {received} bytes instead of {expected}: the transfer broke, or the object was "
                "replaced meanwhile. Remedy: run the COPY again; nothing was loaded."
            )


# The client repeats requests that fail for a second or two, but not one whose answer breaks off.
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(S3_ERRORS)
    & tenacity.retry_if_not_exception_type((FileNotFoundError, PermissionDeniedError, UnauthenticatedError)),
    stop=tenacity.stop_after_delay(15),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=3),
    reraise=True,
)
def _fetch(store: S3Store, item: S3Object) -> bytes | None:
    """Return a small object's content; None for one that turns out to be large."""
    if item.size == 0:  # nothing to ask for; also the marker of a folder, whose key S3 clients cannot address
        return b""
    result = obstore.get(store, item.key)
    if result.meta["size"] > SMALL:
        return None
    content = bytes(result.bytes())
    if len(content) != result.meta["size"]:
        raise OSError("the body is shorter than announced")
    return content


def _next_piece(stream: BytesStream) -> bytes | None:
    piece = next(stream, None)
    return None if piece is None else bytes(piece)


def gunzip(pieces: Iterable[bytes], url: str) -> Iterator[bytes]:
    """Yield the content of a gzip file, of one or more members, in pieces of bounded size.

    :raises CopyError: when it is no gzip file, or not a whole one.
    """
    member = zlib.decompressobj(wbits=31)
    started = False
    for piece in pieces:
        data = piece
        while data:
            if member.eof:
                data = data.lstrip(b"\0")  # gzip files may be padded with zeros
                if not data:
                    break
                member = zlib.decompressobj(wbits=31)
            started = True
            try:
                yield member.decompress(data, PIECE)
            except zlib.error as error:
                raise CopyError(f"{url} is not a gzip file: {error}. Remedy: leave out GZIP, or compress it.") from None
            data = member.unconsumed_tail or member.unused_data
    if started and not member.eof:
        raise CopyError(f"{url} ends in the middle of its gzip data. Remedy: write the object again, whole.")
