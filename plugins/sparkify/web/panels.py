"""The panels of the warehouse page: one read-only query each."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.schema import metrics
from sparkify.schema.metrics import Metric  # noqa: TC001 - FastAPI reads the annotation
from sparkify.sql import predicates, templates
from sparkify.sql.heading import heading
from sparkify.web.days import Days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparkify.warehouse import Warehouse
    from sparkify.warehouse.ddl import Table

log = logging.getLogger(__name__)

SQL = Path(__file__).parents[3] / "include" / "sql"
CONNECTION = "redshift"
# Query timeout of a panel, in seconds.
LIMIT = 10.0
# Tables from this many rows on have the planner's estimate instead of a count, which would read the whole table.
COUNTED = 500_000
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
    :param has_days: whether it shows the chosen days only.
    :param metrics: the metrics that it selects from.
    """

    name: str
    title: str
    note: str
    has_days: bool
    metrics: tuple[Metric, ...]


def declared() -> dict[str, Panel]:
    """Return the panels by name, one for each file of include/sql/analytics/page."""
    catalogue = metrics.read(SQL / "metrics")
    return {path.stem: _panel(path, catalogue) for path in sorted((SQL / "analytics" / "page").glob("*.sql"))}


def _panel(path: Path, catalogue: Mapping[str, Metric]) -> Panel:
    text = path.read_text(encoding="utf-8")
    title, note = heading(text)
    has_days = re.search(r"\bscope\([^)]*\bchosen=", text) is not None
    used = dict.fromkeys(re.findall(r"\bmetrics\.(\w+)", text))
    return Panel(
        path.stem, title or path.stem, note, has_days, tuple(catalogue[name] for name in used if name in catalogue)
    )


def read(name: str, days: Days | None = None, limit: float = LIMIT) -> dict[str, Any]:
    """Return the content of a panel in JSON types: ``columns``, ``rows`` and ``as_of``.

    Times are UTC, in ISO 8601 with a ``Z``.

    :param name: one of :func:`declared`.
    :param days: the days to show, if the panel has days; None for all.
    :param limit: query timeout, in seconds.
    :raises PanelError: if the warehouse is unreachable, or the query fails or times out.
    """
    from sparkify.warehouse import WarehouseError

    as_of = datetime.now(UTC).replace(tzinfo=None)
    try:
        columns, rows = _answer(name, days, limit)
    except PanelError:
        raise
    except WarehouseError as error:
        raise PanelError("unreachable", str(error)) from error
    except Exception as error:
        raise _explained(name, error, limit) from error
    return {"columns": columns, "rows": [[_plain(value) for value in row] for row in rows], "as_of": _plain(as_of)}


def sql(name: str, days: Days | None = None, estimates: Mapping[str, int] | None = None) -> str:
    """Return the query of a panel.

    A template calls ``scope(column)`` for valid timestamps, see :func:`sparkify.sql.predicates.plausible`, and
    ``scope(column, chosen="day")`` for the days to show, or another unit of :meth:`sparkify.web.days.Days.predicate`.
    It may iterate over the tables: ``{% for table in tables %}``, each a
    :class:`sparkify.warehouse.ddl.Table`.

    :param days: the days to show; None for all.
    :param estimates: the estimated number of rows of large tables, by name.
    """
    valid, shown = predicates.plausible(), days or Days.valid()

    def scope(column: str, *, chosen: str = "") -> str:
        return shown.predicate(column, chosen) if chosen else valid(column)

    tables = _tables(SQL / "ddl", version(SQL / "ddl"))
    return templates.renderer(SQL)(f"analytics/page/{name}", scope=scope, tables=tables, estimates=estimates or {})


@lru_cache(maxsize=1)
def _tables(folder: Path, version: frozenset[tuple[str, int]]) -> list[Table]:
    """Return the declared tables; parsing them takes a tenth of a second."""
    from sparkify.warehouse import ddl

    return ddl.tables(folder)


def version(*folders: Path) -> frozenset[tuple[str, int]]:
    """Return what changes if a file of the folders does."""
    files = [path for folder in folders for path in folder.rglob("*.sql")]
    return frozenset((str(path), path.stat().st_mtime_ns) for path in files)


def _answer(name: str, days: Days | None, limit: float) -> tuple[list[str], list[tuple[Any, ...]]]:
    from sparkify.warehouse import connect

    statement = sql(name, days)
    try:
        with connect(CONNECTION) as warehouse:
            warehouse.read_only(limit)
            if large := _estimates(name, warehouse):
                statement = sql(name, days, large)
            return warehouse.table(statement)
    except Exception as error:
        if _sqlstate(error) not in MISSING:
            raise
        with connect(CONNECTION) as warehouse:  # the error has ended the transaction
            warehouse.read_only(limit)
            if missing := _missing(warehouse, statement):
                raise missing from error
        raise


def _estimates(name: str, warehouse: Warehouse) -> dict[str, int]:
    """Return the estimated number of rows of the large tables, if the panel's template uses it."""
    from sparkify.warehouse import catalogue

    if "estimates" not in (SQL / "analytics" / "page" / f"{name}.sql").read_text(encoding="utf-8"):
        return {}
    names = [table.name for table in _tables(SQL / "ddl", version(SQL / "ddl"))]
    found = catalogue.relations(warehouse, names)
    return {name: relation.rows for name, relation in found.items() if relation.rows >= COUNTED}


def _missing(warehouse: Warehouse, statement: str) -> PanelError | None:
    """Return the error that names the declared tables and views which a SELECT needs and which do not exist."""
    import sqlglot
    from sqlglot import exp

    from sparkify.warehouse import catalogue, ddl

    statements = ddl.read(SQL / "ddl", SQL / "views", SQL / "metrics")
    declared = {str(statement.creates) for statement in statements if statement.kind in ("TABLE", "VIEW")}
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
    return PanelError(
        "missing",
        f"{', '.join(needed)} {'does' if len(needed) == 1 else 'do'} not exist. Run the DAG sparkify_warehouse: its "
        "first task, create_tables, creates missing tables and views.",
    )


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
