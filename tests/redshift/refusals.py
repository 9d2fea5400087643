"""What Redshift refuses and PostgreSQL takes."""

from __future__ import annotations

import logging
import re
from functools import cache

from tests import sql_rules

logging.getLogger("sqlfluff").setLevel(logging.WARNING)  # else it logs each syntax tree
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of LOCK

# The house rules that are Redshift's own; the others keep SQL to what means the same on both.
_RULES = ("alias", "assignment", "frame", "merge")

# Functions that Redshift has, besides those that SQL files may use.
_FUNCTIONS = {
    *sql_rules.FUNCTIONS,
    *("PG_BACKEND_PID", "PG_LAST_COPY_COUNT", "PG_LAST_COPY_ID", "TRIM", "CURRENT_SCHEMA", "VERSION"),
}
_STATEMENTS = re.compile(r"CREATE\s+(UNIQUE\s+)?INDEX|DO\b|CREATE\s+EXTENSION", re.IGNORECASE)
_COMMENT_OR_LITERAL = re.compile(r"--[^\n]*|('(?:[^']|'')*')")


def refusal(statement: str) -> str:
    """Return why Redshift would refuse a statement; empty where no reason is known."""
    # What differs from run to run is left out.
    return _refusal(_COMMENT_OR_LITERAL.sub(lambda found: "'1'" if found[1] else "", statement).strip())


@cache
def _refusal(statement: str) -> str:
    if _STATEMENTS.match(statement):
        return f'SQL command "{statement[:40]}" not supported.'
    tree, problems = sql_rules.parse(statement)
    if tree is None or problems:
        return f"syntax error: {problems}"
    if unknown := [name for name in sql_rules.functions(tree) if name.upper() not in _FUNCTIONS]:
        return f"function {unknown[0]}() does not exist"
    for parsed in sql_rules.statements(statement):
        for name in _RULES:
            if found := next(sql_rules.RULES[name](parsed), None):
                return f"{name} not supported: {found.sql('redshift')}"
    return ""
