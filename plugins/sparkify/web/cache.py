"""A cache of results, so that many viewers cost as much as one."""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from sparkify.web.panels import LIMIT, PanelError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

# Seconds to cache an error.
KEEP_ERROR = 5.0
# Seconds to wait for the warehouse: longer than the timeouts of connection and query, whose errors are more specific.
PATIENCE = 2 * LIMIT + 5
# Concurrent calls, in each process of the API server.
THREADS = 4
# Maximum number of cached results, and of calls that run or wait for a thread: nobody can exhaust the memory by asking
# for many different ranges of days. The page with a dozen ranges needs about 130.
MOST_ENTRIES = 200
MOST_CALLS = 100


class CacheEntry(NamedTuple):
    """A cached result.

    :param at: its time, on the monotonic clock.
    :param version: the version that was requested.
    :param answer: the result, or the error.
    """

    at: float
    version: str
    answer: dict[str, Any] | PanelError


class Cache:
    """The cached results of a function of a key, such as a name; of too many the least recently used are dropped.

    Concurrent requests for the same key share one call. The function runs in separate threads, so that it does not
    block other requests of the API server.

    :param read: the function; it blocks.
    :param keep: seconds to cache a result.
    :param keep_error: seconds to cache a PanelError.
    :param patience: maximum seconds that a request waits.
    """

    def __init__(
        self,
        read: Callable[[Any], dict[str, Any]],
        *,
        keep: float = math.inf,
        keep_error: float = KEEP_ERROR,
        patience: float = PATIENCE,
    ) -> None:
        self._read = read
        self._keep = keep
        self._keep_error = keep_error
        self._patience = patience
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="warehouse-page")
        self._under_way: dict[tuple[Hashable, str], asyncio.Future[dict[str, Any]]] = {}
        self._entries: dict[Hashable, CacheEntry] = {}  # the least recently used first

    async def get(self, key: Hashable, version: str = "", max_age: float = math.inf) -> dict[str, Any]:
        """Return the result for a key.

        :param version: of the underlying data; a cached result of another version is not returned.
        :param max_age: seconds; an older cached result is not returned.
        :raises PanelError: if the function fails or times out.
        """
        entry = self._entries.pop(key, None)
        if entry:
            self._entries[key] = entry
        answer = entry.answer if entry and self._is_fresh(entry, version, max_age) else await self._fetch(key, version)
        if isinstance(answer, PanelError):
            raise answer
        return answer

    def _is_fresh(self, entry: CacheEntry, version: str, max_age: float) -> bool:
        age = time.monotonic() - entry.at
        if isinstance(entry.answer, PanelError):
            return age < self._keep_error
        return entry.version == version and age < min(self._keep, max_age)

    async def _fetch(self, key: Hashable, version: str) -> dict[str, Any] | PanelError:
        future = self._under_way.get((key, version))
        if future is None:
            if len(self._under_way) >= MOST_CALLS:
                return PanelError(
                    "waiting",
                    f"{MOST_CALLS} other queries of the page are running or waiting. The page shows the result later.",
                )
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._read, key)
            self._under_way[key, version] = future
            future.add_done_callback(lambda done: self._remember(key, version, done))
        try:
            # The timeout of one request does not cancel the call for the others.
            return await asyncio.wait_for(asyncio.shield(future), self._patience)
        except TimeoutError:
            return PanelError(
                "waiting",
                f"The warehouse has not responded within {self._patience:g} s. It may be starting or busy. The page "
                "shows the result as soon as it responds.",
            )
        except PanelError as error:
            return error

    def _remember(self, key: Hashable, version: str, done: asyncio.Future[dict[str, Any]]) -> None:
        del self._under_way[key, version]
        if done.cancelled():
            return
        error = done.exception()
        if error is not None and not isinstance(error, PanelError):
            return
        self._entries.pop(key, None)
        self._entries[key] = CacheEntry(time.monotonic(), version, error or done.result())
        while len(self._entries) > MOST_ENTRIES:
            del self._entries[next(iter(self._entries))]
