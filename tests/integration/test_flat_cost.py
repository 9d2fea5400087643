"""The cost of a run depends on its interval, not on the length of the history.

An hourly run on ten months of history is measured by the rows that each scan of each statement reads: few of an hour,
many of the history.
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

# UTC: the start of the history, the start of its last hour, the start of the next hour, and an hour in the middle.
START, LAST, NEXT = datetime(2018, 1, 1), datetime(2018, 11, 1, 4), datetime(2018, 11, 1, 5)  # noqa: DTZ001
OLD = datetime(2018, 6, 1, 12)  # noqa: DTZ001
EVENTS, USERS, SONGS = 100_000, 16_000, 10_000
ARTISTS = SONGS // 2
LATEST, NEW = range(SONGS, SONGS + 5), range(SONGS + 5, SONGS + 10)  # songs added after the catalogue
HOUR_EVENTS = EVENTS * timedelta(hours=1) // (LAST - START)  # the average of the history: 13

# Maximum rows per scan: a multiple of an hour's rows, a fraction of any table.
LIMIT = 500

# Tables that grow with the history or the catalogue.
GROWING = {*TABLES, "staged_objects", "staged_batches", "loaded_batches", "source_fields"}

# Allowed full scans: tables by the beginning of the statement. They grow with the catalogue, not with the plays.
WHOLE = {
    # The list of all objects in S3 is compared with the whole ledger.
    "SELECT object_key": {"staged_objects"},
    # One small row per batch, in three loads.
    "Find out what": {"staged_batches", "loaded_batches"},
}
# Indexes that no hourly run uses: for queries of the latest results and failed tasks, for summaries of backfills, for
# queries of the sessions of a day, and a primary key.
OTHERWISE_USED = {
    "sessions_sortkey",
    "hourly_plays_pkey",
    "source_differences_sortkey",
    "data_quality_results_sortkey",
    "task_failures_sortkey",
    "backfill_summaries_sortkey",
}

# Of a table with so few rows that it is read with or without its index.
EITHER = {"table_definitions_sortkey"}

# Sessions of four events, one in seven not a play; a third of the titles are in the catalogue.
HISTORY = f"""
INSERT INTO staging_events
SELECT
    'Artist ' || title % {ARTISTS}, 'Logged In', 'Kaylee', 'F', g % 4, 'Summers', 200 + title % 300, 'free', 'Phoenix',
    'PUT', CASE WHEN g % 7 = 0 THEN 'Home' ELSE 'NextSong' END, 1540344794796, g / 4, 'Title ' || title, 200, ts,
    'Mozilla/5.0', 1 + g / 4 % {USERS}, ts
