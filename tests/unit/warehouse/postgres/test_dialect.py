"""The translation of Redshift's statements for PostgreSQL."""

from __future__ import annotations

import pytest
import sqlglot

from sparkify.warehouse.postgres.dialect import SHARED, UnsupportedStatementError, to_postgres

UNCHANGED = [
    "SELECT 1",
    "select 1;",
    "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
    "INSERT INTO t (a) VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t USING u WHERE t.a = u.a",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = u.b "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a)",
    "DROP TABLE IF EXISTS t",
    "ANALYZE t",
    "ALTER TABLE t ADD COLUMN a INTEGER",
    "SET search_path TO sparkify",
    "EXPLAIN SELECT 1",
    "CREATE SCHEMA IF NOT EXISTS operations",
    "CREATE VIEW v AS SELECT 1 AS a",
    "CREATE OR REPLACE VIEW v AS SELECT 1 AS a",
    "CREATE INDEX i ON t (a)",
    "CREATE TEMP TABLE t (LIKE u INCLUDING DEFAULTS)",
    "-- What it is for.\n-- And more.\nSELECT 1",
    "/* What it is for;\n and more */ SELECT 1",
    # A transpiler would change DATEDIFF, AVG of integers, GETDATE.
    "SELECT AVG(a), GETDATE(), DATEDIFF(day, a, b) FROM t",
]


@pytest.mark.parametrize("statement", UNCHANGED)
def test_statements_with_the_same_semantics_are_unchanged(statement: str) -> None:
    assert to_postgres(statement) == [statement]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("LOCK songs", ["LOCK TABLE songs IN SHARE ROW EXCLUSIVE MODE"]),
        ("LOCK TABLE songs;", ["LOCK TABLE songs IN SHARE ROW EXCLUSIVE MODE"]),
        ("-- Wait.\nlock operations.a, b ;", ["LOCK TABLE operations.a, b IN SHARE ROW EXCLUSIVE MODE"]),
        ("CREATE TEMP TABLE t AS SELECT 1 AS a", ["CREATE TEMP TABLE t AS SELECT 1 AS a", "ANALYZE t"]),
        ("-- c\ncreate temporary table t\nas select 1", ["-- c\ncreate temporary table t\nas select 1", "ANALYZE t"]),
        ('LOCK "my t" -- it\n, u', ['LOCK TABLE "my t", u IN SHARE ROW EXCLUSIVE MODE']),
        (
            'CREATE /* b */ TEMP TABLE "my t" AS SELECT 1',
            ['CREATE /* b */ TEMP TABLE "my t" AS SELECT 1', 'ANALYZE "my t"'],
        ),
        ("CREATE TABLE t (a INTEGER NOT NULL)", ["CREATE TABLE t (a INT NOT NULL)"]),
        ("-- c\nCREATE TABLE IF NOT EXISTS o.t (a INTEGER)", ["CREATE TABLE IF NOT EXISTS o.t (a INT)"]),
        ("CREATE TABLE t (a INTEGER) DISTSTYLE ALL", ["CREATE TABLE t (a INT)"]),
        ("CREATE TABLE t (a INTEGER) DISTSTYLE KEY DISTKEY (a)", ["CREATE TABLE t (a INT)"]),
        ("CREATE TABLE t (a INTEGER ENCODE zstd NOT NULL, b BOOLEAN)", ["CREATE TABLE t (a INT NOT NULL, b BOOLEAN)"]),
        (
            "CREATE TABLE t (a VARCHAR(10) DEFAULT 'x', b DOUBLE PRECISION, PRIMARY KEY (a))",
            ["CREATE TABLE t (a VARCHAR(10) DEFAULT 'x', b DOUBLE PRECISION, PRIMARY KEY (a))"],
        ),
    ],
)
def test_other_statements_are_translated(statement: str, expected: list[str]) -> None:
    assert to_postgres(statement) == expected


@pytest.mark.parametrize("kind", ["SORTKEY", "COMPOUND SORTKEY"])
@pytest.mark.parametrize(("schema", "table"), [("", "t"), ("o.", "o.t")])
@pytest.mark.parametrize("columns", ["a", "a, b"])
def test_a_sort_key_becomes_an_index(kind: str, schema: str, table: str, columns: str) -> None:
    created, index = to_postgres(f"CREATE TABLE IF NOT EXISTS {table} (a BIGINT, b BIGINT) {kind} ({columns});")
    assert created == f"CREATE TABLE IF NOT EXISTS {table} (a BIGINT, b BIGINT)"
    assert index == (
        f"DO $$ BEGIN IF to_regclass('{schema}t_sortkey') IS NULL THEN "
        f"CREATE INDEX t_sortkey ON {table} ({columns}); END IF; END $$"
    )


