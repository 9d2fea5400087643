"""Answers that are kept for a while, so that many viewers cost what one costs."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sparkify.web.panels import LIMIT, PanelError

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds that an answer is kept, and an error.
KEEP = 45.0
KEEP_ERROR = 5.0
# Seconds to wait for a warehouse that does not even refuse.
PATIENCE = LIMIT + 5
# Queries at once, in each process of the API server.
THREADS = 4


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
        keep: float = KEEP,
        keep_error: float = KEEP_ERROR,
        patience: float = PATIENCE,
    ) -> None:
        self._read = read
        self._keep = keep
        self._keep_error = keep_error
        self._patience = patience
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="warehouse-page")
        self._under_way: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._kept: dict[str, tuple[float, dict[str, Any] | PanelError]] = {}

    async def get(self, name: str) -> dict[str, Any]:
        """Return the answer for a name.

        :raises PanelError: where there is none, or none in time.
        """
        until, answer = self._kept.get(name, (0.0, PanelError("slow", "")))
        if until <= time.monotonic():
            answer = await self._fetch(name)
        if isinstance(answer, PanelError):
            raise answer
        return answer

    async def _fetch(self, name: str) -> dict[str, Any] | PanelError:
        future = self._under_way.get(name)
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._read, name)
            self._under_way[name] = future
            future.add_done_callback(lambda done: self._remember(name, done))
        try:
            # One who gives up does not end it for the others.
            return await asyncio.wait_for(asyncio.shield(future), self._patience)
        except TimeoutError:
            return PanelError(
                "slow",
                f"The warehouse has not answered within {self._patience:g} s. Check that it runs, and that the API "
                "server's network reaches it (address, port, security group).",
            )
        except PanelError as error:
            return error

    def _remember(self, name: str, done: asyncio.Future[dict[str, Any]]) -> None:
        del self._under_way[name]
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._kept[name] = (time.monotonic() + self._keep, done.result())
        elif isinstance(error, PanelError):
            self._kept[name] = (time.monotonic() + self._keep_error, error)
