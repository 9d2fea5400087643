"""The rules of SQL: the part of Redshift's dialect that means the same on PostgreSQL.

A statement that one of the two refuses is found by running it, if it is run on both. These rules find what both accept
and understand differently, what one of the two refuses, and what is a trap on Redshift. docs/sql.md is their handbook;
``make check-sql`` runs them, and the tests' Redshift endpoint refuses what they say that Redshift refuses.
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
from sql_rules.rule import RULES, Violation
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
    """Return what in a script breaks a rule, in the order of the lines. Whatever the text is, nothing is raised.

    :param sql: statements of Redshift's dialect, without templates.
    :param tables: the columns of the tables that are known besides those that the script creates; by default those of
        include/sql/ddl.
    """
    statements, found = parse(sql, tables)
    if not statements and not found:
        return [Violation("syntax", "nothing to parse", 1, "There is no statement; write one, or delete the file")]
    for statement in statements:
        named = [item for rule in RULES.values() if rule.name != "construct" for item in rule.violations(statement)]
        # What no rule knows by name.
        found += named or ([] if found else list(RULES["construct"].violations(statement)))
    return sorted(dict.fromkeys(found), key=lambda violation: violation.line)


def refusals(sql: str) -> list[Violation]:
    """Return what in a script Redshift refuses.

    :param sql: see :func:`violations`.
    """
    statements, found = parse(sql, {})
    rules = [rule for rule in RULES.values() if rule.refused]
    return found + [item for statement in statements for rule in rules for item in rule.violations(statement)]
