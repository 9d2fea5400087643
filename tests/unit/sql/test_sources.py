"""The lineage of the columns of a SELECT."""

from __future__ import annotations

import pytest
from sqlglot.errors import SqlglotError

from sparkify.loading.history import History
from sparkify.sql.sources import COMPUTED, column_sources

TABLES = {
    "events": {"id": "bigint", "name": "varchar", "at": "timestamp"},
    "raw.songs": {"id": "bigint", "title": "varchar"},
}


def test_columns_are_traced_through_subqueries_to_tables_of_any_schema() -> None:
    select = """
        SELECT MD5(e.name || e.id) AS key, s.title, 1 AS one, e.at, l.batch
        FROM events AS e
        LEFT JOIN (SELECT id, UPPER(title) AS title FROM raw.songs) AS s ON e.id = s.id
        INNER JOIN operations.other AS l ON l.id = e.id
        WHERE e.unknown IN (SELECT x FROM temporary)
    """
    assert column_sources(select, TABLES) == {
        "key": [("events", "id"), ("events", "name")],
        "title": [("raw.songs", "title")],
        "one": [],
        "at": [("events", "at")],
        "batch": [],
    }


def test_invalid_sql_has_no_lineage() -> None:
    with pytest.raises(SqlglotError):
        column_sources("SELECT FROM WHERE (", TABLES)


def test_the_computed_columns_of_a_history_come_from_the_times_of_its_spans() -> None:
    select = "SELECT s.id, s.ts AS valid_from, s.ts AS interval_time FROM source AS s"
    tables = {"source": {"id": "BIGINT", "ts": "TIMESTAMP"}}
    assert list(COMPUTED) == list(History.computed)
    assert column_sources(select, tables, ["id", "valid_from", "interval_time", *COMPUTED]) == {
        "id": [("source", "id")],
        **{name: [("source", "ts")] for name in ("valid_from", "interval_time", *COMPUTED)},
    }
    assert not set(COMPUTED) & set(column_sources(select, tables, ["id", "valid_from"]))
