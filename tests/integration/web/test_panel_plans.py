"""No panel scans the plays or the events, however many there are: it reads the marts, or an index."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.web import panels
from sparkify.web.days import Days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox import servers

# The tables that grow with the events.
LARGE = {"songplays", "staging_events", "events", "time"}
PLAYS = 40_000
DAYS = Days(date(2018, 11, 1), date(2018, 11, 28))
# Panels that read more than the chosen days: weeks, months and cohorts are distinct counts of users in whole periods.
# plays_by_hour reads its maximum of hours only, backwards.
WHOLE = {"active_users", "retention", "plays_by_hour"}
# Panels that read whole months from a table of months, and the other days from daily_songs.
OF_MONTHS = ["top_artists", "top_songs"]
# Rows that a panel may read of a large table, through an index: those of the latest day, as of `PLAYS` in 334 days.
MOST = 200


@pytest.fixture(scope="module")
def warehouse(postgres: servers.PostgresServer) -> Iterator[str]:
    """A database with a year of plays, as the benchmark generates it."""
    from bench import page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "DATABASE", "panel-plans")
        patch.setenv("AIRFLOW_CONN_REDSHIFT", "")
        page.build(postgres, PLAYS, 200, 500, print)
        yield postgres.uri(page.DATABASE)
    with psycopg.connect(postgres.uri(), autocommit=True) as server:
        server.execute('DROP DATABASE "panel-plans" WITH (FORCE)')


def scans(node: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield table, kind and rows of each scan that was executed."""
    if "Relation Name" in node and node["Actual Loops"]:
        removed = sum(count for name, count in node.items() if name.startswith("Rows Removed by"))
        yield node["Relation Name"], node["Node Type"], node["Actual Loops"] * (node["Actual Rows"] + removed)
    for child in node.get("Plans", ()):
        yield from scans(child)


def plan(uri: str, name: str, days: Days | None) -> list[tuple[str, str, float]]:
    """Return the scans of a panel."""
    with psycopg.connect(uri) as connection:
        tables = connection.execute(
            "SELECT relname, CAST(reltuples AS BIGINT) FROM pg_class WHERE relkind = 'r'"
        ).fetchall()
        large = {table: rows for table, rows in tables if rows > 10_000}
        statement = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {panels.sql(name, days, large)}"
        ((((root,)),),) = connection.execute(statement.encode()).fetchall()
    return list(scans(root["Plan"]))


@pytest.mark.parametrize("days", [DAYS, None], ids=["four weeks", "all days"])
@pytest.mark.parametrize("name", panels.declared())
def test_no_panel_scans_the_facts(warehouse: str, name: str, days: Days | None) -> None:
    read = [scan for scan in plan(warehouse, name, days) if scan[0] in LARGE]
    assert [scan for scan in read if scan[1] == "Seq Scan" or scan[2] > MOST] == []
    if name not in ("tables", "freshness"):
        assert read == []


@pytest.mark.parametrize(
    "name",
    [name for name, panel in panels.declared().items() if panel.has_days and name not in {*WHOLE, *OF_MONTHS}],
)
def test_a_panel_reads_the_chosen_days_only(warehouse: str, name: str) -> None:
    few, all_days = (sum(scan[2] for scan in plan(warehouse, name, days)) for days in (DAYS, None))
    assert 0 < few < all_days / 5


@pytest.mark.parametrize("name", OF_MONTHS)
def test_long_ranges_are_read_by_month(warehouse: str, name: str) -> None:
    """Of 28 days, and of a year but for its last 5 days: the days that are not in a whole month."""
    with psycopg.connect(warehouse) as connection:
        query = "SELECT COUNT(*), COUNT(*) FILTER (WHERE day >= %s) FROM daily_songs"
        ((all_days, december),) = connection.execute(query, [date(2018, 12, 1)]).fetchall()
    year = Days(date(2018, 1, 1), date(2018, 12, 26))
    few, rest = (
        sum(scan[2] for scan in plan(warehouse, name, days) if scan[0] == "daily_songs") for days in (DAYS, year)
    )
    assert 0 < few < all_days / 5
    assert 0 < rest <= december
