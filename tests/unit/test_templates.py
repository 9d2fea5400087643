"""The SQL of staging, loading and the catalogue obeys the rules, for tables of any shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest

from sparkify import loading, reconcile, schema, staging, warehouse
from sparkify.interval import Interval
from sparkify.s3 import S3Object
from sparkify.sql import predicates, templates
from sparkify.sql.scripts import label, statements
from sparkify.staging.landing import LandingTable
from sparkify.staging.ledger import Batch
from sparkify.staging.period_copy import PLAUSIBLE
from sparkify.staging.periods import StagedPart
from sql_rules import project_tables, tables_of, violations

# The folder of each template.
TEMPLATES = {
    path.stem: path.parent
    for package in (loading, reconcile, schema, staging, warehouse)
    for path in Path(*package.__path__).glob("*.sql")
    if not path.stem.startswith("_")
}
INTERVAL = Interval.parse("2018-11-01T00:00", "2018-11-02T02:00")
OWNED = predicates.OfInterval(INTERVAL)
SELECT = "SELECT s.a, s.b, s.c, s.batch_id, s.version AS row_version\nFROM source AS s\nWHERE s.a > 0"
KEYS = {"one key": ["a"], "two keys": ["a", "b"]}
TABLE = {"table": "things", "columns": ["a", "b", "c", "batch_id", "row_version"]}
STAGING: dict[str, Any] = {"table": "staging", "columns": ["a", "b"]}
KNOWN = {**project_tables(), **tables_of("CREATE TABLE landing_1 (ts TIMESTAMP)")}
STAGED_AT = predicates.literal(INTERVAL.start)
LANDINGS = [LandingTable.of(f"landing_{number}", day) for number, day in enumerate(INTERVAL.periods("day"), 1)]
PARTS = [
    (landing_day.start, StagedPart(landing_day, "0f", 1, 99, shrunk, staged_at, 2, "it's" if shrunk else None))
    for landing_day, shrunk, staged_at in zip(INTERVAL.periods("day"), (None, 250), (None, INTERVAL.end), strict=True)
]
BATCHES = [
    Batch(3, [S3Object("music", "a", 1, "1"), S3Object("music", "b", 1, "2")], "landing_3", 2),
    Batch(4, [], "landing_4", 0),
]

# Without the comment of the statement that they are a part of.
PARTS_OF_STATEMENTS = {"newest", "history", "aggregate"}
SPANS = "SELECT s.a, s.b, s.at AS valid_from, s.c, s.d, s.interval_time, s.row_version\nFROM source AS s\nWHERE s.a > 0"
CHANGES = {"source": "things", "changes": "operations.changed", "columns": ["a", "b"], "owned": OWNED("newest.at")}


def spans(entity: list[str]) -> dict[str, Any]:
    """Return the names of a history."""
    tracked = ["c", "d"] if len(entity) > 1 else ["c"]
    keys = [*entity, "valid_from"]
    columns = [*keys, *tracked, "interval_time", "row_version"]
    values = [name for name in columns if name != "interval_time"]
    return {"table": "modes", "keys": keys, "entity": entity, "columns": columns, "values": values, "tracked": tracked}


PENDING: dict[str, Any] = {
    "table": "things",
    "source": None,
    "lookup": None,
    "facts": None,
    "changes": None,
    "rows": [],
}


def groups(keys: list[str]) -> dict[str, Any]:
    """Return the names of an aggregate."""
    expressions = {key: f"DATE_TRUNC('hour', f.{key})" for key in keys}
    return {
        "table": "hours",
        "facts": "things",
        "alias": "f",
        "groups": expressions,
        "changed": OWNED("f.at"),
        "columns": [*keys, "plays"],
        "select": SELECT,
    }


def render(template: str, **names: Any) -> str:
    return templates.renderer(TEMPLATES[template])(template, **names)


def cases() -> list[Any]:
    """Return each template with the names of each variant of its SQL."""
    found: list[tuple[str, str, dict[str, Any]]] = [
        (
            "implausible",
            "one column",
            {"landing": "landing_1", "column": "ts", "plausible": PLAUSIBLE("ts"), "limit": 1000},
        ),
        (
            "staged_rows",
            "of days",
            {"table": "staging_events", "column": "interval_time", "period": "day", "span": OWNED},
        ),
        ("landings", "of a table", {"schema": "operations", "prefix": "landed_0123abcd"}),
        ("read_differences", "one table", {"table": "staging_events"}),
        ("pending", "by batches", {**PENDING, "source": "staging"}),
        ("pending", "with a look-up", {**PENDING, "lookup": "others", "rows": [SELECT, SELECT]}),
        (
            "pending",
            "of an aggregate",
            {**PENDING, "facts": "facts", "changes": "operations.changed", "rows": [SELECT]},
        ),
        ("end_load", "with new batches", {"table": "things", "new": [3, 4], "retired": []}),
        ("end_load", "with retired batches", {"table": "things", "new": [], "retired": [1, 2]}),
        ("relations", "two", {"names": ["songs", "songs_batch_id"], "engine": "redshift"}),
        ("privileges", "of a table", {"table": "raw.readings", "schema": "raw", "engine": "redshift"}),
        ("definitions", "two tables", {"kind": "rows", "tables": ["songs", "raw.readings"]}),
        ("forget_definitions", "two tables", {"tables": ["songs", "raw.readings"]}),
        ("swap", "in a schema", {"table": "app.a", "beside": "app.a__rebuild", "former": "app.a__former"}),
        ("copy_rows", "two columns", {"table": "a", "beside": "b", "columns": {"x": "BIGINT", "y": ""}}),
        ("check_rebuild", "without keys", {"table": "songs", "beside": "artists", "source": SELECT, "keys": []}),
        ("rebuild", "one table", {"table": "things", "insert": f"-- Insert.\nINSERT INTO things (a, b)\n{SELECT}"}),
        ("insert", "one table", {"table": "things", "columns": ["a", "b"], "rows": SELECT}),
        ("aggregate", "two columns", {"columns": ["a", "b"], "select": SELECT}),
        ("forget_changes", "of a source", {"source": "things", "changes": "operations.changed"}),
        (
            "record_groups",
            "of a source",
            {"source": "things", "changes": "operations.changed", "columns": ["a", "b"], "groups": "changed_groups"},
        ),
        ("record_rebuild", "of a source", {"source": "things", "changes": "operations.changed"}),
        ("mark_changes", "of a table", {"table": "groups", "source": "things", "until": 4}),
    ]
    for shape, keys in KEYS.items():
        names: dict[str, Any] = {**TABLE, "keys": keys}
        found += [
            ("take_changed", shape, {**names, "select": SELECT}),
            ("count_changed", f"{shape}, by time", {**names, "changed": OWNED("things.at")}),
            (
                "count_changed",
                f"{shape}, by batches",
                {**names, "changed": predicates.of_changed_batches("things.batch_id")},
            ),
            ("take_lost", shape, {**names, "select": SELECT, "changed": OWNED("things.at")}),
            (
                "relink",
                shape,
                {
                    **names,
                    "select": SELECT,
                    "found": SELECT,
                    "linked": predicates.OfBatches((3, 4))("things.other_batch_id"),
                    "changed": OWNED("things.at"),
                },
            ),
            ("drop_unneeded", shape, names),
            ("merge", shape, names),
            ("newest", shape, {"keys": keys, "columns": TABLE["columns"], "select": SELECT}),
            ("record_changes", shape, {**CHANGES, "keys": keys, "lost": False}),
            ("record_changes", f"{shape}, with deleted rows", {**CHANGES, "keys": keys, "lost": True}),
            ("history", shape, {**spans(keys), "select": SPANS}),
            (
                "take_moments",
                shape,
                {
                    **spans(keys),
                    "select": SPANS,
                    "owned": OWNED("modes.interval_time"),
                    "start": STAGED_AT,
                    "end": STAGED_AT,
                },
            ),
            ("take_spans", shape, {**spans(keys), "select": SPANS}),
            ("merge_spans", shape, spans(keys)),
            ("move_ends", shape, spans(keys)),
            ("regroup", f"{shape}, with changes", {**groups(keys), "changes": "operations.changed", "since": 3}),
            ("regroup", f"{shape}, without changes", {**groups(keys), "changes": None, "since": 0}),
            (
                "regroup",
                f"{shape}, of an aggregate",
                {**groups(keys), "changed": None, "changes": "operations.changed", "since": 3},
            ),
            ("check_rebuild", shape, {"table": "things", "beside": "others", "source": SELECT, "keys": keys}),
            (
                "record_definitions",
                shape,
                {
                    "kind": "ddl",
                    "fingerprints": dict.fromkeys(keys, "0f"),
                    "versions": dict.fromkeys(keys, 2),
                    "recorded_at": STAGED_AT,
                },
            ),
        ]
    for count in range(3):
        found.append(
            (
                "stage_interval",
                f"{count} files",
                {
                    **STAGING,
                    "interval": INTERVAL,
                    "interval_column": "ts",
                    "partition_column": "interval_time",
                    "landings": LANDINGS[:count],
                    "parts": PARTS,
                    "literal": predicates.literal,
                    "text": predicates.text,
                    "owned": OWNED,
                    "plausible": PLAUSIBLE("ts"),
                    "resampled": [landing.start for landing in LANDINGS[:count]],
                },
            )
        )
        for retired in ([], [1, 2]):
            if count or retired:
                names = {**STAGING, "batches": BATCHES[:count], "retired": retired, "staged_at": STAGED_AT}
                found.append(("stage_objects", f"{count} batches, {len(retired)} retired", names))
    return [pytest.param(template, names, id=f"{template}: {shape}") for template, shape, names in found]


@pytest.mark.parametrize(("template", "names"), cases())
def test_sql_obeys_the_rules(template: str, names: dict[str, Any]) -> None:
    found = violations(render(template, **names), KNOWN)
    if template == "relations":  # the functions of the catalogue are not for other SQL
        found = [item for item in found if item.rule != "function"]
    assert found == []


@pytest.mark.parametrize(("template", "names"), cases())
def test_a_missing_name_raises(template: str, names: dict[str, Any]) -> None:
    """A variant need not use every name; a name that it does not use must not change its SQL."""
    whole = render(template, **names)
    used = 0
    for name in names:
        rest = {other: value for other, value in names.items() if other != name}
        try:
            assert render(template, **rest) == whole
        except jinja2.UndefinedError as error:
            assert name in str(error)
            used += 1
    assert used >= 1


@pytest.mark.parametrize(("template", "names"), cases())
def test_every_statement_has_a_comment(template: str, names: dict[str, Any]) -> None:
    """Logs identify a statement by its leading comment."""
    if template in PARTS_OF_STATEMENTS:
        return
    for statement in statements(render(template, **names)):
        assert statement.startswith("-- ")
        assert label(statement)


def test_every_template_is_covered() -> None:
    assert {case.values[0] for case in cases()} == set(TEMPLATES)


def test_an_unknown_template_raises() -> None:
    with pytest.raises(jinja2.TemplateNotFound, match="other"):
        templates.renderer(Path(*loading.__path__))("other")


def test_sql_has_one_environment() -> None:
    """The other environments render messages and a web page."""
    plugins = Path(*warehouse.__path__).parents[1]
    creators = {
        str(path.relative_to(plugins / "sparkify"))
        for path in plugins.rglob("*.py")
        if re.search(r"\bEnvironment\($", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert creators == {"sql/templates.py", "alerts/messages.py", "operators/report.py"}
