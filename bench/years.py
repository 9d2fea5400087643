"""Ten years of history: an hour after it, an old hour, the audit and the warehouse page, beside one year of history.

The histories are generated in the databases, as for the page (``bench/page_data.sql``), with as many plays in each
year: the plays, the marts of them, the history of users and the ledger of files, without loading files. Then hours
are loaded into both in turn, by the DAG's own tasks: those of the next day, which has the events of the last one
again, and those of a day in the middle, after a change of its file. Then the checks of whole tables are evaluated,
and the panels of the page are queried, each on a server that was restarted.

The usual way to load the star schema (``bench/classic.sql``) is timed on the same histories, and rolled back. What
100 million plays would take is extrapolated on the line through both histories.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg

from bench import days, history, page
from bench.results import Goal, ResultTable, spread
from sandbox import servers
from sandbox.airflow import connections
from sandbox.lab import TABLES, Lab
from sparkify.web.days import DEFAULT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.testbed import Testbed

HOUR, OLD, AUDIT = "an hour", "an old hour", "the audit, all checks of whole tables"
PANELS = "the slowest panel of the page, {}"
PLAYS = 100_000_000  # to extrapolate to
COLUMNS = TABLES["staging_events"].split(", ")
# The names of the fields in the files: those of the columns have no upper case.
FIELDS = {name.lower(): name for name in ("firstName", "lastName", "itemInSession", "sessionId", "userAgent", "userId")}
OTHER_SESSIONS = 1_000_000_000
LEDGER = """
INSERT INTO operations.staged_periods (table_name, period_start, version, objects, size_bytes, staged_at)
SELECT 'staging_events', DATE_TRUNC('day', interval_time), 'generated', 1, 1, CURRENT_TIMESTAMP
FROM staging_events
GROUP BY DATE_TRUNC('day', interval_time)
"""


@dataclass
class Years:
    """A history, on a server of its own.

    :param years: its length.
    :param folder: the data of the server.
    :param lab: the database, and the bucket with the files of the hours.
    :param end: the start of the day after the history (UTC).
    :param size: bytes of the database.
    :param seconds: what was measured, by its name.
    """

    years: int
    plays: int
    folder: Path
    lab: Lab
    end: datetime
    size: int
    seconds: dict[str, list[float]] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--years", type=int, nargs=2, default=[1, 10], help="years of history (%(default)s)")
    parser.add_argument("--plays", type=int, default=400_000, help="plays a year (%(default)s)")
    parser.add_argument("--users", type=int, default=30_000, help="users at the end (%(default)s)")
    parser.add_argument("--songs", type=int, default=50_000, help="different songs (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timed hours of each kind (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.years, given.plays, given.users, given.songs, given.rounds = [1, 2], 20_000, 50, 50, 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table."""
    logging.disable()  # tasks log each statement
    with ExitStack() as stack:
        histories = [_build(given, years, testbed, stack, progress) for years in sorted(given.years)]
        for number in range(given.rounds + 1):
            for built in histories:
                _run_hours(built, number)
        for built in histories:
            _audit(built)
            hour = built.lab.one("SELECT DATE_TRUNC('hour', MAX(interval_time)) FROM staging_events")
            built.seconds[history.BASELINE] = [history.run_classic(built.lab, hour.replace(tzinfo=UTC))]
            progress(f"{built.years} years: audited in {built.seconds[AUDIT][0]:.0f} s")
    for built in histories:
        _query_page(built)
    yield _table(*histories)


def _build(
    given: argparse.Namespace, years: int, testbed: Testbed, stack: ExitStack, progress: Callable[[str], None]
) -> Years:
    """Start a server and create a history."""
    folder, bucket, plays = testbed.folder / f"years-{years}", f"years-{years}", years * given.plays
    server = stack.enter_context(servers.postgres(folder))
    uri = server.create_database(page.DATABASE)
    lab = Lab(uri, testbed.bucket(bucket), bucket, connections(server, page.DATABASE, testbed.s3))
    os.environ.update(lab.environment)
    # The definitions of the tables are recorded as long as they are empty: later, that would rebuild them.
    start = datetime.combine(page.START, datetime.min.time(), UTC)
    tasks = [task for task in lab.dag.task_ids if task not in ("data_quality", "publish_days")]
    lab.run((start - timedelta(days=1)).isoformat(), start.isoformat(), tasks=tasks)
    began = time.perf_counter()
    page.fill(uri, plays, given.users, given.songs, progress, years)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(LEDGER)
    last = lab.one("SELECT DATE_TRUNC('day', MAX(interval_time)) FROM staging_events")
    end = last.replace(tzinfo=UTC) + timedelta(days=1)
    lab.run(start.isoformat(), end.isoformat(), tasks=["load_users_history"], full_refresh=True)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE users_history, operations.staged_periods")
    size = lab.one("SELECT pg_database_size(current_database())")
    progress(f"{years} years: {plays:,} plays, {size / 1e9:.1f} GB in {time.perf_counter() - began:.0f} s")
    return Years(years, plays, folder, lab, end, size)