@pytest.mark.parametrize(("sort_key", "indexes"), [("a", 0), ("a, b", 0), ("b", 1), ("b, a", 1), ("a, b, c", 1)])
def test_a_sort_key_that_the_primary_key_begins_with_needs_no_second_index(sort_key: str, indexes: int) -> None:
    created, *more = to_postgres(
        f"CREATE TABLE t (a BIGINT, b BIGINT, c BIGINT, PRIMARY KEY (a, b)) SORTKEY ({sort_key})"
    )
    assert created.endswith("PRIMARY KEY (a, b))")
    assert len(more) == indexes


def test_an_index_is_created_only_if_it_is_missing() -> None:
    create = "CREATE INDEX IF NOT EXISTS songs_title ON songs (title)"
    expected = f"DO $$ BEGIN IF to_regclass('songs_title') IS NULL THEN {create}; END IF; END $$"
    assert to_postgres(f"-- For plays.\n{create};\n") == [expected]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("VACUUM songs", "'VACUUM songs'"),
        ("TRUNCATE songs", "'TRUNCATE songs'"),
        ("-- Away with it.\nTRUNCATE songs", "'TRUNCATE songs'"),
        ("UNLOAD ('SELECT 1') TO 's3://b/k'", "\"UNLOAD ('SELECT"),
        ("CALL load()", "'CALL load()'"),
        ("COPY songs FROM 's3://b/k'", "'COPY songs FROM'"),
        ("CREATE EXTERNAL TABLE t (a INTEGER)", "'CREATE EXTERNAL TABLE'"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", "'CREATE MATERIALIZED VIEW'"),
        ("", "''"),
    ],
)
def test_the_error_names_an_unsupported_statement(statement: str, named: str) -> None:
    with pytest.raises(UnsupportedStatementError) as caught:
        to_postgres(statement)
    assert f"does not support the statement {named}" in str(caught.value)
    assert all(known in str(caught.value) for known in ("COPY", "LOCK", *SHARED))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TABLE t (a INTEGER) BACKUP NO", "'BACKUP NO'"),
        ("CREATE TABLE t (a INTEGER) DISTSTYLE ALL BACKUP NO", "'BACKUP NO'"),
        ("CREATE TABLE t (a INTEGER) INTERLEAVED SORTKEY (a)", "INTERLEAVED SORTKEY"),
        ("CREATE TABLE t (a INTEGER) SORTKEY AUTO", "at 'AUTO' in line 1"),
        ("CREATE TABLE t (a INTEGER DISTKEY)", "'DISTKEY'"),
        ("CREATE TABLE t (a INTEGER SORTKEY)", "'SORTKEY'"),
        ("CREATE TABLE t (a INTEGER) MADE UP", "MADE UP"),
    ],
)
def test_the_error_names_an_unsupported_table_property(statement: str, named: str) -> None:
    with pytest.raises(UnsupportedStatementError) as caught:
        to_postgres(statement)
    assert named in str(caught.value)
    assert "\x1b" not in str(caught.value)  # no escape codes of a terminal in a log


@pytest.mark.parametrize("statement", UNCHANGED)
def test_the_examples_are_redshift(statement: str) -> None:
    assert sqlglot.parse_one(statement, read="redshift")


def test_a_sort_key_is_an_index() -> None:
    assert to_postgres("ALTER TABLE operations.t ALTER SORTKEY (a, b)") == [
        "DROP INDEX IF EXISTS operations.t_sortkey",
        "DO $$ BEGIN IF to_regclass('operations.t_sortkey') IS NULL THEN "
        "CREATE INDEX t_sortkey ON operations.t (a, b); END IF; END $$",
    ]


def test_the_indexes_of_a_renamed_table_are_renamed() -> None:
    assert to_postgres("ALTER TABLE s.t RENAME TO u") == [
        "ALTER TABLE s.t RENAME TO u",
        "ALTER INDEX IF EXISTS s.t_pkey RENAME TO u_pkey",
        "ALTER INDEX IF EXISTS s.t_sortkey RENAME TO u_sortkey",
    ]
