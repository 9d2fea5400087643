"""Results are cached, concurrent requests share one call, and errors are only cached briefly."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from sparkify.web import cache as cached
from sparkify.web.cache import Cache
from sparkify.web.panels import PanelError


class Source:
    """A function that counts its calls, waits for ``go``, and raises ``error`` if it is set."""

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


def test_a_result_is_cached(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source, keep=0.2)
        assert await cache.get("a") == {"call": 1}
        assert await cache.get("a") == {"call": 1}
        assert await cache.get("b") == {"call": 2}
        await asyncio.sleep(0.25)
        assert await cache.get("a") == {"call": 3}

    asyncio.run(ask())
    assert source.calls == ["a", "b", "a"]


def test_a_result_is_cached_until_the_version_changes(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source)
        assert await cache.get("a", "1") == {"call": 1}
        assert await cache.get("a", "1") == {"call": 1}
        assert await cache.get("a", "2") == {"call": 2}
        assert await cache.get("a", "2", max_age=60) == {"call": 2}
        assert await cache.get("a", "2", max_age=0) == {"call": 3}

    asyncio.run(ask())


def test_concurrent_requests_of_different_versions_are_separate(source: Source) -> None:
    """A run may end during a query, whose result then may lack the run's rows."""

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


def test_concurrent_requests_share_one_call(source: Source) -> None:
    async def ask() -> list[dict[str, Any]]:
        source.go.clear()
        cache = Cache(source)
        waiting = [asyncio.create_task(cache.get("a")) for _ in range(20)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()  # one cancelled request does not affect the others
        source.go.set()
        return list(await asyncio.gather(*waiting[1:]))

    assert asyncio.run(ask()) == [{"call": 1}] * 19
    assert source.calls == ["a"]


def test_an_error_is_cached_for_a_shorter_time(source: Source) -> None:
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


def test_a_timeout_raises_and_does_not_start_another_call(source: Source) -> None:
    async def ask() -> None:
        source.go.clear()
        cache = Cache(source, patience=0.05)
        for _ in range(3):
            with pytest.raises(PanelError, match=r"has not responded within 0\.05 s") as raised:
                await cache.get("a")
            assert raised.value.kind == "waiting"
            assert "network" not in str(raised.value)  # the cause is not known yet
        source.go.set()
        await asyncio.sleep(0.1)
        assert await cache.get("a") == {"call": 1}

    asyncio.run(ask())
    assert source.calls == ["a"]


def test_other_exceptions_are_raised_and_not_cached(source: Source) -> None:
    async def ask() -> None:
        cache = Cache(source)
        source.error = ZeroDivisionError("bug")
        with pytest.raises(ZeroDivisionError):
            await cache.get("a")
        source.error = None
        assert await cache.get("a") == {"call": 2}

    asyncio.run(ask())


def test_the_number_of_cached_results_is_limited(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many ranges of days neither fill the memory nor displace what is used often."""
    monkeypatch.setattr(cached, "MOST_ENTRIES", 3)

    async def ask() -> None:
        cache = Cache(source)
        for number in range(20):
            await cache.get(("a", number))
            await cache.get("often")
        assert len(cache._entries) == 3
        source.error = PanelError("slow", "too slow")
        for number in range(20):
            with pytest.raises(PanelError):
                await cache.get(("b", number))
        assert len(cache._entries) == 3

    asyncio.run(ask())
    assert source.calls.count("often") == 1


def test_the_number_of_waiting_calls_is_limited(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "MOST_CALLS", 5)

    async def ask() -> list[Any]:
        source.go.clear()
        cache = Cache(source)
        waiting = [asyncio.create_task(cache.get(number)) for number in (*range(8), 0)]
        await asyncio.sleep(0.05)
        source.go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(ask())
    assert [isinstance(item, PanelError) for item in found] == [False] * 5 + [True] * 3 + [False]
    assert "5 other queries of the page are running or waiting" in str(found[5])
    assert found[5].kind == "waiting"
