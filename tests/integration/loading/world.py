"""A tiny warehouse without music: thermostats, the history of their modes, and aggregates of their readings.

Runs are played on it without S3, COPY and Airflow, so that thousands of interleavings can be tried. The expected tables
are computed in Python, from the source alone.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from sparkify.interval import Interval
from sparkify.loading import feed
from sparkify.loading.aggregate import Aggregate
from sparkify.loading.history import History
from sparkify.loading.load import Load
from sparkify.loading.newest import Newest
from sparkify.loading.strategy import Target
from sparkify.sql import templates
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparkify.loading.strategy import Strategy
    from sparkify.warehouse import Warehouse

START = datetime(2018, 11, 1, tzinfo=UTC)
# Moments, 20 minutes apart: two hours.
MOMENTS = 6
OPERATIONS = ROOT / "include" / "sql" / "ddl" / "operations"
DDL = """
CREATE TABLE readings (
    device BIGINT, number BIGINT, read_at TIMESTAMP, mode VARCHAR(8), target BIGINT, interval_time TIMESTAMP
);
CREATE TABLE modes (
    device BIGINT NOT NULL, valid_from TIMESTAMP NOT NULL, valid_to TIMESTAMP, is_current BOOLEAN NOT NULL,
    mode VARCHAR(8), target BIGINT, interval_time TIMESTAMP NOT NULL, row_version VARCHAR(64) NOT NULL,
    last_interval_time TIMESTAMP NOT NULL, PRIMARY KEY (device, valid_from)
);
CREATE TABLE facts (
    device BIGINT NOT NULL, number BIGINT NOT NULL, read_at TIMESTAMP NOT NULL, hour TIMESTAMP NOT NULL,
    mode VARCHAR(8), target BIGINT, interval_time TIMESTAMP NOT NULL, row_version VARCHAR(64) NOT NULL,
    PRIMARY KEY (device, number)
);
CREATE TABLE operations.changed_facts (change_id BIGINT NOT NULL, device BIGINT NOT NULL, hour TIMESTAMP NOT NULL);
CREATE TABLE hours (
    hour TIMESTAMP NOT NULL, mode VARCHAR(8) NOT NULL, readings BIGINT NOT NULL, devices BIGINT NOT NULL,
    PRIMARY KEY (hour, mode)
);
CREATE TABLE operations.changed_hours (change_id BIGINT NOT NULL, hour TIMESTAMP NOT NULL);
CREATE TABLE days (day TIMESTAMP NOT NULL, readings BIGINT NOT NULL, hours BIGINT NOT NULL, PRIMARY KEY (day));
CREATE TABLE devices (
    device BIGINT NOT NULL, first_at TIMESTAMP NOT NULL, last_at TIMESTAMP NOT NULL, readings BIGINT NOT NULL,
    PRIMARY KEY (device)
);
"""
VERSION = (
    "TO_CHAR(r.read_at, 'YYYYMMDDHH24MI') || r.number || COALESCE(r.mode, '')"
    " || '/' || COALESCE(CAST(r.target AS VARCHAR(9)), '')"
)
TABLES: dict[str, tuple[list[str], str, Strategy]] = {
    "modes": (
        ["device", "valid_from"],
        f"""
SELECT r.device, r.read_at AS valid_from, r.mode, r.target, r.interval_time, {VERSION} AS row_version
FROM readings AS r
WHERE {{{{ scope("r.interval_time", device="r.device", valid_from="r.read_at") }}}}
""",
        History(),
    ),
    "facts": (
        ["device", "number"],
        f"""
SELECT
    r.device, r.number, r.read_at, DATE_TRUNC('hour', r.read_at) AS hour, r.mode, r.target, r.interval_time,
    {VERSION} AS row_version
FROM readings AS r
WHERE {{{{ scope("r.interval_time", device="r.device", number="r.number") }}}}
""",
        Newest(images="operations.changed_facts"),
    ),
    "hours": (
        ["hour", "mode"],
        """
SELECT f.hour, COALESCE(f.mode, '') AS mode, COUNT(*) AS readings, COUNT(DISTINCT f.device) AS devices
FROM facts AS f
WHERE {{ scope("f.interval_time", hour="f.hour") }}
GROUP BY f.hour, COALESCE(f.mode, '')
""",
        Aggregate("facts", "operations.changed_facts", "operations.changed_hours"),
    ),
    "days": (
        ["day"],
        """
SELECT DATE_TRUNC('day', h.hour) AS day, CAST(SUM(h.readings) AS BIGINT) AS readings, COUNT(DISTINCT h.hour) AS hours
FROM hours AS h
WHERE {{ scope("h.hour", day="DATE_TRUNC('day', h.hour)") }}
GROUP BY DATE_TRUNC('day', h.hour)
""",
        Aggregate("hours", "operations.changed_hours"),
    ),
    "devices": (
        ["device"],
        """