FROM (
    SELECT
        g,
        CAST(g AS BIGINT) * 7919 % {3 * SONGS} AS title,
        TIMESTAMP '{START}' + g * (TIMESTAMP '{LAST}' - TIMESTAMP '{START}') / {EVENTS} AS ts
    FROM generate_series(0, {EVENTS - 1}) AS g
) AS played
"""
# As if new songs had arrived every other hour.
BATCHES = """
INSERT INTO operations.staged_batches
SELECT 'staging_songs', batch_id, TRUE, 0, 0, TIMESTAMP '2018-01-01' FROM generate_series(1001, 4000) AS batch_id;
INSERT INTO operations.loaded_batches
SELECT table_name, batch_id FROM (VALUES ('songs'), ('artists'), ('songplays')) AS loaded (table_name),
generate_series(1001, 4000) AS batch_id;
"""
# As if the files of each day, and of each batch, had been sampled.
SAMPLES = f"""
INSERT INTO operations.source_fields
SELECT 'staging_events', day, NULL, 'Field ' || number, NULL, 'string', 100, day, day, 'file', 1
FROM generate_series(TIMESTAMP '{START}', TIMESTAMP '{LAST}' - INTERVAL '1 day', INTERVAL '1 day') AS day,
generate_series(1, 20) AS number;
INSERT INTO operations.source_fields
SELECT 'staging_songs', NULL, batch_id, 'Field ' || number, NULL, 'string', 1, '2018-01-01', '2018-01-01', 'file', 1
FROM generate_series(1001, 4000) AS batch_id, generate_series(1, 10) AS number;
"""


def plays(titles: range) -> int:
    """Return the number of plays of titles in the history."""
    return sum(g % 7 != 0 and g * 7919 % (3 * SONGS) in titles for g in range(EVENTS))


def played(start: datetime, session: int, level: str = "free") -> list[dict[str, Any]]:
    """Return the events of an hour, with users and titles of the history."""
    return [
        event(
            (start + number * timedelta(minutes=4)).isoformat(timespec="milliseconds"),
            session,
            number,
            userId=str(1 + number),
            level=level,
            **_title(number * 113 % (3 * SONGS), song="song", artist="artist", length="length"),
        )
        for number in range(HOUR_EVENTS)
    ]


def catalogued(titles: range) -> str:
    """Return an object with the metadata of songs, one per line."""
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
    """A scan of a table in a statement.

    :param rows: visited rows, including those removed by a filter; an empty probe counts as one.
    """

    statement: str
    table: str
    kind: str
    rows: int


class Plans:
    """The scans and indexes of the tasks' statements, as measured by PostgreSQL."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []
        self.indexes: set[str] = set()

    def measure(self, cursor: Any, statement: str) -> None:
        """Execute a statement with EXPLAIN ANALYZE and roll it back."""
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
            removed = sum(count for name, count in node.items() if name.startswith("Rows Removed by"))
            rows = round(loops * max(1, node["Actual Rows"] + removed))
            self.scans.append(Scan(statement, node["Relation Name"], node["Node Type"], rows))
        for child in node.get("Plans", ()):
            self._collect(statement, child)

    def exceeding(self) -> list[Scan]:
        """Return the scans that exceed the limit."""
        return [
            scan
            for scan in self.scans
            if scan.rows > LIMIT
            and scan.table in GROWING
            and not any(scan.statement.startswith(start) and scan.table in tables for start, tables in WHOLE.items())
        ]


class Scenario(NamedTuple):
    """A change in the bucket, followed by an hourly run.

    :param prepare: changes the bucket.
    :param hour: the hour of the run.
    :param evidence: a SELECT of a number, and the expected change of that number.
    """

    prepare: Callable[[Lab], None]
    hour: datetime
    evidence: tuple[str, int]

    def run(self, lab: Lab, patch: pytest.MonkeyPatch) -> Plans:
        """Run the scenario; return the scans of the run's statements."""
        plans = Plans()
        execute = Postgres._execute

        def measure(self: Postgres, cursor: Any, statement: str, parameters: Sequence[Any] | None = None) -> None:
            # Statements with parameters insert given rows and read none.
            if MEASURED.match(statement) and parameters is None:
                plans.measure(self._session.cursor(), statement)
            execute(self, cursor, statement, parameters)

        _connect(lab, patch)
        patch.setattr(Postgres, "_execute", measure)
        select, change = self.evidence
        before = lab.one(select)
        self.prepare(lab)
        lab.run(*hour(self.hour), accept_vanished=True)
        assert lab.one(select) - before == change
        return plans


MEASURED = re.compile(r"(--[^\n]*\n|\s)*(SELECT|INSERT|UPDATE|DELETE|MERGE|CREATE TEMP TABLE \w+ AS)\b")
LINKED = f"SELECT COUNT(song_id) FROM songplays WHERE start_time < '{LAST}'"
SCENARIOS = {
    "a new hour": Scenario(lambda lab: None, NEXT, ("SELECT COUNT(*) FROM songplays", HOUR_EVENTS)),
    "late-arriving songs": Scenario(
        lambda lab: lab.put("song_data/new.json", catalogued(NEW)), NEXT, (LINKED, plays(NEW))
    ),
    "deleted songs": Scenario(lambda lab: lab.store.delete("song_data/latest.json"), NEXT, (LINKED, -plays(LATEST))),
    "deleted events": Scenario(
        lambda lab: lab.put_events(f"{LAST:%Y-%m-%d}", played(LAST, session=EVENTS)[5:]),
        LAST,
        ("SELECT COUNT(*) FROM songplays", -5),
    ),
    # In the middle of the history; the users of its events become paid for a moment.
    "an old hour": Scenario(
        lambda lab: lab.put_events(f"{OLD:%Y-%m-%d}", played(OLD, session=3 * EVENTS, level="paid")),
        OLD,
        ("SELECT COUNT(*) FROM users_history WHERE level = 'paid'", HOUR_EVENTS),
    ),
}


