"""A run costs what its own interval costs, however long the history is.

The tasks of an hourly run are executed on ten months of history, and the rows are counted that each scan of each
statement reads: those of an hour are few, those of the history many.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from sandbox import servers
from sandbox.airflow import connections
from sandbox.lab import TABLES, Lab
from sparkify.sql.scripts import label
from sparkify.warehouse.postgres.session import Postgres
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Whole hours, UTC: the history begins, its last hour begins, the next one begins.
START, LAST, NEXT = datetime(2018, 1, 1), datetime(2018, 11, 1, 4), datetime(2018, 11, 1, 5)  # noqa: DTZ001
EVENTS, USERS, SONGS = 100_000, 5_000, 10_000
ARTISTS = SONGS // 2
LATEST, NEW = range(SONGS, SONGS + 5), range(SONGS + 5, SONGS + 10)  # songs that come after the catalogue
HOUR_EVENTS = EVENTS * timedelta(hours=1) // (LAST - START)  # the pace of the history: 13

# Rows that one scan may read: some times an hour's, and a fraction of what any of the tables holds.
LIMIT = 500

# What grows with the history, or with the catalogue.
GROWING = {*TABLES, "staged_objects", "staged_batches", "loaded_batches"}

# What is read as a whole all the same: by the beginning of the statement, the tables. They grow with the catalogue
# and not with the plays.
WHOLE = {
    # S3 lists all objects, and the ledger is compared with the list.
    "SELECT object_key": {"staged_objects"},
    # One small row a batch, in three loads.
    "Find the batches of": {"staged_batches", "loaded_batches"},
}
# The indexes that no hourly run needs: people ask for the latest results and failed tasks, backfills for
# their last summary.
OTHERWISE_USED = {"data_quality_results_sortkey", "task_failures_sortkey", "backfill_summaries_sortkey"}

# Sessions of twenty events, of which one in seven is no play; a third of the titles are in the catalogue.
HISTORY = f"""
INSERT INTO staging_events
SELECT
    'Artist ' || title % {ARTISTS}, 'Logged In', 'Kaylee', 'F', g % 20, 'Summers', 200 + title % 300, 'free', 'Phoenix',
    'PUT', CASE WHEN g % 7 = 0 THEN 'Home' ELSE 'NextSong' END, 1540344794796, g / 20, 'Title ' || title, 200, ts,
    'Mozilla/5.0', 1 + g / 20 % {USERS}, ts
FROM (
    SELECT
        g,
        CAST(g AS BIGINT) * 7919 % {3 * SONGS} AS title,
        TIMESTAMP '{START}' + g * (TIMESTAMP '{LAST}' - TIMESTAMP '{START}') / {EVENTS} AS ts
    FROM generate_series(0, {EVENTS - 1}) AS g
) AS played
"""
# As if new songs had come every other hour.
BATCHES = """
INSERT INTO operations.staged_batches
SELECT 'staging_songs', batch_id, TRUE, 0, 0, TIMESTAMP '2018-01-01' FROM generate_series(1001, 4000) AS batch_id;
INSERT INTO operations.loaded_batches
SELECT table_name, batch_id FROM (VALUES ('songs'), ('artists'), ('songplays')) AS loaded (table_name),
generate_series(1001, 4000) AS batch_id;
"""


def plays(titles: range) -> int:
    """Return how often the history plays some titles."""
    return sum(g % 7 != 0 and g * 7919 % (3 * SONGS) in titles for g in range(EVENTS))


def played(start: datetime, session: int) -> list[dict[str, Any]]:
    """Return the events of an hour, by users and of titles that the history knows."""
    return [
        event(
            (start + number * timedelta(minutes=4)).isoformat(timespec="milliseconds"),
            session,
            number,
            userId=str(1 + number),
            **_title(number * 113 % (3 * SONGS), song="song", artist="artist", length="length"),
        )
        for number in range(HOUR_EVENTS)
    ]


def catalogued(titles: range) -> str:
    """Return an object with the metadata of songs, one a line."""
    songs = (
        song(
            f"SO{number}",
            artist_id=f"AR{number % ARTISTS}",
            year=1990 + number // SONGS,
            **_title(number, song="title", artist="artist_name", length="duration"),
        )
        for number in titles
    )
    return "\n".join(map(json.dumps, songs))


def _title(number: int, *, song: str, artist: str, length: str) -> dict[str, Any]:
    return {song: f"Title {number}", artist: f"Artist {number % ARTISTS}", length: float(200 + number % 300)}


def hour(start: datetime) -> tuple[str, str]:
    """Return the range of an hour."""
    return start.isoformat(), (start + timedelta(hours=1)).isoformat()


class Scan(NamedTuple):
    """How one scan of a statement reads a table.

    :param rows: rows that it visits, those that a filter drops included; a probe that finds nothing counts as one.
    """

    statement: str
    table: str
    kind: str
    rows: int


class Plans:
    """What the statements of tasks read, as the database counts it."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []
        self.indexes: set[str] = set()

    def measure(self, cursor: Any, statement: str) -> None:
        """Execute a statement, measure it, and undo it."""
        cursor.execute("SAVEPOINT measured")
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        ((((root,)),),) = cursor.fetchall()
        cursor.execute("ROLLBACK TO SAVEPOINT measured")
        self._collect(label(statement), root["Plan"])

    def _collect(self, statement: str, node: dict[str, Any]) -> None:
        loops = node["Actual Loops"]
        if loops and "Index Name" in node:
            self.indexes.add(node["Index Name"])
        if "Scan" in node["Node Type"] and "Relation Name" in node:
            dropped = sum(count for name, count in node.items() if name.startswith("Rows Removed by"))
            rows = round(loops * max(1, node["Actual Rows"] + dropped))
            self.scans.append(Scan(statement, node["Relation Name"], node["Node Type"], rows))
        for child in node.get("Plans", ()):
            self._collect(statement, child)

    def too_long(self) -> list[Scan]:
        """Return the scans that read more than an hour has."""
        return [
            scan
            for scan in self.scans
            if scan.rows > LIMIT
            and scan.table in GROWING
            and not any(scan.statement.startswith(start) and scan.table in tables for start, tables in WHOLE.items())
        ]