SELECT f.device, MIN(f.read_at) AS first_at, MAX(f.read_at) AS last_at, COUNT(*) AS readings
FROM facts AS f
WHERE {{ scope("f.interval_time", device="f.device") }}
GROUP BY f.device
""",
        Aggregate("facts", "operations.changed_facts"),
    ),
}
HISTORY, AGGREGATES, CHAIN = ("modes",), ("facts", "hours", "devices"), ("facts", "hours", "days")


class Reading(NamedTuple):
    """A row of the source, with values from small ranges, so that conflicts are likely.

    :param at: the moment of the reading.
    :param slot: the moment at which it was delivered, which determines the interval; usually the same.
    """

    device: int
    number: int
    at: int
    slot: int
    mode: str | None
    target: int | None

    def row(self) -> tuple[Any, ...]:
        return (self.device, self.number, time(self.at), self.mode, self.target, time(self.slot))

    @property
    def version(self) -> str:
        """The row_version, in the order of the database."""
        target = "" if self.target is None else str(self.target)
        return f"{time(self.at):%Y%m%d%H%M}{self.number}{self.mode or ''}/{target}"


class Run(NamedTuple):
    """A run over the moments [start, end).

    :param rebuilds: the position of the table that it rebuilds; -1 if it rebuilds none.
    """

    start: int
    end: int
    rows: tuple[Reading, ...]
    rebuilds: int = -1

    @property
    def interval(self) -> Interval:
        return Interval(START + self.start * STEP, START + self.end * STEP)


class Play(NamedTuple):
    """Runs, and the order of their tasks.

    :param order: the number of a run for each of its tasks: one stages its rows, the others load a table each.
    """

    runs: tuple[Run, ...]
    order: tuple[int, ...]


STEP = timedelta(minutes=20)


def time(moment: int) -> datetime:
    """Return a moment as the database has it."""
    return (START + moment * STEP).replace(tzinfo=None)


moments = st.integers(0, MOMENTS - 1)
# Few runs rebuild a table: the first one, or the second.
REBUILDS = [*[-1] * 14, 0, 1]


readings = st.builds(
    Reading,
    device=st.sampled_from([0, 0, 0, 1]),
    number=st.integers(0, 2),
    at=moments,
    slot=moments,
    mode=st.sampled_from(["off", "on", None]),
    target=st.sampled_from([20, 20, 20, None]),
)


@st.composite
def runs(draw: st.DrawFn, pool: Sequence[Reading]) -> Run:
    """Draw a run that delivers some of the readings."""
    start = draw(moments)
    end = min(MOMENTS, start + draw(st.sampled_from([1, 2, 3, MOMENTS])))
    owned = [reading for reading in pool if start <= reading.slot < end]
    withdrawn = draw(st.sets(st.sampled_from(owned))) if owned else set()
    return Run(start, end, tuple(row for row in owned if row not in withdrawn), draw(st.sampled_from(REBUILDS)))


@st.composite
def plays(draw: st.DrawFn, tables: Sequence[str], most: int = 6) -> Play:
    """Draw runs whose tasks are interleaved; one reading in two is delivered in another interval."""
    pool = draw(st.lists(readings, min_size=2, max_size=8))
    pool = [row if draw(st.booleans()) else row._replace(slot=row.at) for row in pool]
    found = draw(st.lists(runs(pool), min_size=2, max_size=most))
    tasks = [number for number in range(len(found)) for _ in range(1 + len(tables))]
    order = draw(st.one_of(st.just(tasks), st.permutations(tasks)))
    return Play(tuple(found), tuple(order))


class World:
    """The tables, in a session with the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        for file in ("bookkeeping.sql", "history.sql"):
            warehouse.transaction(partial(warehouse.script, (OPERATIONS / file).read_text()))
        warehouse.transaction(lambda: warehouse.script(DDL))
        for table in TABLES:
            self._load(table, Run(0, MOMENTS, ()))
        self._marks = warehouse.query("SELECT * FROM operations.loaded_changes")

    def play(self, play: Play, tables: Sequence[str]) -> None:
        """Empty the tables, then execute the tasks of the runs in their order."""
        self._clear()
        tasks = [iter(["readings", *tables]) for _ in play.runs]
        for number in play.order:
            table, run = next(tasks[number]), play.runs[number]
            if table == "readings":
                self._stage(run)
            else:
                self._load(table, run, rebuilds=tables.index(table) == run.rebuilds)

    def actual(self, tables: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of tables."""
        columns = {
            "modes": "device, valid_from, valid_to, is_current, mode, target",
            "facts": "device, number, read_at, mode, target",
            "hours": "hour, mode, readings, devices",
            "days": "day, readings, hours",
            "devices": "device, first_at, last_at, readings",
        }
        return {
            table: sorted(self._warehouse.query(f"SELECT {columns[table]} FROM {table}"), key=repr) for table in tables
        }

    def expected(self, tables: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows that tables should have, computed from the source."""
        query = "SELECT device, number, read_at, mode, target, interval_time FROM readings"
        source = [
            Reading(device, number, int((read - time(0)) / STEP), int((slot - time(0)) / STEP), mode, target)
            for device, number, read, mode, target, slot in self._warehouse.query(query)
        ]
        found = {"modes": _modes(source), **_aggregates(source)}
        return {table: sorted(found[table], key=repr) for table in tables}

    def unread(self, *sources: str) -> int:
        """Return the number of changes of tables that an aggregate has not loaded."""
        if not sources:
            return 0
        ((found,),) = self._warehouse.query(
            " UNION ALL ".join(
                f"SELECT change_id FROM operations.changed_{source} WHERE change_id > (SELECT MIN(change_id) "
                f"FROM operations.loaded_changes WHERE table_name <> source_name AND source_name = '{source}')"
                for source in sources
            ).join(("SELECT COUNT(*) FROM (", ") AS unread"))
        )
        return int(found)

    def mark(self, *numbers: int) -> int:
        """Record the changes that an aggregate has loaded, in this order; return what is recorded then."""
        for until in numbers:
            self._warehouse.transaction(partial(feed.mark_read, self._warehouse, "hours", "facts", until))
        query = "SELECT change_id FROM operations.loaded_changes WHERE table_name = 'hours' AND source_name = 'facts'"
        ((found,),) = self._warehouse.query(query)
        return int(found)

    def kept(self) -> int:
        """Return the number of loads whose changes have not been deleted."""
        ((found,),) = self._warehouse.query("SELECT COUNT(DISTINCT change_id) FROM operations.changed_facts")
        return int(found)

    def reset(self) -> None:
        """Drop the temporary tables: a load of a run has its own session."""
        self._warehouse._rollback()
        self._warehouse._session.execute("DISCARD TEMP")
        self._warehouse._session.commit()

    def _clear(self) -> None:
        tables = ["readings", *TABLES, "operations.changed_facts", "operations.changed_hours"]
        marks = ", ".join(f"('{table}', '{source}', {change})" for table, source, change in self._marks)

        def clear() -> None:
            for table in [*tables, "operations.loaded_changes"]:
                self._warehouse.script(f"DELETE FROM {table}")
            self._warehouse.script(f"INSERT INTO operations.loaded_changes VALUES {marks}")

        self._warehouse.transaction(clear, lock=[*tables, "operations.loaded_changes"])

    def _stage(self, run: Run) -> None:
        columns = ["device", "number", "read_at", "mode", "target", "interval_time"]

        def stage() -> None:
            self._warehouse.script(
                f"DELETE FROM readings WHERE interval_time >= '{time(run.start)}' AND interval_time < '{time(run.end)}'"
            )
            self._warehouse.insert("readings", columns, [row.row() for row in run.rows])

        self._warehouse.transaction(stage, lock=["readings"])

    def _load(self, table: str, run: Run, *, rebuilds: bool = False) -> None:
        keys, sql, strategy = TABLES[table]
        template = templates.from_string(sql)
        target = Target(self._warehouse, table, keys, lambda scope: template.render(scope=scope).strip(), run.interval)
        load = Load(target, strategy, "definition")
        load.rebuild() if rebuilds else load.merge()
        self.reset()


def _modes(source: Iterable[Reading]) -> list[tuple[Any, ...]]:
    """Return the spans: one begins with each reading that differs from the one before; empty ones are dropped."""
    begins: dict[int, dict[int, Reading]] = defaultdict(dict)
    before: dict[int, Reading] = {}
    for row in sorted(source, key=lambda row: (row.device, row.at, row.version)):
        last, spans = before.get(row.device), begins[row.device]
        if last is None or (last.mode, last.target) != (row.mode, row.target) or row.at in spans:
            spans[row.at] = row
        before[row.device] = row
    return [
        (row.device, time(row.at), time(after.at) if after else None, after is None, row.mode, row.target)
        for spans in begins.values()
        for row, after in zip(spans.values(), [*list(spans.values())[1:], None], strict=True)
    ]


def _aggregates(source: Iterable[Reading]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the facts, and the groups of them."""
    newest: dict[tuple[int, int], Reading] = {}
    for row in sorted(source, key=lambda row: row.version):
        newest[row.device, row.number] = row
    hours: dict[tuple[datetime, str], list[Reading]] = defaultdict(list)
    devices: dict[int, list[Reading]] = defaultdict(list)
    for row in newest.values():
        hours[time(row.at).replace(minute=0), row.mode or ""].append(row)
        devices[row.device].append(row)
    return {
        "facts": [(row.device, row.number, time(row.at), row.mode, row.target) for row in newest.values()],
        "hours": [(*group, len(rows), len({row.device for row in rows})) for group, rows in hours.items()],
        "days": [(time(0), len(newest), len({hour for hour, _ in hours}))] if newest else [],
        "devices": [
            (device, time(min(row.at for row in rows)), time(max(row.at for row in rows)), len(rows))
            for device, rows in devices.items()
        ],
    }
