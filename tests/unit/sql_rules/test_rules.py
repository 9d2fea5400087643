"""The rules of SQL find what they should, and never crash, whatever the text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sql_rules import RULES, violations
from tests.unit.sql_rules.examples import EXAMPLES

if TYPE_CHECKING:
    from sql_rules.rule import Rule

REMEDY = re.compile(r"; (write|leave|compare|join|compute|call|put|docs/sql.md)\b")
OTHERS = {"syntax"}  # reported by the parser, not by a rule
SQL = [sql for examples in EXAMPLES.values() for sql in (*examples.valid, *examples.invalid)]
WORDS = sorted({word for sql in SQL if len(sql) < 300 for word in sql.replace("(", " ( ").replace(")", " ) ").split()})


def examples(kind: str) -> list[Any]:
    return [
        pytest.param(name, sql, id=f"{name}-{sql[:60]}")
        for name, of_rule in EXAMPLES.items()
        for sql in getattr(of_rule, kind)
    ]


@pytest.mark.parametrize(("name", "sql"), examples("valid"))
def test_valid_sql_passes_all_rules(name: str, sql: str) -> None:
    assert violations(sql) == []


@pytest.mark.parametrize(("name", "sql"), examples("invalid"))
def test_invalid_sql_is_reported_by_its_rule(name: str, sql: str) -> None:
    assert name in {violation.rule for violation in violations(sql)}


def test_every_rule_has_valid_and_invalid_examples() -> None:
    assert {name for name, (valid, invalid) in EXAMPLES.items() if valid and invalid} == {*RULES, *OTHERS}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_rule_has_a_source_and_a_remedy(rule: Rule) -> None:
    assert "https://docs.aws.amazon.com/redshift/latest/dg/" in (rule.check.__doc__ or "")
    assert REMEDY.search(rule.message)


@pytest.mark.parametrize(
    ("sql", "advice"),
    [
        ("SELECT NVL(a, 0) AS a FROM t", "COALESCE"),
        ("SELECT LEN(a) AS a FROM t", "LENGTH"),
        ("SELECT GETDATE() AS a", "scope"),
        ("SELECT DATEDIFF(day, a, b) AS a FROM t", "CAST(b AS DATE) - CAST(a AS DATE)"),
        ("SELECT DATEADD(day, 1, a) AS a FROM t", "INTERVAL '1 day'"),
        ("SELECT LISTAGG(a, ',') AS a FROM t", "a row for each value"),
        ("SELECT MEDIAN(a) AS a FROM t", "ROW_NUMBER"),
        ("SELECT TOP 5 a FROM t ORDER BY a", "LIMIT"),
        ("SELECT a FROM t MINUS SELECT a FROM u", "write EXCEPT"),
        ("SELECT APPROXIMATE COUNT(DISTINCT a) AS n FROM t", "COUNT(DISTINCT ...)"),
        ("SELECT a FROM t WHERE b ILIKE 'x'", "LOWER(a) LIKE"),
        ("CREATE TABLE t (a INTEGER REFERENCES u (a))", "relationship"),
        ("CREATE TABLE t (a INTEGER DISTKEY)", "DISTKEY (column)"),
        ("CREATE TABLE t (a BIGINT IDENTITY(1, 1))", "MD5"),
        ("TRUNCATE t", "DELETE FROM"),
    ],
)
def test_common_mistakes_get_a_replacement(sql: str, advice: str) -> None:
    assert [advice in violation.message for violation in violations(sql)] == [True]


def test_violations_have_their_line() -> None:
    sql = """-- The first.
SELECT a
FROM t;

SELECT
    a,
    NVL(b, 0) AS b,
    COUNT(*) FILTER (WHERE c = 1) AS c
FROM t
WHERE
    d ILIKE 'x';

CREATE TABLE u (
    a INTEGER DISTKEY
);
"""
    found = {violation.rule: violation.line for violation in violations(sql)}
    assert found == {"function": 7, "filter": 8, "pattern": 11, "key clause": 14}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a",
        'SELECT "a',
        "SELECT (((((((((((",
        "/*",
        ";;;",
        "\0",
        "SELECT 1;\x00",
        "SELECT " + "(" * 200 + "1" + ")" * 200,
        "CREATE TABLE t (",
        "CREATE TABLE t (a INTEGER) DISTKEY (",
        "CREATE TABLE () DISTKEY () SORTKEY ()",
        "MERGE INTO t",
        "WITH x AS (SELECT a FROM x) SELECT a FROM x WHERE a = 'b'",
        "CREATE TEMP TABLE x AS SELECT x.a FROM x; SELECT a FROM x WHERE a = 'b'",
    ],
)
def test_broken_sql_is_reported(sql: str) -> None:
    assert isinstance(violations(sql), list)


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)))
@settings(max_examples=150, deadline=timedelta(seconds=60))
def test_any_text_is_reported_without_a_crash(sql: str) -> None:
    for violation in violations(sql):
        assert violation.rule in {*RULES, *OTHERS}
        assert 1 <= violation.line <= len(sql.splitlines()) + 1
        assert violation.message
