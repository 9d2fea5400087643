"""The first load of a table drops its indexes, and creates them again; nobody else notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from sandbox.lab import TABLES
from sparkify.warehouse import connect
from sparkify.warehouse.postgres import filling
from tests.support.data import event

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY = ("2018-11-01T00:00", "2018-11-02T00:00")
TABLE = "staging_events"


@pytest.fixture
def day(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab with a day to load, of which every row counts as many."""
    lab.put_events("2018-11-01", [event(f"2018-11-01T05:{n:02}", n, userId=str(n % 3)) for n in range(9)])
    monkeypatch.setattr(filling, "LEAST_ROWS", 1)
    return lab


def indexes(lab: Lab, table: str = "%") -> dict[str, str]:
    return dict(lab.query(f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE '{table}'"))


def test_a_first_load_leaves_rows_and_indexes_of_any_other(
    day: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = indexes(day)
    day.run(*DAY)
    assert indexes(day) == before
    for table in (TABLE, "songplays", "time", "events"):
        assert f"DROP INDEX {table}_sortkey" in caplog.text or table == "time"  # its primary key
        assert f"DROP INDEX {table}_pkey" not in caplog.text
    rows = day.tables()
    assert rows[TABLE]
    monkeypatch.setattr(filling, "LEAST_ROWS", 1_000_000)
    day.run(*DAY, full_refresh=True)
    assert day.tables() == rows


def test_a_table_with_rows_keeps_its_indexes(day: Lab, caplog: pytest.LogCaptureFixture) -> None:
    day.run(*DAY, tasks=["create_tables", "stage_events"])
    caplog.clear()
    with connect("redshift") as warehouse, warehouse.filling(TABLE, 1):
        assert f"{TABLE}_ts" in indexes(day, TABLE)
    assert "DROP INDEX" not in caplog.text


def test_few_rows_keep_the_indexes(day: Lab) -> None:
    with connect("redshift") as warehouse, warehouse.filling(TABLE, 0):
        assert f"{TABLE}_ts" in indexes(day, TABLE)


def test_a_reader_of_the_empty_table_is_not_waited_for(day: Lab) -> None:
    before = indexes(day, TABLE)
    with psycopg.connect(day.uri) as reader:
        reader.execute(f"SELECT COUNT(*) FROM {TABLE}")
        with connect("redshift") as warehouse, warehouse.filling(TABLE, 1):
            assert indexes(day, TABLE) == before


def test_readers_are_not_locked_out_while_the_table_is_filled(day: Lab) -> None:
    with (
        psycopg.connect(day.uri, options="-c lock_timeout=200") as reader,
        connect("redshift") as warehouse,
        warehouse.filling(TABLE, 1),
    ):
        assert indexes(day, TABLE) == {}
        insert = f"INSERT INTO {TABLE} (iteminsession, sessionid, ts) VALUES (1, 1, '2018-11-01')"

        def work() -> None:
            warehouse.script(insert)
            assert reader.execute(f"SELECT COUNT(*) FROM {TABLE}").fetchall() == [(0,)]

        warehouse.transaction(work, lock=[TABLE])


def test_the_indexes_return_after_a_failed_load(day: Lab) -> None:
    before = indexes(day, TABLE)
    with (
        pytest.raises(ZeroDivisionError),
        connect("redshift") as warehouse,
        warehouse.filling(TABLE, 1),
    ):
        raise ZeroDivisionError
    assert indexes(day, TABLE) == before


def test_create_tables_restores_the_indexes_after_a_kill(day: Lab) -> None:
    before = indexes(day)
    for table in TABLES:
        with connect("redshift") as warehouse:
            filling.drop_indexes(warehouse, table)
    assert len(indexes(day)) < len(before)
    day.run(*DAY, tasks=["create_tables"])
    assert indexes(day) == before
