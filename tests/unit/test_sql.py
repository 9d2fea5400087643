"""The SQL of the project obeys the house rules, and its tables are those of the design."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jinja2
import pytest
from sqlglot import exp

from sparkify import scopes
from sparkify.interval import Interval
from tests.conftest import ROOT
from tests.lab import TABLES
from tests.sql_rules import RULES, statements, violations

if TYPE_CHECKING:
    from pathlib import Path

INCLUDE = ROOT / "include"
SQL = INCLUDE / "sql"
INTERVAL = Interval.parse("2018-11-01", "2018-11-02")
DAY = scopes.OfInterval(INTERVAL)
SCOPES: dict[str, scopes.Scope] = {
    "interval": DAY,
    "new batches": scopes.of_changed_batches,
    "batches": scopes.OfBatches((3, 4)),
    "lookup": scopes.OfChangedLookup(INTERVAL, scopes.OfBatches((3, 4))),
    "keys": scopes.OfKeys("stale"),
    "everything": scopes.everything,
}
FRACTIONS = {"latitude", "longitude", "artist_latitude", "artist_longitude", "length", "duration", "registration"}


def rendered(path: Path, scope: scopes.Scope = DAY) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL
    return environment.from_string(path.read_text()).render(scope=scope)


def files(pattern: str, *, but: str = "") -> Any:
    """Parametrize a test with the files of include/, but for those of one folder."""
    paths = sorted(path for path in INCLUDE.glob(pattern) if path.parent.name != but)
    assert paths, f"no file matches {pattern}"
    return pytest.mark.parametrize("path", paths, ids=[path.relative_to(INCLUDE).as_posix() for path in paths])


def definition(table: str) -> exp.Schema:
    """Return the CREATE TABLE of a table of the design."""
    (create,) = statements((SQL / "ddl" / f"{table}.sql").read_text())
    assert isinstance(create, exp.Create)
    assert isinstance(create.this, exp.Schema)
    return create.this


@files("sql/**/*.sql", but="postgres")  # Redshift has no indexes
def test_files_obey_the_rules(path: Path) -> None:
    text = path.read_text()
    used = [name for name in SCOPES if "lookup=" in text or name != "lookup"]
    if path.parent.name in ("report", "analytics", "page"):
        used = ["interval"]
    assert {name: violations(rendered(path, SCOPES[name])) for name in used} == {name: [] for name in used}


@files("sql/postgres/*.sql")
def test_postgres_files_hold_indexes_only(path: Path) -> None:
    kinds = {(type(tree), tree.args.get("kind"), tree.args.get("exists")) for tree in statements(path.read_text())}
    assert kinds == {(exp.Create, "INDEX", True)}


# Each rule, an example that it takes, and one that it refuses.
ACCEPTED = [
    "SELECT AVG(CAST(a AS DOUBLE PRECISION)) AS mean FROM t",
    "SELECT 100.0 * a / b AS share FROM t",
    "SELECT CAST(a AS DECIMAL(10, 2)) / b AS share FROM t",
    "SELECT a FROM t ORDER BY a LIMIT 1",
    "SELECT COUNT(*) AS n FROM t",
    "SELECT SUM(a) OVER (PARTITION BY b) AS total FROM t",
    "SELECT SUM(a) OVER (ORDER BY b ROWS UNBOUNDED PRECEDING) AS total FROM t",
    "SELECT ROW_NUMBER() OVER (ORDER BY b) AS n FROM t",
    "CREATE TEMP TABLE b AS SELECT t.* FROM t",
    "CREATE TEMP TABLE b AS SELECT t.* FROM t WHERE a = 1 UNION SELECT t.* FROM t WHERE b = 1",
    "SELECT a FROM (SELECT t.*, 1 AS one FROM t) AS u",
    "SELECT ROUND(1.0 * a, 1) AS a FROM t",
    "SELECT CAST(EXTRACT(HOUR FROM ts) AS INTEGER) AS hour FROM t",
    "DELETE FROM t USING b WHERE t.a = b.a",
    "LOCK t",
    "MERGE INTO t USING b ON t.id = b.id WHEN MATCHED THEN UPDATE SET a = b.a "
    "WHEN NOT MATCHED THEN INSERT (id, a) VALUES (b.id, b.a)",
]
MATCHED = "WHEN MATCHED THEN UPDATE SET a = b.a"
NOT_MATCHED = "WHEN NOT MATCHED THEN INSERT (id, a) VALUES (b.id, b.a)"
REFUSED = [
    ("syntax", "SELECT a FROM t WHERE"),
    ("syntax", "CREATE TABLE t (a INTEGER) FOO BAR"),
    ("syntax", "SELECT {{ a }} FROM t"),
    ("function", "SELECT NVL(a, 0) AS a FROM t"),
    ("function", "SELECT LEN(a) AS a FROM t"),
    ("function", "SELECT DATEDIFF(day, a, b) AS days FROM t"),
    ("function", "SELECT DATEADD(day, 1, a) AS a FROM t"),
    ("function", "SELECT GETDATE() AS now"),
    ("function", "SELECT SYSDATE AS now"),
    ("function", "SELECT CURRENT_TIMESTAMP AS now"),
    ("function", "SELECT TRUNC(a) AS a FROM t"),
    ("function", "SELECT LISTAGG(a) AS a FROM t"),
    ("function", "SELECT a FROM t WHERE b IN (SELECT MEDIAN(b) FROM t)"),
    ("function", "SELECT s.own(a) AS a FROM t"),
    ("average", "SELECT AVG(a) AS mean FROM t"),
    ("average", "SELECT AVG(CAST(a AS INTEGER)) AS mean FROM t"),
    ("average", "SELECT AVG(CAST(a AS DECIMAL(10, 2))) AS mean FROM t"),
    ("division", "SELECT a / b AS share FROM t"),
    ("division", "SELECT 100 * COUNT(*) / SUM(COUNT(*)) OVER () AS share FROM t"),
    ("rounding", "SELECT ROUND(a) AS a FROM t"),
    ("date part", "SELECT CAST(EXTRACT(EPOCH FROM ts) AS BIGINT) AS seconds FROM t"),
    ("date part", "SELECT CAST(EXTRACT(SECOND FROM ts) AS INTEGER) AS seconds FROM t"),
    ("date part", "SELECT EXTRACT(HOUR FROM ts) AS hour FROM t"),
    ("limit", "SELECT a FROM t LIMIT 1"),
    ("limit", "SELECT TOP 1 a FROM t"),
    ("limit", "SELECT a FROM (SELECT a FROM t LIMIT 1) AS u ORDER BY a"),
    ("star", "SELECT * FROM t"),
    ("star", "SELECT t.* FROM t"),
    ("star", "SELECT a FROM (SELECT * FROM t) AS u"),
    ("star", "CREATE TEMP TABLE b AS SELECT * FROM t"),
    ("star", "SELECT t.* FROM t UNION SELECT u.* FROM u"),
    ("star", "INSERT INTO t (a) SELECT b.* FROM b"),
    ("qualify", "SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1"),
    ("frame", "SELECT SUM(a) OVER (ORDER BY b) AS total FROM t"),
    ("identity", "CREATE TABLE t (a BIGINT IDENTITY(1, 1))"),
    ("identity", "CREATE TABLE t (a BIGINT GENERATED BY DEFAULT AS IDENTITY(1, 1))"),
    ("type", "CREATE TABLE t (a VARCHAR)"),
    ("type", "CREATE TABLE t (a TEXT)"),
    ("type", "CREATE TABLE t (a CHAR(3))"),
    ("type", "CREATE TABLE t (a TIMESTAMPTZ)"),
    ("type", "CREATE TABLE t (a REAL)"),
    ("type", "CREATE TABLE t (a SUPER)"),
    ("type", "SELECT CAST(a AS VARCHAR) AS a FROM t"),
    ("type", "SELECT CAST(a AS DECIMAL) AS a FROM t"),
    ("alias", "DELETE FROM t AS x WHERE x.a = 1"),
    ("alias", "UPDATE t AS x SET a = 1"),
    ("alias", f"MERGE INTO t AS x USING b ON x.id = b.id {MATCHED} {NOT_MATCHED}"),
    ("merge", f"MERGE INTO t USING b ON t.id = b.id {MATCHED}"),
    ("merge", f"MERGE INTO t USING b ON t.id = b.id {NOT_MATCHED}"),
    ("merge", f"MERGE INTO t USING (SELECT id, a FROM c) AS b ON t.id = b.id {MATCHED} {NOT_MATCHED}"),
    (
        "merge",
        f"MERGE INTO t USING b ON t.id = b.id {MATCHED.replace('MATCHED', 'MATCHED AND b.a > t.a')} {NOT_MATCHED}",
    ),
    ("assignment", f"MERGE INTO t USING b ON t.id = b.id {MATCHED.replace('SET a', 'SET t.a')} {NOT_MATCHED}"),
    ("insert", "INSERT INTO t SELECT a FROM b"),
    ("insert", "INSERT INTO t VALUES (1)"),
    ("statement", "TRUNCATE t"),
    ("statement", "VACUUM t"),
    ("statement", "ANALYZE t"),
    ("statement", "COPY t FROM 's3://bucket/key' IAM_ROLE DEFAULT"),
]


@pytest.mark.parametrize("sql", ACCEPTED)
def test_the_rules_accept(sql: str) -> None:
    assert violations(sql) == []


@pytest.mark.parametrize(("rule", "sql"), REFUSED)
def test_the_rules_refuse(rule: str, sql: str) -> None:
    assert rule in {violation.rule for violation in violations(sql)}


def test_every_rule_has_an_example() -> None:
    assert {rule for rule, _ in REFUSED} == {*RULES, "syntax", "function"}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_those_of_the_design(table: str) -> None:
    columns = [column.name for column in definition(table).find_all(exp.ColumnDef)]
    designed = TABLES[table].split(", ")
    assert columns[: len(designed)] == designed
    text = (SQL / "ddl" / f"{table}.sql").read_text()
    audit = re.findall(r"^    ([a-z_]+) [A-Z]", text.partition("-- Audit: ")[2], re.MULTILINE)
    assert audit
    assert columns[len(designed) :] == audit


@pytest.mark.parametrize("table", TABLES)
def test_fractions_are_kept(table: str) -> None:
    kinds = {column.name: column.kind.this for column in definition(table).find_all(exp.ColumnDef) if column.kind}
    assert {kind for name, kind in kinds.items() if name in FRACTIONS} <= {exp.DType.DOUBLE}


@pytest.mark.parametrize("table", TABLES)
def test_ddl_explains_distribution_and_order(table: str) -> None:
    text = (SQL / "ddl" / f"{table}.sql").read_text()
    remarks, _, statement = text.partition("CREATE TABLE")
    (style,) = re.findall(r"^DISTSTYLE (ALL|EVEN|KEY)$", statement, re.MULTILINE)
    assert re.search(rf"^-- (DISTSTYLE {style}|DISTKEY .*): \w", remarks, re.MULTILINE)
    (sort_key,) = re.findall(r"^SORTKEY \((.+)\)", statement, re.MULTILINE)
    assert re.search(rf"^-- .*SORTKEY {sort_key}: \w", remarks, re.MULTILINE)


@pytest.mark.parametrize("table", TABLES)
def test_ddl_only_creates_what_is_missing(table: str) -> None:
    (create,) = statements((SQL / "ddl" / f"{table}.sql").read_text())
    assert create.args.get("exists")


def test_drop_drops_what_the_others_create_but_the_history_of_quality() -> None:
    named: dict[type[exp.Expression], set[str]] = {exp.Create: set(), exp.Drop: set()}
    for path in SQL.glob("ddl/*.sql"):
        for tree in statements(path.read_text()):
            if tree.args["kind"] == "TABLE" and (table := tree.find(exp.Table)):
                named[type(tree)].add(table.sql())
    assert named[exp.Create] - named[exp.Drop] == {"operations.data_quality_results", "operations.backfill_summaries"}
    assert named[exp.Drop] < named[exp.Create]
