"""Answers that are kept, so that many viewers cost what one costs."""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from sparkify.web.panels import LIMIT, PanelError

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that an error is kept.
KEEP_ERROR = 5.0
# Seconds to wait for a warehouse that does not even refuse: longer than it may take to connect, which ends with an
# error that says what is wrong, and to query.
PATIENCE = 2 * LIMIT + 5
# Calls at once, in each process of the API server.
THREADS = 4


class Kept(NamedTuple):
    """What was answered.

    :param at: when, of the monotonic clock.
    :param version: what it was asked for.
    """

    at: float
    version: str
    answer: dict[str, Any] | PanelError


class Cache:
    """The answers of a function of a name.

    Whoever asks for what is being fetched waits for the same answer. The function runs in threads of its own: those of
    the API server are for its other requests.

    :param read: the function; it blocks.
    :param keep: seconds that an answer is kept.
    :param keep_error: seconds that a PanelError is kept.
    :param patience: seconds that anybody waits.
    """

    def __init__(
        self,
        read: Callable[[str], dict[str, Any]],
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
        self._under_way: dict[tuple[str, str], asyncio.Future[dict[str, Any]]] = {}
        self._kept: dict[str, Kept] = {}

    async def get(self, name: str, version: str = "", max_age: float = math.inf) -> dict[str, Any]:
        """Return the answer for a name.

        :param version: of what the answer is made from; an answer of another version is not returned.
        :param max_age: seconds; an older answer is not returned.
        :raises PanelError: if there is none, or none in time.
        """
        kept = self._kept.get(name)
        answer = kept.answer if kept and self._is_fresh(kept, version, max_age) else await self._fetch(name, version)
        if isinstance(answer, PanelError):
            raise answer
        return answer

    def _is_fresh(self, kept: Kept, version: str, max_age: float) -> bool:
        age = time.monotonic() - kept.at
        if isinstance(kept.answer, PanelError):
            return age < self._keep_error
        return kept.version == version and age < min(self._keep, max_age)

    async def _fetch(self, name: str, version: str) -> dict[str, Any] | PanelError:
        future = self._under_way.get((name, version))
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._read, name)
            self._under_way[name, version] = future
            future.add_done_callback(lambda done: self._remember(name, version, done))
        try:
            # One who gives up does not end it for the others.
            return await asyncio.wait_for(asyncio.shield(future), self._patience)
        except TimeoutError:
            return PanelError(
                "waiting",
                f"The warehouse has not answered within {self._patience:g} s, and has not refused. It may be starting "
                "or busy. The page shows its answer once there is one.",
            )
        except PanelError as error:
            return error

    def _remember(self, name: str, version: str, done: asyncio.Future[dict[str, Any]]) -> None:
        del self._under_way[name, version]
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._kept[name] = Kept(time.monotonic(), version, done.result())
        elif isinstance(error, PanelError):
            self._kept[name] = Kept(time.monotonic(), version, error)
