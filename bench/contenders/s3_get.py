"""What S3's client can get from the server: the keys are listed, the objects fetched, many at once, and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AT_ONCE = 16  # as COPY does; 4 to 64 differ by less than two rounds do


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Open the bucket."""
    from concurrent.futures import ThreadPoolExecutor

    from sandbox import servers

    store = servers.open_bucket(job["endpoint"], job["bucket"])

    def fetch(keys: list[str]) -> int:
        # A thread takes every so many of them: handing out each by itself would cost more than it does.
        return sum(1 for key in keys if store.get(key).bytes())

    def run() -> int:
        keys = [item["path"] for page in store.list(job["prefix"], chunk_size=1000) for item in page]
        # Not the client's asyncio functions: at the end of the process they abort it now and then.
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(fetch, (keys[number::AT_ONCE] for number in range(AT_ONCE))))

    return run
