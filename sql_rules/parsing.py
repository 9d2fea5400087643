"""Reading a script: its statements, and what cannot be read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from sandbox.airflow import ROOT
from sql_rules.columns import Tables, declared
from sql_rules.rule import Statement, Violation

if TYPE_CHECKING:
    from sqlfluff.core.parser import BaseSegment

DDL = ROOT / "include" / "sql" / "ddl"


@cache
def linter() -> Linter:
    """Return sqlfluff with the project's configuration, for SQL that is rendered already."""
    return Linter(config=FluffConfig.from_path(str(ROOT), overrides={"templater": "raw"}))


@cache
def project_tables() -> Tables:
    """Return the columns of the tables that include/sql/ddl declares."""
    return tables_of("\n".join(path.read_text() for path in sorted(DDL.rglob("*.sql"))))


def tables_of(sql: str) -> Tables:
    """Return the columns of the tables that a script creates."""
    statements, _ = parse(sql, {})
    return declared(statement.tree for statement in statements if statement.tree is not None)


def parse(sql: str, tables: Tables | None = None) -> tuple[list[Statement], list[Violation]]:
    """Return the statements of a script, and what of it is no SQL of Redshift.

    :param tables: the columns of the tables that are known, besides those that the script itself creates; those of the
        project by default.
    """
    try:
        parsed = linter().parse_string(sql)
    except Exception as error:  # noqa: BLE001 - whatever the text is, it is reported
        return [], [Violation("syntax", str(error), 1, "Not SQL of Redshift")]
    problems = [
        Violation("syntax", problem.desc(), max(problem.line_no, 1), "Not SQL of Redshift")
        for problem in parsed.violations
    ]
    variant = parsed.root_variant()
    root = variant.tree if variant else None
    segments = list(root.recursive_crawl("statement", recurse_into=False)) if root else []
    trees = [_tree(segment.raw) for segment in segments]
    if problems and root and None not in (whole := _trees(sql)):
        # sqlfluff does not know where such a statement ends. What sqlglot makes of it may say more of what is wrong.
        segments, trees = [root] * len(whole), whole
    known = {**(project_tables() if tables is None else tables), **declared(tree for tree in trees if tree is not None)}
    return [Statement(segment, tree, known) for segment, tree in zip(segments, trees, strict=True)], problems


def _trees(sql: str) -> list[exp.Expr | None]:
    """Return the trees of a script; None in the place of what sqlglot cannot read."""
    try:
        return [tree for tree in sqlglot.parse(sql, read="redshift") if tree and not isinstance(tree, exp.Semicolon)]
    except (sqlglot.errors.SqlglotError, RecursionError):
        return [None]


def _tree(sql: str) -> exp.Expr | None:
    trees = _trees(sql)
    return trees[0] if len(trees) == 1 else None


def words(segment: BaseSegment) -> list[BaseSegment]:
    """Return the words of a segment, without comments and blanks."""
    return [word for word in segment.raw_segments if word.is_code]


def line_of(part: exp.Expr) -> int:
    """Return the line of the script on which a part of a statement begins, from 1."""
    return min((node.meta["line"] for node in part.walk() if "line" in node.meta), default=1)
