"""SQL that Redshift refuses and PostgreSQL accepts."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from functools import cache
from importlib.metadata import version
from pathlib import Path

import sql_rules
from tests.conftest import ROOT
from tests.redshift import alterations

logging.getLogger("sqlfluff").setLevel(logging.WARNING)  # it logs each syntax tree
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns about LOCK

# Functions of Redshift: those allowed in SQL files, and those that the project and the client call elsewhere.
_FUNCTIONS = {
    *sql_rules.FUNCTIONS,
    *("PG_BACKEND_PID", "PG_LAST_COPY_COUNT", "PG_LAST_COPY_ID", "TRIM", "CURRENT_SCHEMA", "VERSION"),
    # of the catalogue, as AWS's own admin view calls them:
    # https://github.com/awslabs/amazon-redshift-utils/blob/master/src/AdminViews/v_generate_tbl_ddl.sql
    *("FORMAT_TYPE", "PG_GET_CONSTRAINTDEF"),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html
    *("OBJ_DESCRIPTION", "COL_DESCRIPTION"),
}
# Views of the catalogue with functions or types that a query of tables may not use:
# https://docs.aws.amazon.com/redshift/latest/dg/c_join_PG.html
_LEADER_ONLY = {"pg_indexes", "pg_stats", "pg_tables", "pg_views"}
_STATEMENTS = re.compile(r"DO\b|CREATE\s+EXTENSION", re.IGNORECASE)
# Sources of the reasons. To parse a statement takes a tenth of a second, so the processes of the tests share them.
_SOURCES = [*Path(sql_rules.__file__).parent.glob("*.py"), Path(alterations.__file__), Path(__file__)]
_COMMENT_OR_LITERAL = re.compile(r"--[^\n]*|('(?:[^']|'')*')")


def refusal(statement: str) -> str:
    """Return the reason why Redshift refuses a statement; empty if none is known."""
    # Comments and literals differ from run to run and would defeat the cache.
    return _refusal(_COMMENT_OR_LITERAL.sub(lambda found: "'1'" if found[1] else "", statement).strip())


@cache
def _known() -> Path:
    """Return the folder of the reasons, one file for each statement."""
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCES))
    versions = f"{version('sqlfluff')} {version('sqlglot')}".encode()
    folder = ROOT / ".pytest_cache" / "refusals" / hashlib.sha256(sources + versions).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _refusal(statement: str) -> str:
    file = _known() / hashlib.sha256(statement.encode()).hexdigest()
    if not file.exists():
        written = file.with_suffix(f".{threading.get_native_id()}")  # two sessions may parse the same statement
        written.write_text(_reason(statement))
        written.replace(file)
    return file.read_text()


def _reason(statement: str) -> str:
    if _STATEMENTS.match(statement):
        return f'SQL command "{statement[:40]}" not supported.'
    parsed, problems = sql_rules.parse(statement, {})
    names = [
        name.raw_upper for part in parsed for name in part.segment.recursive_crawl("function_name", "bare_function")
    ]
    if unknown := [name for name in names if name not in _FUNCTIONS]:
        return f"function {unknown[0]}() does not exist"
    tables = {table.raw.lower().rpartition(".")[2] for part in parsed
              for table in part.segment.recursive_crawl("table_reference")}  # fmt: skip
    if tables & _LEADER_ONLY and tables - _LEADER_ONLY:
        return "Specified types or functions (one per INFO message) not supported on Redshift tables."
    for found in [*problems, *sql_rules.refusals(parsed)]:
        return f"{found.rule}: {found.message}: {found.excerpt}"
    return alterations.refusal(statement)
