"""Fetch objects from S3 in order: many small objects concurrently, a large object in pieces."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import obstore
import tenacity
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from sparkify.s3 import ERRORS, explain
from sparkify.warehouse.copy_result import CopyFailedError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator, Sequence

    from obstore import BytesStream
    from obstore.store import S3Store

    from sparkify.s3 import OpenStore, S3Object

    Fetched = tuple[S3Object, bytes | None]

AT_ONCE = 16  # concurrent requests
AHEAD = 32  # portions that are fetched ahead
PORTION = 16  # small objects per task of the pool; a task for each object would cost more than its read
SMALL = 512 * 1024  # bytes; up to this size an object is fetched in one piece; the limit of a portion, too
PIECE = 256 * 1024  # bytes; the approximate size of the pieces of larger objects
_FINAL = (FileNotFoundError, PermissionDeniedError, UnauthenticatedError)  # a retry cannot succeed


class Fetcher:
    """Reads the objects of one COPY.

    :param open_store: opens a bucket; called once per bucket.
    :ivar optional: objects that may be missing.
    :ivar objects: number of objects that were read.
    """

    def __init__(self, open_store: OpenStore) -> None:
        self.objects = 0
        self._open_store = open_store
        self.optional: Collection[S3Object] = ()
        self._stores: dict[str, S3Store] = {}

    def store(self, bucket: str) -> S3Store:
        """Return the store of a bucket."""
        if bucket not in self._stores:
            self._stores[bucket] = self._open_store(bucket)
        return self._stores[bucket]

    def read(self, objects: Sequence[S3Object]) -> Generator[tuple[S3Object, Iterable[bytes]]]:
        """Yield each existing object with its content, in order; the content must be consumed before the next object.

        :raises CopyFailedError: if the content of an object is incomplete.
        :raises S3Error: if an object cannot be read, or is missing and not optional.
        """
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="copy")
        try:
            remaining = _portions(objects)
            waiting = deque(self._start(pool, portion) for portion in islice(remaining, AHEAD))
            while waiting:
                fetched = waiting.popleft().result()
                waiting.extend(self._start(pool, portion) for portion in islice(remaining, 1))
                for item, content in fetched:
                    self.objects += 1
                    if content is None:
                        yield item, self._pieces(pool, item)
                    else:
                        self._check(item, len(content), len(content))
                        yield item, (content,)
        finally:
            pool.shutdown(cancel_futures=True)

    def _start(self, pool: ThreadPoolExecutor, portion: list[S3Object]) -> Future[list[Fetched]]:
        return pool.submit(_fetch_all, [(self.store(item.bucket), item) for item in portion], self.optional)

    def _pieces(self, pool: ThreadPoolExecutor, item: S3Object) -> Iterator[bytes]:
        """Yield a large object in pieces; the next piece is fetched while the caller processes one."""
        received = 0
        try:
            result = obstore.get(self.store(item.bucket), item.key)
            announced = result.meta["size"]
            stream = iter(result.stream(PIECE))
            arriving = pool.submit(_next_piece, stream)
            while (piece := arriving.result()) is not None:
                arriving = pool.submit(_next_piece, stream)
                received += len(piece)
                yield piece
        except ERRORS as error:
            raise explain(error, item.bucket, item.key) from None
        self._check(item, received, announced)

    @staticmethod
    def _check(item: S3Object, received: int, announced: int) -> None:
        expected = announced if item.size is None else item.size
        if not received == announced == expected:
            raise CopyFailedError(
                f"{item.url}: expected {expected} bytes, got {received}: the connection was closed, or the object was "
                "replaced meanwhile. Nothing was loaded. Remedy: run the COPY again.",
                terminal=False,
            )


def _portions(objects: Sequence[S3Object]) -> Iterator[list[S3Object]]:
    """Split objects into portions of a bounded size, small enough to fetch many concurrently."""
    most = min(PORTION, 1 + len(objects) // AHEAD)
    portion: list[S3Object] = []
    size = 0
    for item in objects:
        announced = SMALL if item.size is None else item.size
        if portion and (len(portion) == most or size + announced > SMALL):
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += announced
    if portion:
        yield portion


def _fetch_all(portion: list[tuple[S3Store, S3Object]], optional: Collection[S3Object]) -> list[Fetched]:
    """Return the existing objects with their content, which is None for a large object.

    :raises S3Error: if an object cannot be read, or is missing and not optional.
    """
    fetched: list[Fetched] = []
    for store, item in portion:
        try:
            fetched.append((item, _fetch(store, item)))
        except FileNotFoundError as error:
            if item not in optional or "NoSuchBucket" in str(error):
                raise explain(error, item.bucket, item.key) from None
        except ERRORS as error:
            raise explain(error, item.bucket, item.key) from None
    return fetched


def _fetch(store: S3Store, item: S3Object) -> bytes | None:
    """Return the content of a small object; None for a large object."""
    if item.size == 0:  # including markers of folders, whose keys S3 clients cannot address
        return b""
    if item.size is not None and item.size > SMALL:
        return None
    try:
        return _get(store, item.key)
    except _FINAL:
        raise
    except ERRORS:
        return _get_again(store, item.key)


def _get(store: S3Store, key: str) -> bytes | None:
    result = obstore.get(store, key)
    size = result.range[1]
    if size > SMALL:
        return None
    content = bytes(result.bytes())
    if len(content) != size:
        raise OSError("the response is incomplete")
    return content


# The client retries failed requests, but not a response that is cut off. Only failed requests are retried here, as a
# call through tenacity takes as long as reading an object.
_get_again = tenacity.retry(
    retry=tenacity.retry_if_exception_type(ERRORS) & tenacity.retry_if_not_exception_type(_FINAL),
    stop=tenacity.stop_after_delay(15),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=3),
    reraise=True,
)(_get)


def _next_piece(stream: BytesStream) -> bytes | None:
    piece = next(stream, None)
    return None if piece is None else bytes(piece)
