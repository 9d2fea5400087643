"""Answers are kept for a while, fetched once for all who wait, and errors are not kept for long."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from sparkify.web.cache import Cache
from sparkify.web.panels import PanelError


class Source:
    """A function that counts its calls; it waits for ``go`` and raises ``error`` where there is one."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None

    def __call__(self, name: str) -> dict[str, Any]:
        self.calls.append(name)
        assert self.go.wait(10)
        if self.error:
            raise self.error
        return {"call": len(self.calls)}


@pytest.fixture
def source() -> Source:
    return Source()


def test_an_answer_is_kept(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source, keep=0.2)
        assert await cache.get("a") == {"call": 1}
        assert await cache.get("a") == {"call": 1}
        assert await cache.get("b") == {"call": 2}
        await asyncio.sleep(0.25)
        assert await cache.get("a") == {"call": 3}

    asyncio.run(ask())
    assert source.calls == ["a", "b", "a"]


def test_an_answer_is_kept_until_the_version_is_another(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source)
        assert await cache.get("a", "1") == {"call": 1}
        assert await cache.get("a", "1") == {"call": 1}
        assert await cache.get("a", "2") == {"call": 2}
        assert await cache.get("a", "2", max_age=60) == {"call": 2}
        assert await cache.get("a", "2", max_age=0) == {"call": 3}

    asyncio.run(ask())


def test_an_answer_that_is_under_way_is_of_the_version_it_was_asked_for(source: Source) -> None:
    """A run ends while a query runs: what comes of it may lack the run's rows."""

    async def ask() -> list[dict[str, Any]]:
        source.go.clear()
        cache = Cache(source)
        waiting = [asyncio.create_task(cache.get("a", version)) for version in ("1", "1", "2")]
        await asyncio.sleep(0.05)
        source.go.set()
        return list(await asyncio.gather(*waiting))

    found = asyncio.run(ask())
    assert found[0] == found[1]
    assert source.calls == ["a", "a"]


def test_who_asks_meanwhile_waits_for_the_same_answer(source: Source) -> None:
    async def ask() -> list[dict[str, Any]]:
        source.go.clear()
        cache = Cache(source)
        waiting = [asyncio.create_task(cache.get("a")) for _ in range(20)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()  # a viewer who leaves takes nothing from the others
        source.go.set()
        return list(await asyncio.gather(*waiting[1:]))

    assert asyncio.run(ask()) == [{"call": 1}] * 19
    assert source.calls == ["a"]


def test_an_error_is_kept_for_a_shorter_time(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source, keep=60, keep_error=0.2)
        source.error = PanelError("slow", "too slow")
        for _ in range(3):
            with pytest.raises(PanelError, match="too slow"):
                await cache.get("a")
        source.error = None
        await asyncio.sleep(0.25)
        assert await cache.get("a") == {"call": 2}

    asyncio.run(ask())


def test_nobody_waits_for_ever_and_nothing_piles_up(source: Source) -> None:
    async def ask() -> None:
        source.go.clear()
        cache = Cache(source, patience=0.05)
        for _ in range(3):
            with pytest.raises(PanelError, match=r"has not responded within 0\.05 s") as raised:
                await cache.get("a")
            assert raised.value.kind == "waiting"
            assert "network" not in str(raised.value)  # nobody knows yet what is wrong
        source.go.set()
        await asyncio.sleep(0.1)
        assert await cache.get("a") == {"call": 1}

    asyncio.run(ask())
    assert source.calls == ["a"]


def test_what_is_no_answer_of_the_warehouse_is_a_bug_and_not_kept(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source)
        source.error = ZeroDivisionError("bug")
        with pytest.raises(ZeroDivisionError):
            await cache.get("a")
        source.error = None
        assert await cache.get("a") == {"call": 2}

    asyncio.run(ask())