class Scenario(NamedTuple):
    """What may happen in an hour.

    :param prepare: changes the bucket.
    :param hour: the one that is run then.
    :param evidence: a SELECT of a number, and by how much it changes when it has happened.
    """

    prepare: Callable[[Lab], None]
    hour: datetime
    evidence: tuple[str, int]

    def run(self, lab: Lab, patch: pytest.MonkeyPatch) -> Plans:
        """Let it happen, and return what the run's statements read."""
        plans = Plans()
        execute = Postgres._execute

        def measure(self: Postgres, cursor: Any, statement: str, parameters: Sequence[Any] | None = None) -> None:
            # What carries its rows with it reads none.
            if MEASURED.match(statement) and parameters is None:
                plans.measure(self._session.cursor(), statement)
            execute(self, cursor, statement, parameters)

        _connect(lab, patch)
        patch.setattr(Postgres, "_execute", measure)
        select, change = self.evidence
        before = lab.one(select)
        self.prepare(lab)
        lab.run(*hour(self.hour))
        assert lab.one(select) - before == change
        return plans


MEASURED = re.compile(r"(--[^\n]*\n|\s)*(SELECT|INSERT|UPDATE|DELETE|MERGE|CREATE TEMP TABLE \w+ AS)\b")
LINKED = f"SELECT COUNT(song_id) FROM songplays WHERE start_time < '{LAST}'"
SCENARIOS = {
    "a new hour": Scenario(lambda lab: None, NEXT, ("SELECT COUNT(*) FROM songplays", HOUR_EVENTS)),
    "songs that were played before": Scenario(
        lambda lab: lab.put("song_data/new.json", catalogued(NEW)), NEXT, (LINKED, plays(NEW))
    ),
    "songs that are withdrawn": Scenario(
        lambda lab: lab.store.delete("song_data/latest.json"), NEXT, (LINKED, -plays(LATEST))
    ),
    "events that are withdrawn": Scenario(
        lambda lab: lab.put_events(f"{LAST:%Y-%m-%d}", played(LAST, session=EVENTS)[5:]),
        LAST,
        ("SELECT COUNT(*) FROM songplays", -5),
    ),
}


