"""Scripts are split into statements, and the lexer finds the command of each, whatever its layout."""

from __future__ import annotations

import pytest
from sqlparse import lexer

from sparkify.sql.scripts import Command, body, command, label, statements


@pytest.mark.parametrize(
    ("statement", "verb", "names"),
    [
        ("INSERT INTO t (a) VALUES (1)", "INSERT", ["t"]),
        ("insert into t(a) select 1", "INSERT", ["t"]),
        ("INSERT /* rows */ INTO -- of\n operations.t (a) VALUES (1)", "INSERT", ["operations.t"]),
        ('UPDATE "my table" SET a = 1', "UPDATE", ['"my table"']),
        ('DELETE FROM "Sales" . "my table" WHERE a = 1', "DELETE", ['"Sales"."my table"']),
        ("DELETE t WHERE a = 1", "DELETE", ["t"]),
        ("DELETE FROM t USING u WHERE t.a = u.a", "DELETE", ["t"]),
        ("MERGE INTO time USING u ON time.a = u.a", "MERGE", ["time"]),
        ("COPY t (a, b) FROM 's3://bucket/key'", "COPY", ["t"]),
        ("TRUNCATE TABLE t", "TRUNCATE", ["t"]),
        ("TRUNCATE t, u", "TRUNCATE", ["t", "u"]),
        ("LOCK t, operations.u;", "LOCK", ["t", "operations.u"]),
        ("-- Wait.\nlock /* it */ table t", "LOCK", ["t"]),
        ("CREATE TABLE IF NOT EXISTS t (a INTEGER)", "CREATE TABLE", ["t"]),
        ("CREATE TEMP TABLE t AS SELECT 1 AS a", "CREATE TEMP TABLE", ["t"]),
        ("create /* b */ temporary -- c\n table if not exists t (like u)", "CREATE TEMP TABLE", ["t"]),
        ("CREATE LOCAL TEMP TABLE t (a INTEGER)", "CREATE TEMP TABLE", ["t"]),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS a", "CREATE VIEW", ["v"]),
        ("CREATE UNIQUE INDEX i ON t (a)", "CREATE INDEX", ["i"]),
        ("SELECT 'LOCK t; DELETE FROM t' AS a -- LOCK t", "SELECT", []),
        ("/* LOCK t */ SELECT 1", "SELECT", []),
        ("WITH u AS (SELECT 1 AS a) SELECT a FROM u", "SELECT", []),
        ("WITH u AS (SELECT ')' AS a) SELECT ') DELETE FROM t' FROM u", "SELECT", []),
        ("WITH u AS (SELECT (1) AS a)\n-- Away with it.\nDELETE FROM t USING u", "DELETE", ["t"]),
        ("WITH u (a) AS (SELECT 1), v AS (SELECT (2)) INSERT INTO t (a) SELECT a FROM u", "INSERT", ["t"]),
        ("WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone", "DELETE", ["t"]),
        ("DROP TABLE IF EXISTS t", "DROP", []),
        ("-- nothing", "", []),
        ("", "", []),
    ],
)
def test_the_command_of_a_statement(statement: str, verb: str, names: list[str]) -> None:
    assert command(statement)[:2] == (verb, tuple(names))


def test_what_follows_the_names() -> None:
    assert command("CREATE TEMP TABLE t as SELECT 1") == Command("CREATE TEMP TABLE", ("t",), "AS")
    assert command("CREATE INDEX IF NOT EXISTS i ON t (a)") == Command("CREATE INDEX", ("i",), "ON", if_not_exists=True)


def test_a_statement_is_read_only_up_to_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard reads every statement, and an INSERT may have thousands of values."""
    read = 0
    tokenize = lexer.tokenize

    def counting(sql: str) -> object:
        nonlocal read
        for token in tokenize(sql):
            read += 1
            yield token

    monkeypatch.setattr(lexer, "tokenize", counting)
    command(f"INSERT INTO t (a) VALUES {', '.join(['(1)'] * 1000)}")
    command(f"SELECT {', '.join(['1'] * 1000)}")
    assert read < 20


def test_the_statements_of_a_script() -> None:
    script = "-- One; a.\nSELECT ';';\n\n/* Two. */ DELETE FROM t -- it\n; -- end"
    assert statements(script) == ["-- One; a.\nSELECT ';';", "/* Two. */ DELETE FROM t -- it\n;"]
    assert statements("-- only\n/* comments */") == []


def test_the_body_of_a_statement_has_no_comments_before_it() -> None:
    assert body(" -- a\n/* b */ SELECT 1 -- c\n") == "SELECT 1 -- c"
    assert body("-- a") == ""


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT a FROM t", "SELECT a FROM t"),
        ("DROP TABLE IF EXISTS t", "DROP TABLE IF EXISTS t"),
        ("CREATE TABLE IF NOT EXISTS t (a INTEGER)", "CREATE TABLE IF NOT EXISTS t"),
        ("CREATE TEMP TABLE b AS\nSELECT 1", "CREATE TEMP TABLE b AS"),
        ("-- Take it.\nSELECT 1", "Take it"),
        ("-- Take it: all\n-- of it.\nSELECT 1", "Take it"),
        (
            "-- Delete the rows of [2018-11-01 00:00, 01:00).\nSELECT 1",
            "Delete the rows of [2018-11-01 00:00, 01:00)",
        ),
        ("-- Version 1.5 of it. And more.\nSELECT 1", "Version 1.5 of it"),
        ("-- No full stop\nSELECT 1", "No full stop"),
        ("-- Two\n--   lines\nCREATE TEMP TABLE b AS SELECT 1", "Two lines"),
        ("-- About the table.\nCREATE TABLE t (a INTEGER)", "CREATE TABLE t"),
        ("-- About the table.\nDROP TABLE t", "DROP TABLE t"),
        ("SELECT " + 40 * "a, " + "b", ("SELECT " + 40 * "a, ")[:80]),
    ],
)
def test_label(statement: str, expected: str) -> None:
    assert label(statement) == expected