@pytest.fixture(scope="module")
def history(postgres: servers.PostgresServer, s3: servers.S3Server) -> Iterator[Callable[[], Lab]]:
    """Return a function that creates labs with the history, as copies of one database."""
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
    """Set Airflow's connections to a lab."""
    for variable, value in lab.environment.items():
        patch.setenv(variable, value)


def _load_history(lab: Lab, patch: pytest.MonkeyPatch) -> None:
    """Load the catalogue, then the latest songs; generate staged events and load them."""
    _connect(lab, patch)
    lab.store.rename("song_data/latest.json", "later.json")
    songs = ["create_tables", "stage_songs", "load_songs", "load_artists"]
    lab.run(*hour(START), tasks=songs)
    lab.store.rename("later.json", "song_data/latest.json")
    lab.run(*hour(START), tasks=songs)
    with psycopg.connect(lab.uri) as connection:
        connection.execute(HISTORY)
        connection.execute(BATCHES)
        connection.execute(SAMPLES)
        connection.execute(
            "ANALYZE staging_events, operations.staged_batches, operations.loaded_batches, operations.source_fields"
        )
    loads = [task for task in lab.dag.task_ids if task.startswith("load_") and task not in songs]
    lab.run(START.isoformat(), LAST.isoformat(), tasks=loads)
    lab.run(*hour(LAST), tasks=["stage_events", *loads])


@pytest.fixture(scope="module")
def plans(history: Callable[[], Lab]) -> dict[str, Plans]:
    """Return the scans of each scenario."""
    found = {}
    for name, scenario in SCENARIOS.items():
        with pytest.MonkeyPatch.context() as patch:
            found[name] = scenario.run(history(), patch)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_scan_exceeds_the_limit(scenario: str, plans: dict[str, Plans]) -> None:
    assert plans[scenario].exceeding() == []


def test_full_scans_of_the_history_would_exceed_the_limit(history: Callable[[], Lab]) -> None:
    short = {name for name, rows in history().counts().items() if rows < 10 * LIMIT}
    assert short == {"daily_activity"}  # a row per day and level


def test_a_long_load_analyzes_the_tables_and_an_hourly_load_does_not(
    history: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = history()
    _connect(lab, monkeypatch)
    expected = dict(lab.query("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"))
    assert {name: expected[name] for name in TABLES} == pytest.approx(lab.counts(), rel=0.01)
    lab.run(*hour(NEXT))
    assert lab.query("SELECT relname FROM pg_stat_user_tables WHERE analyze_count > 0") == []


def test_every_index_is_used(history: Callable[[], Lab], plans: dict[str, Plans]) -> None:
    """Unused indexes would only slow down writes."""
    found = history().query("SELECT indexname FROM pg_indexes WHERE schemaname IN ('public', 'operations')")
    used = set().union(*(of_scenario.indexes for of_scenario in plans.values()))
    assert {name for (name,) in found} - used - EITHER == OTHERWISE_USED


@pytest.mark.parametrize(
    ("index", "scenario", "table"),
    [
        ("staging_events_sortkey", "a new hour", "staging_events"),
        ("songplays_interval_time", "a new hour", "songplays"),
        ("staging_events_length_song", "late-arriving songs", "staging_events"),
        ("songplays_song_batch_id", "deleted songs", "songplays"),
        ("staging_events_user_time", "deleted events", "staging_events"),
    ],
)
def test_without_its_index_a_statement_reads_the_history(
    index: str, scenario: str, table: str, history: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = history()
    with psycopg.connect(lab.uri) as connection:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index)))
    monkeypatch.setattr("sparkify.operators.create_tables.CreateTablesOperator.work", lambda self, context: {})
    assert table in {scan.table for scan in SCENARIOS[scenario].run(lab, monkeypatch).exceeding()}