@pytest.fixture(scope="module")
def history(postgres: servers.Postgres, s3: servers.S3) -> Iterator[Callable[[], Lab]]:
    """A function that makes labs with the history; each is a copy of one."""
    names: list[str] = []

    def lab() -> Lab:
        name = f"history-{uuid.uuid4().hex[:12]}"
        if names:
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
            server.execute(copy.format(sql.Identifier(name), sql.Identifier(names[0])))
        else:
            postgres.create_database(name)
        names.append(name)
        lab = Lab(postgres.uri(name), servers.bucket(s3, name), name, connections(postgres, name, s3))
        lab.put("song_data/catalogue.json", catalogued(range(SONGS)))
        lab.put("song_data/latest.json", catalogued(LATEST))
        lab.put_events(f"{LAST:%Y-%m-%d}", played(LAST, session=EVENTS) + played(NEXT, session=2 * EVENTS))
        return lab

    with psycopg.connect(postgres.uri(), autocommit=True) as server:
        with pytest.MonkeyPatch.context() as patch:
            _load_history(lab(), patch)
        yield lab
        for name in names:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _connect(lab: Lab, patch: pytest.MonkeyPatch) -> None:
    """Make a lab what Airflow knows as its connections."""
    for variable, value in lab.environment.items():
        patch.setenv(variable, value)


def _load_history(lab: Lab, patch: pytest.MonkeyPatch) -> None:
    """Load the catalogue, the latest songs apart; make the events where they are staged; load these."""
    _connect(lab, patch)
    lab.store.rename("song_data/latest.json", "later.json")
    songs = ["create_tables", "stage_songs", "load_songs", "load_artists"]
    lab.run(*hour(START), tasks=songs)
    lab.store.rename("later.json", "song_data/latest.json")
    lab.run(*hour(START), tasks=songs)
    with psycopg.connect(lab.uri) as connection:
        connection.execute(HISTORY)
        connection.execute(BATCHES)
        connection.execute("ANALYZE staging_events, operations.staged_batches, operations.loaded_batches")
    loads = ["load_songplays", "load_users", "load_time"]
    lab.run(START.isoformat(), LAST.isoformat(), tasks=loads)
    lab.run(*hour(LAST), tasks=["stage_events", *loads])


@pytest.fixture(scope="module")
def plans(history: Callable[[], Lab]) -> dict[str, Plans]:
    """What the statements of each scenario read."""
    found = {}
    for name, scenario in SCENARIOS.items():
        with pytest.MonkeyPatch.context() as patch:
            found[name] = scenario.run(history(), patch)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_statement_reads_more_than_an_hour(scenario: str, plans: dict[str, Plans]) -> None:
    assert plans[scenario].too_long() == []


def test_the_history_is_long_enough_to_show_a_scan_of_it(history: Callable[[], Lab]) -> None:
    short = {name: rows for name, rows in history().counts().items() if rows < 10 * LIMIT}
    assert short == {}


def test_a_long_load_tells_the_planner_and_an_hour_does_not_sample_the_history(
    history: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = history()
    _connect(lab, monkeypatch)
    expected = dict(lab.query("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"))
    assert {name: expected[name] for name in TABLES} == pytest.approx(lab.counts(), rel=0.01)
    lab.run(*hour(NEXT))
    assert lab.query("SELECT relname FROM pg_stat_user_tables WHERE analyze_count > 0") == []


def test_every_index_is_used(history: Callable[[], Lab], plans: dict[str, Plans]) -> None:
    """An index that no run reads is written by all of them."""
    found = history().query("SELECT indexname FROM pg_indexes WHERE schemaname IN ('public', 'operations')")
    used = set().union(*(of_scenario.indexes for of_scenario in plans.values()))
    assert {name for (name,) in found} - used == OTHERWISE_USED


@pytest.mark.parametrize(
    ("index", "scenario", "table"),
    [
        ("staging_events_sortkey", "a new hour", "staging_events"),
        ("songplays_interval_time", "a new hour", "songplays"),
        ("staging_events_song", "songs that were played before", "staging_events"),
        ("songplays_song_batch_id", "songs that are withdrawn", "songplays"),
        ("staging_events_userid", "events that are withdrawn", "staging_events"),
    ],
)
def test_without_its_index_a_statement_reads_the_history(
    index: str, scenario: str, table: str, history: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = history()
    with psycopg.connect(lab.uri) as connection:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
    monkeypatch.setattr("sparkify.operators.create_tables.CreateTablesOperator.work", lambda self, context: {})
    assert table in {scan.table for scan in SCENARIOS[scenario].run(lab, monkeypatch).too_long()}