def _run_hours(built: Years, number: int) -> None:
    """Run an hour of the next day and one in the middle of the history.

    :param number: of the round; what the first one takes is not recorded.
    """
    os.environ.update(built.lab.environment)
    store, last = built.lab.store, built.end - timedelta(days=1)
    hour, lines = _busiest(_events(built.lab, last, shift=timedelta(days=1)), number)
    days.put(store, hour, lines)
    events = _events(built.lab, last - timedelta(days=(last.date() - page.START).days // 2))
    old, _ = _busiest(events, number)
    days.put(store, old, [line for _, line in events])
    days.change(store, old)
    for name, start in ((HOUR, hour), (OLD, old)):
        tasks: dict[str, list[float]] = {}
        history.run_hour(built.lab, start, tasks)
        if number:
            built.seconds.setdefault(name, []).extend(tasks[history.TOTAL])


def _busiest(events: Sequence[tuple[datetime, bytes]], number: int) -> tuple[datetime, list[bytes]]:
    """Return an hour of a day and its lines.

    :param number: 0 for the busiest hour, 1 for the next one.
    """
    hours: dict[datetime, list[bytes]] = {}
    for at, line in events:
        hours.setdefault(at.replace(minute=0, second=0, microsecond=0), []).append(line)
    return sorted(hours.items(), key=lambda item: -len(item[1]))[number]


def _events(lab: Lab, day: datetime, shift: timedelta = timedelta(0)) -> list[tuple[datetime, bytes]]:
    """Return the staged events of a day, in order, as the lines of its file.

    :param shift: added to their times; then they are of other sessions.
    """
    start = day.replace(hour=0, tzinfo=None)
    with psycopg.connect(lab.uri) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM staging_events "
            "WHERE interval_time >= %s AND interval_time < %s ORDER BY ts, sessionid, iteminsession",
            [start, start + timedelta(days=1)],
        ).fetchall()
    found = []
    for row in rows:
        event: dict[str, Any] = {FIELDS.get(name, name): value for name, value in zip(COLUMNS, row, strict=True)}
        at = event["ts"].replace(tzinfo=UTC) + shift
        event |= {"ts": round(at.timestamp() * 1000), "userId": str(event["userId"])}
        event["sessionId"] += bool(shift) * OTHER_SESSIONS
        found.append((at, json.dumps(event, default=float).encode()))
    return found


def _audit(built: Years) -> None:
    """Evaluate the checks of whole tables."""
    os.environ.update(built.lab.environment)
    began = time.perf_counter()
    built.lab.run(page.START.isoformat(), built.end.isoformat(), dag_id="sparkify_audit")
    built.seconds[AUDIT] = [time.perf_counter() - began]


def _query_page(built: Years) -> None:
    """Query the panels of the page, each on a server that was restarted."""
    with servers.postgres(built.folder) as server:
        queries, _ = page.panel_queries(server)
    for asked in (DEFAULT, page.ALL):
        panels = [query for (_, days_), query in queries.items() if days_ == asked]
        built.seconds[PANELS.format(asked)] = [max(page.seconds_of(built.folder, query) for query in panels)]


def _table(short: Years, long: Years) -> ResultTable:
    """Return the medians, and what they would be with more plays."""
    rows: list[Sequence[str]] = []
    for name in short.seconds:
        first, last = median(short.seconds[name]), median(long.seconds[name])
        more = last + (last - first) / (long.plays - short.plays) * (PLAYS - long.plays)
        rows.append(
            [name, spread(short.seconds[name]), spread(long.seconds[name]), f"{last / first:.2f}", f"{more:.1f}"]
        )
    return ResultTable(
        f"{long.years} years of {long.plays // long.years:,} plays each: seconds, median (min to max)",
        [
            "",
            f"{short.plays:,} plays (baseline)",
            f"{long.plays:,} plays",
            "ratio",
            f"{PLAYS:,} plays, extrapolated",
        ],
        rows,
        [
            Goal(f"cost of {name}, {long.years} years to {short.years}:", _ratio(short, long, name), most=history.GOAL)
            for name in (HOUR, OLD)
        ],
        [
            f"The databases have {short.size / 1e9:.1f} and {long.size / 1e9:.1f} GB, "
            f"{long.size / long.plays:,.0f} bytes per play; {PLAYS:,} plays would have "
            f"{long.size / long.plays * PLAYS / 1e9:,.0f}.",
            "Extrapolated: t = t2 + (t2 - t1) / (n2 - n1) x (n - n2), t1 and t2 the medians with n1 and n2 plays.",
        ],
    )


def _ratio(short: Years, long: Years, name: str) -> float:
    return median(long.seconds[name]) / median(short.seconds[name])
