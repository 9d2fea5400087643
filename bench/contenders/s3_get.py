"""What S3's client can get from the server: the keys are listed, the objects fetched, many at once, and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AT_ONCE = 32


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Open the bucket."""
    import asyncio

    from sparkify.local import servers

    store = servers.open_bucket(job["endpoint"], job["bucket"])

    async def fetch(keys: list[str]) -> None:
        while keys:
            await (await store.get_async(keys.pop())).bytes_async()

    async def all_of_them() -> int:
        keys = [item["path"] async for page in store.list(job["prefix"], chunk_size=1000) for item in page]
        count = len(keys)
        await asyncio.gather(*(fetch(keys) for _ in range(AT_ONCE)))
        return count

    return lambda: asyncio.run(all_of_them())
