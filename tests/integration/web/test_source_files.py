"""The states of the days of a source, as the panel of the page has them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.warehouse import connect
from sparkify.web import panels

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2018, 11, 1)  # noqa: DTZ001 - as in the database
TABLE = "staging_events"


@pytest.fixture
def source(lab: Lab) -> Source:
    """A source without files."""
    return Source(lab.uri)


class Source:
    """Writes the ledger, the differences and the failures of a source."""

    def __init__(self, uri: str) -> None:
        self._connection = psycopg.connect(uri, autocommit=True)

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row into a bookkeeping table."""
        names = ", ".join(values)
        places = ", ".join(["%s"] * len(values))
        self._connection.execute(f"INSERT INTO operations.{table} ({names}) VALUES ({places})", [*values.values()])

    def stage(self, start: datetime, part: tuple[int, int] | None = None, version: str = "v1", **values: Any) -> None:
        """Stage the hours ``part`` of a period; all by default."""
        bounds = {} if part is None else {"part_start": start + part[0] * HOUR, "part_end": start + part[1] * HOUR}
        row = {"table_name": TABLE, "objects": 1, "staged_at": start + DAY, **bounds, **values}
        self.insert("staged_periods", period_start=start, version=version, **row)

    def differ(self, start: datetime, state: str, version: str = "v2", **values: Any) -> None:
        """Record a difference."""
        row = {"table_name": TABLE, "found_at": start + 2 * DAY, **values}
        self.insert("source_differences", period_start=start, state=state, version=version, **row)

    def fail(self, start: datetime, end: datetime, failed_at: datetime, **values: Any) -> None:
        """Record a failed task."""
        run = {"dag_id": "sparkify_warehouse", "run_id": "run", "task_id": "stage_events", **values}
        self.insert("task_failures", run_type="manual", try_number=4, interval_start=start, interval_end=end,
                    failed_at=failed_at, error="", **run)  # fmt: skip

    def check(self, run_id: str, checked_at: datetime) -> None:
        """Record an evaluated check."""
        self.insert("data_quality_results", dag_id="sparkify_warehouse", run_id=run_id, run_type="manual",
                    interval_start=START, interval_end=START + DAY, checked_at=checked_at, table_name="songplays",
                    check_name="one", kind="not_null", severity="error", scope="interval", outcome="passed",
                    failing_rows=0, total_rows=1, seconds=1)  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Return the rows of the panel."""
    answer = panels.read("source_files")
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


def states() -> dict[str, str]:
    """Return the state of each day."""
    return {row["start_day"]: row["state"] for row in rows()}


def test_each_day_has_its_worst_state(source: Source) -> None:
    """An hourly source has several periods a day."""
    for day in range(5):
        for hour in range(24):
            source.stage(START + day * DAY + hour * HOUR, (0, 1))
    for day, found in enumerate(["changed", "missing", "vanished"], start=1):
        for hour, state in enumerate(["changed", "missing", "vanished"][:day]):
            source.differ(START + day * DAY + hour * HOUR, state, run_id=f"{found} {hour}", attempts=hour)
    source.fail(START + 4 * DAY + 5 * HOUR, START + 4 * DAY + 6 * HOUR, START + 9 * DAY)
    assert [
        (row["start_day"], row["state"], row["days"], row["since"] and row["since"][:10], row["attempts"])
        for row in rows()
    ] == [
        ("2018-11-01", "up to date", 1, None, 0),
        ("2018-11-02", "changed", 1, "2018-11-04", 0),
        ("2018-11-03", "missing", 1, "2018-11-05", 1),
        ("2018-11-04", "vanished", 1, "2018-11-06", 2),
        ("2018-11-05", "failed", 1, "2018-11-10", 0),
    ]


def test_a_difference_whose_version_is_staged_by_now_is_resolved(source: Source) -> None:
    source.stage(START, version="v1")
    source.differ(START, "changed", "v2")
    assert states() == {"2018-11-01": "changed"}
    source._connection.execute("UPDATE operations.staged_periods SET version = 'v2'")
    assert states() == {"2018-11-01": "up to date"}


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([], "missing"),
        ([(0, 5)], "missing"),
        ([(0, 5), (6, 24)], "missing"),
        ([(0, 24)], "up to date"),
        ([(0, 5), (5, 24)], "up to date"),
        ([None], "up to date"),
    ],
)
def test_a_closed_day_is_up_to_date_if_all_of_it_is_staged(
    parts: list[tuple[int, int] | None], state: str, source: Source
) -> None:
    for part in parts:
        source.stage(START, part, "v2")
    source.stage(START - DAY)
    source.differ(START, "missing", "v2")
    assert states()["2018-11-01"] == state


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([(0, 3), (5, 10)], "missing"),
        ([(0, 3), (5, 14)], "missing"),  # later hours are no substitute
        ([(0, 3), (3, 4), (4, 10)], "up to date"),
        ([(0, 9)], "missing"),
    ],
)
def test_an_open_day_is_up_to_date_if_its_ended_hours_are_staged(
    parts: list[tuple[int, int]], state: str, source: Source
) -> None:
    for number, part in enumerate(parts):
        source.stage(START, part, f"v{number}")
    source.differ(START, "missing", "", found_at=START + 10.5 * HOUR)
    assert states() == {"2018-11-01": state}


def test_a_deletion_that_was_accepted_leaves_no_day(source: Source) -> None:
    source.stage(START)
    source.stage(START + DAY)
    source.differ(START + DAY, "vanished", "none")
    assert states() == {"2018-11-01": "up to date", "2018-11-02": "vanished"}
    source._connection.execute(
        "UPDATE operations.staged_periods SET version = 'none', objects = 0 WHERE period_start = '2018-11-02'"
    )
    assert states() == {"2018-11-01": "up to date"}


def test_a_vanished_open_day_is_not_resolved_by_what_was_staged(source: Source) -> None:
    source.stage(START, (0, 10))
    source.differ(START, "vanished", "", found_at=START + 10 * HOUR)
    assert states() == {"2018-11-01": "vanished"}


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        ({}, "failed"),
        ({"failed_at": START + 12 * HOUR}, "up to date"),  # staged since
        ({"run_id": "checked"}, "up to date"),  # its checks have been evaluated since
        ({"task_id": "publish_days"}, "up to date"),
        ({"dag_id": "sparkify_audit"}, "up to date"),
        ({"start": START + DAY, "end": START + 2 * DAY}, "up to date"),
        ({"start": START - 30 * DAY, "end": START + HOUR}, "failed"),
        ({"start": START - DAY, "end": START}, "up to date"),
        ({"start": None, "end": None}, "up to date"),
    ],
)
def test_a_day_has_failed_if_one_of_its_tasks_has_failed_since_it_was_staged(
    failure: dict[str, Any], state: str, source: Source
) -> None:
    source.stage(START)
    source.check("checked", START + 10 * DAY)
    source.check("run", START + HOUR)
    source.fail(**{"start": START, "end": START + DAY, "failed_at": START + 5 * DAY, **failure})
    assert states() == {"2018-11-01": state}


def test_days_before_the_last_sixty_are_months(source: Source) -> None:
    for number in range(3653):
        source.stage(START - number * DAY)
    source.differ(START - 70 * DAY, "changed")
    source.differ(START - 100 * DAY, "vanished")
    source.differ(START - 102 * DAY, "vanished")
    source.stage(START + 70 * 365 * DAY)  # a range that ends in the future
    found = rows()
    days = [row for row in found if not row["is_month"]]
    assert [row["start_day"] for row in days] == [f"{START - number * DAY:%F}" for number in reversed(range(60))]
    months = [row for row in found if row["is_month"]]
    assert len(months) == 119 + 2
    assert sum(row["days"] for row in found) == 3653
    assert [
        (row["start_day"], row["state"], row["days"], row["first_day"], row["last_day"]) for row in months[-6:-1]
    ] == [
        ("2018-06-01", "up to date", 30, "2018-06-01", "2018-06-30"),
        ("2018-07-01", "vanished", 2, "2018-07-22", "2018-07-24"),
        ("2018-07-01", "up to date", 29, "2018-07-01", "2018-07-31"),
        ("2018-08-01", "changed", 1, "2018-08-23", "2018-08-23"),
        ("2018-08-01", "up to date", 30, "2018-08-01", "2018-08-31"),
    ]


def test_each_source_has_its_own_days(source: Source) -> None:
    source.stage(START)
    source.stage(START, table_name="staging_ratings")
    source.differ(START, "changed", table_name="staging_ratings")
    assert [(row["table_name"], row["state"]) for row in rows()] == [
        ("staging_events", "up to date"), ("staging_ratings", "changed"),
    ]  # fmt: skip


def test_ten_years_of_hours_are_read_in_one_pass(source: Source) -> None:
    """No part of the plan repeats for each row of the ledger."""
    source._connection.execute(
        "INSERT INTO operations.staged_periods (table_name, period_start, version, objects, staged_at) "
        "SELECT 'staging_events', TIMESTAMP '2008-11-01' + n * INTERVAL '1 hour', 'v', 1, '2018-11-01' "
        "FROM generate_series(0, 87599) AS n"
    )
    source._connection.execute(
        "INSERT INTO operations.source_differences (table_name, period_start, state, version, found_at) "
        "SELECT 'staging_events', TIMESTAMP '2008-11-01' + n * INTERVAL '10 hours', 'changed', 'w', '2018-11-01' "
        "FROM generate_series(0, 8759) AS n"
    )
    source._connection.execute("ANALYZE operations.staged_periods; ANALYZE operations.source_differences")
    with connect("redshift") as warehouse:
        plan = warehouse.query(f"EXPLAIN (ANALYZE, FORMAT JSON) {panels.sql('source_files')}")[0][0]

    def scanned(node: dict[str, Any]) -> int:
        own = node["Actual Rows"] * node["Actual Loops"] if "Relation Name" in node else 0
        return int(own) + sum(scanned(child) for child in node.get("Plans", ()))

    assert scanned(plan[0]["Plan"]) <= 4 * (87_600 + 8_760)
