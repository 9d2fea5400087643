"""Runs are idempotent: any order, parallelism and repetition leaves the tables of one single run."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from sandbox.upload import sync
from sparkify.staging.by_interval import IntervalStaging
from tests.support.data import event, song, source_fields
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandbox.lab import Lab

START = datetime(2018, 11, 1, tzinfo=UTC)
DAYS = 2
PROCESSES = 3

# An example takes dozens of runs on a real database: `make test` tries a few, `make test-invariant` many.
EXAMPLES = int(os.environ.get("INVARIANT_EXAMPLES", "4"))


class Event(NamedTuple):
    """An event with values from small ranges, so that conflicts are likely.

    :param session: the session; None if the event has none, so that it is rejected.
    :param minute: of the period; often one at the edge of an hour or a day, which several events share.
    :param user: the user; 0 if nobody was logged in.
    :param is_new: whether the user registered on the day of the event.
    :param file: the day whose file contains it; an event in the file of another day is a stray.
    :param copies: the number of copies in the file.
    :param implausible: whether its time is implausible, so that it is rejected.
    """

    session: int | None
    item: int
    minute: int
    file: int
    user: int
    level: str | None
    page: str
    is_new: bool
    title: int
    length: float | None
    copies: int
    implausible: bool

    def json(self) -> dict[str, Any]:
        at = START + timedelta(minutes=self.minute)
        return event(
            at.isoformat()[:19],
            self.session,
            self.item,
            userId=str(self.user) if self.user else "",
            level=self.level,
            page=self.page,
            song=f"Title {self.title}",
            length=self.length,
            **({"registration": at.replace(hour=0, minute=0).timestamp() * 1000} if self.is_new else {}),
            **({"ts": 10**15 + self.minute} if self.implausible else {}),
        )


class Song(NamedTuple):
    """A song object.

    :param name: of the object.
    :param fault: a key of :data:`FAULTS`, so that it is quarantined, or empty for a valid song.
    """

    name: int
    fault: str
    song_id: int
    artist_id: int
    spelling: int
    title: int
    year: int

    def json(self) -> str:
        valid = song(
            f"SO{self.song_id}",
            artist_id=f"AR{self.artist_id}",
            artist_name="Des'ree" if self.spelling else "Desree",
            title=f"Title {self.title}",
            year=self.year,
        )
        return FAULTS.get(self.fault, str)(json.dumps(valid))


# Changes that make the text of an object invalid.
FAULTS: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "truncated": lambda text: text[:-9],
    "without an id": lambda text: text.replace("song_id", "id"),
    "followed by an invalid line": lambda text: f"{text}\n{{}}",
}


class Files(NamedTuple):
    """The contents of the bucket."""

    events: tuple[Event, ...]
    songs: tuple[Song, ...]

    def put(self, lab: Lab) -> None:
        """Replace the contents of the bucket. A day without events has no file."""
        for day in range(DAYS):
            date = f"{START + timedelta(days=day):%Y-%m-%d}"
            if of_day := [item.json() for item in self.events if item.file == day for _ in range(item.copies)]:
                lab.put_events(date, of_day)
            else:
                lab.store.delete(f"log_data/{date[:4]}/{date[5:7]}/{date}-events.json")
        objects = {f"song_data/A/A/A/{item.name}.json": item for item in self.songs}
        present = [item["path"] for page in lab.store.list("song_data") for item in page]
        lab.store.delete([key for key in present if key not in objects])
        for item in objects.values():
            lab.put(f"song_data/A/A/A/{item.name}.json", item.json())


class Run(NamedTuple):
    """A run of the DAG over [start, end), in hours of the period."""

    start: int
    end: int

    @property
    def range(self) -> tuple[str, str]:
        return (START + timedelta(hours=self.start)).isoformat(), (START + timedelta(hours=self.end)).isoformat()


class History(NamedTuple):
    """Versions of the files and the runs over them, in order; several processes execute each list of runs.

    Replay one with ``replay(history, lab, processes)``.

    :param before: earlier versions of the files, each with its runs.
    :param files: the final version of the files.
    :param runs: runs that cover the whole period.
    :param last: if given, the songs of ``files`` arrive after those runs, and only this run follows.
    """

    before: tuple[tuple[Files, tuple[Run, ...]], ...]
    files: Files
    runs: tuple[Run, ...]
    last: Run | None = None


# Plays, and pages that aggregates count.
PAGES = [*4 * ["NextSong"], "Home", "Submit Upgrade", "Submit Downgrade", "Cancellation Confirmation"]
# The first and the last minutes of hours and days.
EDGES = [0, 59, 60, 23 * 60, 24 * 60 - 1, 24 * 60, 25 * 60]

events = st.builds(
    Event,
    session=st.sampled_from([*3 * [0, 1, 2, 3], None]),
    item=st.integers(0, 3),
    minute=st.one_of(st.integers(0, DAYS * 24 * 60 - 1), st.sampled_from(EDGES)),
    file=st.integers(0, DAYS - 1),
    user=st.integers(0, 3),
    level=st.sampled_from([*5 * ["free", "paid"], None]),
    page=st.sampled_from(PAGES),
    is_new=st.booleans(),
    title=st.integers(0, 2),
    length=st.sampled_from([*4 * [246.30812], 100.5, -1, None]),
    copies=st.integers(1, 2),
    implausible=st.sampled_from([False, False, False, True]),
)
songs = st.builds(
    Song,
    name=st.integers(0, 3),
    fault=st.sampled_from([*3 * [""], *FAULTS]),
    song_id=st.integers(0, 3),
    artist_id=st.integers(0, 1),
    spelling=st.integers(0, 1),
    title=st.integers(0, 2),
    year=st.integers(0, 2),
)
contents = st.builds(
    Files,
    events=st.lists(events, max_size=14).map(tuple),
    songs=st.lists(songs, max_size=4, unique_by=lambda item: item.name).map(tuple),
)
single = st.tuples(st.integers(0, DAYS * 24 - 1), st.integers(1, 12)).map(
    lambda pair: Run(pair[0], min(pair[0] + pair[1], DAYS * 24))
)


@st.composite
def covers(draw: st.DrawFn) -> tuple[Run, ...]:
    """Draw runs that cover the period, split anywhere, with repetitions and overlaps, in any order."""
    cuts = draw(st.lists(st.integers(1, DAYS * 24 - 1), max_size=5, unique=True).map(sorted))
    edges = [0, *cuts, DAYS * 24]
    runs = [Run(start, end) for start, end in pairwise(edges)]
    runs += draw(st.lists(single, max_size=2))
    return tuple(draw(st.permutations(runs)))


histories = st.builds(
    History,
    before=st.lists(st.tuples(contents, st.lists(single, max_size=3).map(tuple)), max_size=2).map(tuple),
    files=contents,
    runs=covers(),
    last=st.none() | single,
)


def _run(lab: Lab, run: Run, tasks: list[str] | None = None) -> None:
    os.environ.update(lab.environment)
    lab.run(*run.range, tasks=tasks, max_errors=99, accept_vanished=True)


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Start processes that run the DAG's tasks, each with its own connections."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def replay(history: History, lab: Lab, processes: ProcessPoolExecutor) -> None:
    """Replay a history on a lab."""
    steps = [*history.before, (history.files, history.runs)]
    if history.last:
        songs_before = history.before[-1][0].songs if history.before else ()
        steps[-1] = (history.files._replace(songs=songs_before), history.runs)
        steps.append((history.files, (history.last,)))
    for files, runs in steps:
        files.put(lab)
        # A check fails if the app sends no level.
        checked = all(event.level for event in files.events)
        tasks = [task for task in lab.dag.task_ids if checked or task not in ("data_quality", "publish_days")]
        run_all(lab, runs, processes, tasks)


def run_all(lab: Lab, runs: Iterable[Run], processes: ProcessPoolExecutor, tasks: list[str] | None = None) -> None:
    """Execute runs concurrently, started in the given order."""
    for future in [processes.submit(_run, lab, run, tasks) for run in runs]:
        future.result(timeout=120)


def rejected(lab: Lab) -> list[tuple[Any, ...]]:
    """Return the rejected rows without the columns that depend on the run."""
    return lab.query(
        f"SELECT table_name, period_start, REPLACE(file_name, '{lab.bucket}', ''), line_number, column_name, "
        "error_code, reason, raw_value FROM operations.rejected_rows ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"
    )


# Rows that contradict the definition of a table, or another table.
CONTRADICTIONS = {
    "spans with gaps or overlaps": """
        SELECT COUNT(*) FROM (
            SELECT valid_from, valid_to, LEAD(valid_from) OVER (PARTITION BY user_id ORDER BY valid_from) AS next_from
            FROM users_history
        ) AS spans
        WHERE valid_to IS DISTINCT FROM next_from OR valid_to <= valid_from
    """,
    "spans that are current and have ended, or neither": """
        SELECT COUNT(*) FROM users_history WHERE is_current <> (valid_to IS NULL)
    """,
    "users whose current span has other values": """
        SELECT COUNT(*) FROM (
            (SELECT user_id, first_name, last_name, gender, level FROM users
            EXCEPT
            SELECT user_id, first_name, last_name, gender, level FROM users_history WHERE is_current)
            UNION ALL
            (SELECT user_id, first_name, last_name, gender, level FROM users_history WHERE is_current
            EXCEPT
            SELECT user_id, first_name, last_name, gender, level FROM users)
        ) AS different
    """,
    "plays, not counted in daily_activity": """
        SELECT (SELECT COUNT(*) FROM songplays) - (SELECT COALESCE(SUM(plays), 0) FROM daily_activity)
    """,
    "plays, not counted in daily_songs": """
        SELECT (SELECT COUNT(*) FROM songplays) - (SELECT COALESCE(SUM(plays), 0) FROM daily_songs)
    """,
    "plays, not counted in monthly_songs": """
        SELECT (SELECT COUNT(*) FROM songplays) - (SELECT COALESCE(SUM(plays), 0) FROM monthly_songs)
    """,
    "plays, not counted in hourly_plays": """
        SELECT (SELECT COUNT(*) FROM songplays) - (SELECT COALESCE(SUM(plays), 0) FROM hourly_plays)
    """,
    "events outside of their session": """
        SELECT COUNT(*) FROM events AS e LEFT JOIN sessions AS s
        ON e.session_id = s.session_id AND e.event_time BETWEEN s.first_event AND s.last_event
        WHERE s.session_id IS NULL
    """,
    "events, not counted in sessions": """
        SELECT (SELECT COUNT(*) FROM events) - (SELECT COALESCE(SUM(plays + pages), 0) FROM sessions)
    """,
    # Images that all aggregates have loaded are deleted by the next load that records some.
    "changes that an aggregate has not loaded": """
        SELECT COUNT(*) FROM operations.changed_events WHERE change_id > (
            SELECT MIN(change_id) FROM operations.loaded_changes
            WHERE source_name = 'events' AND table_name <> source_name
        )
    """,
    "songs of a day whose month has not loaded them": """
        SELECT COUNT(*) FROM operations.changed_daily_songs WHERE change_id > (
            SELECT change_id FROM operations.loaded_changes WHERE table_name = 'monthly_songs'
        )
    """,
    "aggregates that have loaded nothing": """
        SELECT 6 - COUNT(*) FROM operations.loaded_changes WHERE table_name <> source_name
    """,
}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    # Shrinking takes minutes; the failing history is printed without it, too.
    phases=[phase for phase in Phase if phase is not Phase.shrink or EXAMPLES > 50],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
def test_any_history_leaves_the_tables_of_a_single_run(
    history: History, make_lab: Callable[..., Lab], processes: ProcessPoolExecutor
) -> None:
    note(f"History: {history}")
    lab = make_lab(EMPTY)
    replay(history, lab, processes)
    expected = make_lab()
    replay(History((), history.files, (Run(0, DAYS * 24),)), expected, processes)
    assert lab.tables() == expected.tables()
    assert rejected(lab) == rejected(expected)
    assert source_fields(lab) == source_fields(expected)
    assert {name: lab.one(count) for name, count in CONTRADICTIONS.items()} == dict.fromkeys(CONTRADICTIONS, 0)


def test_a_run_without_files_deletes_rows_staged_by_a_concurrent_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The earlier run reads a file that is then deleted. The later run finds no file and writes last."""
    day = ("2018-11-01", "2018-11-02")
    lab.put_events(day[0], [event("2018-11-01T05:00:00", 1)])
    land_files = IntervalStaging._land_files
    later_has_listed, earlier_has_written = threading.Event(), threading.Event()

    def landed(self: IntervalStaging, *arguments: Any) -> Any:
        found = land_files(self, *arguments)
        if found.tables:  # the earlier run
            lab.store.delete("log_data/2018/11/2018-11-01-events.json")
            later.start()
            assert later_has_listed.wait(60)
        elif not later_has_listed.is_set():
            later_has_listed.set()
            assert earlier_has_written.wait(60)
        return found

    monkeypatch.setattr(IntervalStaging, "_land_files", landed)
    later = threading.Thread(target=lab.run, args=day, kwargs={"tasks": ["stage_events"], "accept_vanished": True})
    result = lab.run(*day, tasks=["stage_events"])
    assert result["stage_events"]["rows"] == 1
    earlier_has_written.set()
    later.join(60)
    assert lab.query("SELECT sessionid FROM staging_events") == []
    assert lab.one("SELECT COUNT(*) FROM operations.staged_periods") == 1


@pytest.mark.slow
@pytest.mark.sample
def test_the_real_sample_in_shuffled_concurrent_runs(
    make_lab: Callable[..., Lab], sample: Path, processes: ProcessPoolExecutor
) -> None:
    pieces, single = make_lab(), make_lab()
    for lab in (pieces, single):
        sync(sample, lab.store)
    hours = [0, 5, 6, 7, 30, 31, 70, 100, 101, 130, 190, 200, 240]
    runs = [Run(start, end) for start, end in pairwise(hours)]
    order = runs[::-2] + runs[::2] + [Run(4, 80)] + runs[::-2]
    run_all(pieces, order, processes)
    run_all(single, [Run(0, 240)], processes)
    assert pieces.tables() == single.tables()
    of_events = [row for row in source_fields(single) if row[0] == "staging_events"]
    assert len(of_events) > 10 * 18
    assert [row for row in source_fields(pieces) if row[0] == "staging_events"] == of_events
    assert pieces.counts()["songplays"] == 1594
