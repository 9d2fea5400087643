"""Parse a script into statements and syntax errors."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from sandbox.airflow import ROOT
from sql_rules.columns import Tables, declared
from sql_rules.rule import ParsedStatement, Violation

if TYPE_CHECKING:
    from sqlfluff.core.parser import BaseSegment

DDL = ROOT / "include" / "sql" / "ddl"


@cache
def linter() -> Linter:
    """Return sqlfluff's linter with the project's configuration, for rendered SQL."""
    return Linter(config=FluffConfig.from_path(str(ROOT), overrides={"templater": "raw"}))


@cache
def project_tables() -> Tables:
    """Return the columns of the tables that include/sql/ddl declares."""
    return tables_of("\n".join(path.read_text() for path in sorted(DDL.rglob("*.sql"))))


def tables_of(sql: str) -> Tables:
    """Return the columns of the tables that a script creates."""
    statements, _ = parse(sql, {})
    return declared(statement.tree for statement in statements if statement.tree is not None)


def parse(sql: str, tables: Tables | None = None) -> tuple[list[ParsedStatement], list[Violation]]:
    """Return the statements of a script, and its syntax errors in Redshift's dialect.

    :param tables: the columns of the known tables, in addition to those that the script creates; by default the
        project's tables.
    """
    try:
        parsed = linter().parse_string(sql)
    except Exception as error:  # noqa: BLE001 - every failure of the parser is reported
        return [], [Violation("syntax", str(error), 1, "Invalid syntax in Redshift's dialect")]
    problems = [
        Violation("syntax", problem.desc(), max(problem.line_no, 1), "Invalid syntax in Redshift's dialect")
        for problem in parsed.violations
    ]
    variant = parsed.root_variant()
    root = variant.tree if variant else None
    segments = list(root.recursive_crawl("statement", recurse_into=False)) if root else []
    trees = [_tree(segment.raw) for segment in segments]
    if problems and root and None not in (whole := _trees(sql)):
        # sqlfluff cannot split such a script into statements; with sqlglot's trees, rules still give advice.
        segments, trees = [root] * len(whole), whole
    known = {**(project_tables() if tables is None else tables), **declared(tree for tree in trees if tree is not None)}
    return [ParsedStatement(segment, tree, known) for segment, tree in zip(segments, trees, strict=True)], problems


def _trees(sql: str) -> list[exp.Expr | None]:
    """Return sqlglot's trees of a script; [None] if it cannot parse the script."""
    try:
        return [tree for tree in sqlglot.parse(sql, read="redshift") if tree and not isinstance(tree, exp.Semicolon)]
    except (sqlglot.errors.SqlglotError, RecursionError):
        return [None]


def _tree(sql: str) -> exp.Expr | None:
    trees = _trees(sql)
    return trees[0] if len(trees) == 1 else None


def words(segment: BaseSegment) -> list[BaseSegment]:
    """Return the tokens of a segment, without comments and whitespace."""
    return [word for word in segment.raw_segments if word.is_code]


def line_of(part: exp.Expr) -> int:
    """Return the line of the script on which a part of a statement begins, from 1."""
    return min((node.meta["line"] for node in part.walk() if "line" in node.meta), default=1)
