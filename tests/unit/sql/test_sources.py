"""The lineage of the columns of a SELECT."""

from __future__ import annotations

import pytest
from sqlglot.errors import SqlglotError

from sparkify.sql.sources import column_sources

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
