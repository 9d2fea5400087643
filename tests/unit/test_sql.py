"""The project's SQL obeys the rules, and its tables match the design."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlglot import exp

from sandbox.lab import TABLES
from sparkify.interval import Interval
from sparkify.sql import predicates, scripts, templates
from sparkify.warehouse import ddl
from sql_rules import parse, violations
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

INCLUDE = ROOT / "include"
SQL = INCLUDE / "sql"
INTERVAL = Interval.parse("2018-11-01", "2018-11-02")
DAY = predicates.OfInterval(INTERVAL)
SCOPES: dict[str, predicates.Predicate] = {
    "interval": DAY,
    "new batches": predicates.of_changed_batches,
    "batches": predicates.OfBatches((3, 4)),
    "lookup": predicates.OfChangedLookup(INTERVAL, predicates.OfBatches((3, 4))),
    "keys": predicates.OfKeys("stale"),
    "everything": predicates.everything,
}
# The public schema: the columns of the staging and star schema tables, without audit columns.
DESIGN = {
    "staging_events": "artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, "
    "page, registration, sessionid, song, status, ts, useragent, userid",
    "staging_songs": "num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, "
    "title, duration, year",
    "songplays": "songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent",
    "users": "user_id, first_name, last_name, gender, level",
    "songs": "song_id, title, artist_id, year, duration",
    "artists": "artist_id, name, location, latitude, longitude",
    "time": "start_time, hour, day, week, month, year, weekday",
    "users_history": "user_id, valid_from, valid_to, is_current, first_name, last_name, gender, level",
    "events": "session_id, item_in_session, event_time, day, user_id, level, page, song, artist, length, browser, "
    "is_registration_day",
    "sessions": "session_id, user_id, first_event, last_event, duration, plays, pages, level_at_start, level_at_end, "
    "is_upgraded, is_downgraded",
    "daily_activity": "day, level, listeners, plays, sessions, listening_seconds, sign_ups, upgrades, downgrades, "
    "cancellations",
    "daily_songs": "day, song, artist, song_key, plays, listeners",
    "monthly_songs": "month, song, artist, song_key, plays",
    "daily_users": "day, user_id, plays, paid_plays, listening_seconds",
    "hourly_plays": "hour, day, level, browser, plays",
}
# Recomputed from events as a whole: without audit columns.
AGGREGATES = {"sessions", "daily_activity", "daily_songs", "daily_users", "hourly_plays"}
# Recomputed from another aggregate, by table.
OF_AGGREGATES = {"monthly_songs": "daily_songs"}
FRACTIONS = {
    *("latitude", "longitude", "artist_latitude", "artist_longitude", "length", "duration", "registration"),
    "listening_seconds",
}


def rendered(path: Path, scope: predicates.Predicate = DAY) -> str:
    environment = templates.environment(SQL)
    return environment.from_string(path.read_text()).render(scope=scope, tables=ddl.tables(SQL / "ddl"))


def statements(sql: str) -> list[exp.Expr]:
    """Return the syntax trees of a script."""
    return [statement.tree for statement in parse(sql)[0] if statement.tree is not None]


def files(pattern: str, *, exclude: str = "") -> Any:
    """Parametrize a test with the files of include/, except those of one folder."""
    paths = sorted(path for path in INCLUDE.glob(pattern) if path.parent.name != exclude)
    assert paths, f"no file matches {pattern}"
    return pytest.mark.parametrize("path", paths, ids=[path.relative_to(INCLUDE).as_posix() for path in paths])


def declaration(table: str) -> str:
    """Return the CREATE TABLE of a table of the design, with its comment: the first statement of its file."""
    first, *_ = scripts.statements((SQL / "ddl" / f"{table}.sql").read_text())
    return first


def definition(table: str) -> exp.Schema:
    """Return the syntax tree of the columns of a table of the design."""
    (create,) = statements(declaration(table))
    assert isinstance(create, exp.Create)
    assert isinstance(create.this, exp.Schema)
    return create.this


@files("sql/**/*.sql", exclude="postgres")  # Redshift has no indexes
def test_files_obey_the_rules(path: Path) -> None:
    text = path.read_text()
    used = [name for name in SCOPES if "lookup=" in text or name != "lookup"]
    if path.parent.name in ("report", "analytics", "page"):
        used = ["interval"]
    assert {name: violations(rendered(path, SCOPES[name])) for name in used} == {name: [] for name in used}


@files("sql/postgres/*.sql")
def test_postgres_files_only_create_indexes(path: Path) -> None:
    kinds = {(type(tree), tree.args.get("kind"), tree.args.get("exists")) for tree in statements(path.read_text())}
    assert kinds == {(exp.Create, "INDEX", True)}


def test_columns_match_the_design() -> None:
    assert {table: TABLES.get(table) for table in DESIGN} == DESIGN


@pytest.mark.parametrize("table", TABLES)
def test_audit_columns_are_last_and_documented(table: str) -> None:
    columns = [column.name for column in definition(table).find_all(exp.ColumnDef)]
    text = declaration(table)
    audit = re.findall(r"^    ([a-z_]+) [A-Z]", text.partition("-- Audit: ")[2], re.MULTILINE)
    if table in DESIGN:  # the tables that a deployment adds are of any kind
        assert bool(audit) is (table not in AGGREGATES | OF_AGGREGATES.keys())
    assert columns == [*TABLES[table].split(", "), *audit]


@pytest.mark.parametrize("table", TABLES)
def test_fractions_are_doubles_and_aggregated_ones_exact(table: str) -> None:
    """The sum of doubles depends on the order in which they are added."""
    kinds = {column.name: column.kind.this for column in definition(table).find_all(exp.ColumnDef) if column.kind}
    exact = exp.DType.DECIMAL if table in {"events", *AGGREGATES} else exp.DType.DOUBLE
    assert {kind for name, kind in kinds.items() if name in FRACTIONS} <= {exact, exp.DType.BIGINT}
    assert exp.DType.DOUBLE not in kinds.values() or exact is exp.DType.DOUBLE


@pytest.mark.parametrize("table", TABLES)
def test_ddl_documents_distribution_and_sort_key(table: str) -> None:
    remarks, _, statement = declaration(table).partition("CREATE TABLE")
    (style,) = re.findall(r"^DISTSTYLE (ALL|EVEN|KEY)$", statement, re.MULTILINE)
    assert re.search(rf"^-- (DISTSTYLE {style}|DISTKEY .*): \w", remarks, re.MULTILINE)
    (sort_key,) = re.findall(r"^SORTKEY \((.+)\)", statement, re.MULTILINE)
    assert re.search(rf"^-- .*SORTKEY {sort_key}: \w", remarks, re.MULTILINE)


@pytest.mark.parametrize("table", TABLES)
def test_ddl_creates_missing_tables_only(table: str) -> None:
    found = statements((SQL / "ddl" / f"{table}.sql").read_text())
    assert all(create.args.get("exists") for create in found)
