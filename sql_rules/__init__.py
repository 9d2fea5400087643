"""A linter for SQL that has the same semantics on Redshift and PostgreSQL.

Its rules find statements that the engines interpret differently, that one of them does not support, or whose result
varies between runs. docs/sql.md documents them, ``make check-sql`` runs them, and the tests' Redshift endpoint rejects
what they mark as unsupported on Redshift.
"""

from __future__ import annotations

from sql_rules import (
    blanks,
    changes,
    constructs,
    dialect,
    keys,
    postgres,
    redshift,
    semantics,
    subqueries,
)
from sql_rules.columns import Tables
from sql_rules.dialect import FUNCTIONS
from sql_rules.parsing import parse, project_tables, tables_of
from sql_rules.rule import RULES, ParsedStatement, Violation
from sql_rules.semantics import DATE_PARTS

__all__ = [
    "DATE_PARTS",
    "FUNCTIONS",
    "RULES",
    "Tables",
    "Violation",
    "blanks",
    "changes",
    "constructs",
    "dialect",
    "keys",
    "parse",
    "postgres",
    "project_tables",
    "redshift",
    "refusals",
    "semantics",
    "subqueries",
    "tables_of",
    "violations",
]


def violations(sql: str, tables: Tables | None = None) -> list[Violation]:
    """Return the violations in a script, in line order; never raise, whatever the text.

    :param sql: statements in Redshift's dialect, without templates.
    :param tables: the columns of the known tables, in addition to those that the script creates; by default the tables
        of include/sql/ddl.
    """
    statements, found = parse(sql, tables)
    if not statements and not found:
        return [Violation("syntax", "nothing to parse", 1, "The file has no statement; write one, or delete the file")]
    for statement in statements:
        named = [item for rule in RULES.values() if rule.name != "construct" for item in rule.violations(statement)]
        # Only if no specific rule matches.
        found += named or ([] if found else list(RULES["construct"].violations(statement)))
    return sorted(dict.fromkeys(found), key=lambda violation: violation.line)


def refusals(statements: list[ParsedStatement]) -> list[Violation]:
    """Return the violations that Redshift itself would reject, beside the syntax errors.

    :param statements: the statements of a script, from :func:`parse`.
    """
    rules = [rule for rule in RULES.values() if rule.refused]
    return [item for statement in statements for rule in rules for item in rule.violations(statement)]
