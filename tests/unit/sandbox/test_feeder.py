"""The feeder writes a pure function of the options and the time, however often it restarts."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from sandbox import faults, feeder, generate
from sandbox.feeder import FIRST_SONGS, SONG_EVERY, Feeder, FeederProgress

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 2, 27, tzinfo=UTC)
DAYS = 3
OPTIONS = generate.Options(users=12, songs=FIRST_SONGS + 100, days=DAYS + 2, start=START.date())
LENGTH = DAYS * 24 * 3600 * 1000
TIMES = [moment - int(START.timestamp() * 1000) for moment, _ in generate.events(OPTIONS)]
# Any moment, and those right before, at and after an event.
moments = st.one_of(
    st.integers(0, LENGTH),
    st.builds(int.__add__, st.sampled_from([time for time in TIMES if 0 < time < LENGTH]), st.integers(-1, 1)),
).map(lambda value: START + timedelta(milliseconds=value))


class Unreliable(MemoryStore):
    """A store whose writes fail at random."""

    def __new__(cls, *_: Any) -> Unreliable:
        return super().__new__(cls)

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.refused = 0
        self.works = False

    def put(self, *args: Any, **kwargs: Any) -> Any:
        if not self.works and self.random.random() < 0.2:
            self.refused += 1
            raise OSError("refused")
        return super().put(*args, **kwargs)


def content(store: MemoryStore) -> dict[str, bytes]:
    """Return all objects."""
    return {item["path"]: bytes(store.get(item["path"]).bytes()) for page in store.list() for item in page}


def logs(store: MemoryStore) -> dict[str, bytes]:
    return {key: body for key, body in content(store).items() if key.startswith("log_data/")}


def expected(until: datetime) -> dict[str, list[bytes]]:
    """Return the lines of each day's file, computed from the events."""
    files: dict[str, list[bytes]] = {}
    for moment, line in generate.events(OPTIONS):
        if moment >= until.timestamp() * 1000:
            break
        day = datetime.fromtimestamp(moment / 1000, UTC)
        files.setdefault(f"log_data/{day:%Y/%m/%Y-%m-%d}-events.json", []).append(line)
    return files


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(moments, st.booleans()), max_size=12), moments)
def test_any_restarts_leave_the_same_files(steps: list[tuple[datetime, bool]], end: datetime) -> None:
    store = MemoryStore()
    running = Feeder(OPTIONS, store)
    for moment, again in steps:
        if moment < end:
            running.advance(moment)
        if again:
            running = Feeder(OPTIONS, store)
    running.advance(end)
    at_once = MemoryStore()
    Feeder(OPTIONS, at_once).advance(end)
    assert content(store) == content(at_once)


@settings(max_examples=25, deadline=None)
@given(moments)
def test_a_file_holds_the_events_before_the_moment(moment: datetime) -> None:
    store = MemoryStore()
    running = Feeder(OPTIONS, store)
    running.advance(moment)
    then = logs(store)
    assert {key: body.split(b"\n") for key, body in then.items()} == expected(moment)
    running.advance(START + timedelta(days=DAYS))
    later = logs(store)
    for key, body in then.items():
        assert (later[key] + b"\n").startswith(body + b"\n")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(moments, min_size=5, max_size=10).map(sorted))
def test_a_failed_write_is_retried(seed: int, steps: list[datetime]) -> None:
    store = Unreliable(seed)
    running = Feeder(OPTIONS, store)
    for moment in steps:
        try:
            running.advance(moment)
        except OSError:
            assert store.refused
    store.works = True
    running.advance(steps[-1])
    at_once = MemoryStore()
    Feeder(OPTIONS, at_once).advance(steps[-1])
    assert content(store) == content(at_once)


def test_a_broken_hour_gets_invalid_copies_of_its_first_plays() -> None:
    hour, end = START + timedelta(hours=17), START + timedelta(days=1, hours=1)
    intact, broken = MemoryStore(), MemoryStore()
    Feeder(OPTIONS, intact).advance(end)
    progress = Feeder(OPTIONS, broken, hour).advance(end)
    assert progress.broken == "2026-02-27T17:00:00.000+00:00"
    key = "log_data/2026/02/2026-02-27-events.json"
    lines, more = (content(store)[key].split(b"\n") for store in (intact, broken))
    invalid = [json.loads(line) for line in more if line not in lines]
    assert [line for line in more if line in lines] == lines
    plays = [event for event in map(json.loads, lines) if event["page"] == "NextSong"]
    first = [event for event in plays if event["ts"] >= hour.timestamp() * 1000][: faults.EVENTS]
    identity = {"sessionId": int(hour.timestamp()), "level": "gold", "userId": ""}
    assert invalid == [play | identity | {"itemInSession": item} for item, play in enumerate(first)]
    assert content(broken).keys() == content(intact).keys()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(moments, st.one_of(st.none(), moments)), max_size=6), moments)
