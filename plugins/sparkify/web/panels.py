"""The panels of the warehouse page: one read-only query each."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.sql import predicates, templates
from sparkify.sql.heading import heading

if TYPE_CHECKING:
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

SQL = Path(__file__).parents[3] / "include" / "sql"
CONNECTION = "redshift"
# Query timeout of a panel, in seconds.
LIMIT = 10.0
# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html; Redshift's are the same.
CANCELLED = "57014"
MISSING = ("42P01", "3F000")


class PanelError(Exception):
    """The query of a panel failed; the message says what is wrong and what to do.

    :param kind: ``unreachable`` or ``waiting`` if a retry may succeed; ``empty`` (no table exists), ``missing``,
        ``slow`` or ``refused`` if the error persists until a run has loaded data.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Panel:
    """A panel, as declared by the comment at the top of its file.

    :param name: the name of the file in include/sql/analytics/page.
    :param title: the first line of the comment.
    :param note: the other lines; may be empty.
    """

    name: str
    title: str
    note: str


def declared() -> dict[str, Panel]:
    """Return the panels by name, one for each file of include/sql/analytics/page."""
    return {path.stem: _panel(path) for path in sorted((SQL / "analytics" / "page").glob("*.sql"))}


def _panel(path: Path) -> Panel:
    title, note = heading(path.read_text(encoding="utf-8"))
    return Panel(path.stem, title or path.stem, note)


def read(name: str, limit: float = LIMIT) -> dict[str, Any]:
    """Return the content of a panel in JSON types: ``columns``, ``rows`` and ``as_of``.

    Times are UTC, in ISO 8601 with a ``Z``.

    :param name: one of :func:`declared`.
    :param limit: query timeout, in seconds.
    :raises PanelError: if the warehouse is unreachable, or the query fails or times out.
    """
    from sparkify.warehouse import WarehouseError

    as_of = datetime.now(UTC).replace(tzinfo=None)
    try:
        columns, rows = _answer(sql(name), limit)
    except PanelError:
        raise
    except WarehouseError as error:
        raise PanelError("unreachable", str(error)) from error
    except Exception as error:
        raise _explained(name, error, limit) from error
    return {"columns": columns, "rows": [[_plain(value) for value in row] for row in rows], "as_of": _plain(as_of)}


def sql(name: str) -> str:
    """Return the query of a panel; its scope are valid timestamps, see :func:`sparkify.sql.predicates.plausible`.

    A template may iterate over the tables: ``{% for table in tables %}``, each a :class:`sparkify.warehouse.ddl.Table`.
    """
    from sparkify.warehouse import ddl

    render = templates.renderer(SQL)
    return render(f"analytics/page/{name}", scope=predicates.plausible(), tables=ddl.tables(SQL / "ddl"))


def _answer(statement: str, limit: float) -> tuple[list[str], list[tuple[Any, ...]]]:
    from sparkify.warehouse import connect

    try:
        with connect(CONNECTION) as warehouse:
            return query(warehouse, statement, limit)
    except Exception as error:
        if _sqlstate(error) not in MISSING:
            raise
        with connect(CONNECTION) as warehouse:  # the error has ended the transaction
            warehouse.read_only(limit)
            if missing := _missing(warehouse, statement):
                raise missing from error
        raise


def _missing(warehouse: Warehouse, statement: str) -> PanelError | None:
    """Return the error that names the declared tables which a SELECT needs and which do not exist."""
    import sqlglot
    from sqlglot import exp

    from sparkify.warehouse import catalogue, ddl

    declared = {table.name for table in ddl.read(SQL / "ddl").values() if table}
    absent = declared - catalogue.relations(warehouse, declared).keys()
    if absent == declared:
        return PanelError(
            "empty",
            "The warehouse has no tables yet. The first task of the DAG sparkify_warehouse creates them: run it once.",
        )
    used = sqlglot.parse_one(statement, read="redshift").find_all(exp.Table)
    needed = sorted(absent & {".".join(part.name.lower() for part in table.parts) for table in used})
    if not needed:
        return None
    which = f"The table {needed[0]} does" if len(needed) == 1 else f"The tables {', '.join(needed)} do"
    return PanelError(
        "missing",
        f"{which} not exist. Run the DAG sparkify_warehouse: its first task, create_tables, creates missing tables.",
    )


def query(warehouse: Warehouse, sql: str, limit: float) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run a SELECT read-only, with a timeout of ``limit`` seconds; return its columns and rows."""
    warehouse.read_only(limit)
    return warehouse.table(sql)


def _explained(name: str, error: Exception, limit: float) -> PanelError:
    state = _sqlstate(error)
    if state == CANCELLED:
        return PanelError(
            "slow",
            f"The query of the panel {name} took longer than {limit:g} s and was cancelled. The warehouse may be busy; "
            f"reload in a while. The query is include/sql/analytics/page/{name}.sql.",
        )
    log.error("The query of the panel %s failed", name, exc_info=error)
    return PanelError(
        "refused",
        f"The query of the panel {name} failed ({type(error).__name__} {state}). See the log of the API server.",
    )


def _sqlstate(error: Exception) -> str:
    """Return the SQLSTATE of an error of psycopg or redshift_connector; empty if it has none."""
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(getattr(error, "sqlstate", None) or fields.get("C", ""))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