def test_after_the_repair_the_files_are_those_without_a_fault(
    steps: list[tuple[datetime, datetime | None]], end: datetime
) -> None:
    store = MemoryStore()
    for moment, broken in steps:
        Feeder(OPTIONS, store, broken).advance(min(moment, end))
    Feeder(OPTIONS, store).advance(end)
    at_once = MemoryStore()
    Feeder(OPTIONS, at_once).advance(end)
    assert content(store) == content(at_once)


@pytest.mark.parametrize(
    ("text", "hour"),
    [(None, None), ("", None), ("x", None), ("2026-11-20T17:00:00+00:00", datetime(2026, 11, 20, 17, tzinfo=UTC))],
)
def test_a_file_requests_the_fault(text: str | None, hour: datetime | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "fault").write_text(text)
    assert faults.read(tmp_path / "fault") == hour


def test_songs_are_added_regularly() -> None:
    store = MemoryStore()
    running = Feeder(OPTIONS, store)
    catalogue = [key for key, _ in generate.songs(OPTIONS)]
    for passed in (timedelta(), SONG_EVERY - timedelta(seconds=1), SONG_EVERY, 5 * SONG_EVERY, timedelta(days=DAYS)):
        report = running.advance(START + passed)
        count = min(FIRST_SONGS + passed // SONG_EVERY, OPTIONS.songs)
        assert report.songs == count
        assert sorted(key for key in content(store) if key.startswith("song_data/")) == sorted(catalogue[:count])


def test_the_progress_counts_the_events_of_the_day() -> None:
    running = Feeder(OPTIONS, MemoryStore())
    noon = START + timedelta(days=1, hours=12)
    report = running.advance(noon)
    (today,) = [lines for key, lines in expected(noon).items() if "2026-02-28" in key]
    latest = datetime.fromtimestamp(json.loads(today[-1])["ts"] / 1000, UTC)
    assert report == FeederProgress(
        "2026-02-28T12:00:00.000+00:00", len(today), latest.isoformat(timespec="milliseconds"), OPTIONS.songs
    )
    assert running.advance(START + timedelta(days=2)).events == 0  # midnight: nothing of the new day so far


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    store = MemoryStore()
    running = Feeder(OPTIONS, store)
    running.advance(START + timedelta(days=1))
    before = content(store)
    running.advance(START + timedelta(hours=1))
    assert content(store) == before


def test_the_days_last_for_a_century() -> None:
    options = feeder.options(date(2026, 11, 20))
    assert options.days > 36_500
    assert len(list(islice(generate.events(options), 1000))) == 1000


def test_the_progress_file_is_replaced_atomically(tmp_path: Path) -> None:
    file = tmp_path / "feeder.json"
    FeederProgress("2026-11-20T00:00:00+00:00", 1, None, 2).save(file)
    assert json.loads(file.read_text())["songs"] == 2
    before = file.stat().st_ino
    FeederProgress("2026-11-20T00:00:00+00:00", 1, None, 3).save(file)
    assert file.stat().st_ino != before  # another file in its place
    assert list(tmp_path.iterdir()) == [file]


def test_the_bucket_stores_the_first_day() -> None:
    store = MemoryStore()
    first = feeder.first_day(store)
    assert first == (datetime.now(UTC) - feeder.HISTORY).date()
    store.put(feeder.FIRST_DAY, json.dumps({"start": str(first - timedelta(days=400))}).encode())
    assert feeder.first_day(store) == first - timedelta(days=400)


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"start": 1}', '{"start": "x"}', '{"start": "0001-01-01"}', '{"start": "9999-12-31"}', "\xff"],
)
def test_an_object_without_a_valid_day_is_replaced(body: str) -> None:
    store = MemoryStore()
    store.put(feeder.FIRST_DAY, body.encode("latin-1"))
    first = feeder.first_day(store)
    assert first >= (datetime.now(UTC) - feeder.HISTORY).date() - timedelta(days=1)
    assert feeder.first_day(store) == first


def test_each_written_event_log_is_announced() -> None:
    announced: list[tuple[str, bytes]] = []
    store = MemoryStore()
    feeder = Feeder(OPTIONS, store, announce=lambda key, body: announced.append((key, body)))
    first = timedelta(milliseconds=TIMES[0] + 1)
    for later in (first, first, timedelta(hours=30)):  # the first event, nothing new, two days
        feeder.advance(START + later)
    assert [key for key, _ in announced] == [
        "log_data/2026/02/2026-02-27-events.json",
        "log_data/2026/02/2026-02-27-events.json",
        "log_data/2026/02/2026-02-28-events.json",
    ]
    assert dict(announced) == logs(store)
