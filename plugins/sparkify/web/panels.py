"""The panels of the warehouse page: a query each, read from the warehouse without being able to write."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

ANALYTICS = Path(__file__).parents[3] / "include" / "sql" / "analytics"
CONNECTION = "redshift"
# Seconds that a panel's query may take.
LIMIT = 10.0
PANELS = {
    "freshness": "page/freshness.sql",
    "tables": "page/tables.sql",
    "plays_by_hour": "page/plays_by_hour.sql",
    "plays_by_day": "page/plays_by_day.sql",
    "plays_by_weekday": "page/plays_by_weekday.sql",
    "top_songs": "page/top_songs.sql",
    "top_artists": "page/top_artists.sql",
    "users_by_level": "page/users_by_level.sql",
    "browsers": "browsers.sql",
    "quality": "page/quality.sql",
    "rejected_rows": "page/rejected_rows.sql",
}
# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html; Redshift's are the same.
CANCELLED = "57014"
MISSING = ("42P01", "3F000")


class PanelError(Exception):
    """A panel has no answer; the message says what is wrong and the remedy.

    :param kind: ``unreachable`` or ``waiting``, so that another attempt may succeed; ``missing``, ``slow`` or
        ``refused``, which the warehouse answers until something is loaded.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read(name: str, limit: float = LIMIT) -> dict[str, Any]:
    """Return what a panel shows, as JSON carries it: ``columns``, ``rows`` and ``as_of``.

    Times are UTC, in ISO 8601 with a ``Z``.

    :param name: one of ``PANELS``.
    :param limit: seconds that the query may take.
    :raises PanelError: where the warehouse does not answer.
    """
    from sparkify.warehouse import WarehouseError, connect

    as_of = datetime.now(UTC).replace(tzinfo=None)
    try:
        with connect(CONNECTION) as warehouse:
            columns, rows = query(warehouse, sql(name), limit)
    except WarehouseError as error:
        raise PanelError("unreachable", str(error)) from error
    except Exception as error:
        raise _explained(name, error, limit) from error
    return {"columns": columns, "rows": [[_plain(value) for value in row] for row in rows], "as_of": _plain(as_of)}


def sql(name: str) -> str:
    """Return the query of a panel, for the times that can be true: see :func:`sparkify.sql.predicates.plausible`."""
    return templates.environment(ANALYTICS).get_template(PANELS[name]).render(scope=predicates.plausible())


def query(warehouse: Warehouse, sql: str, limit: float) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows of a SELECT; it can neither write nor take longer than ``limit`` seconds."""
    warehouse.read_only(limit)
    return warehouse.table(sql)


def _explained(name: str, error: Exception, limit: float) -> PanelError:
    state = _sqlstate(error)
    if state in MISSING:
        return PanelError(
            "missing",
            "The warehouse has no tables yet. The first task of the DAG sparkify_warehouse creates them: run it once.",
        )
    if state == CANCELLED:
        return PanelError(
            "slow",
            f"The query of the panel {name} took longer than {limit:g} s and was cancelled. The warehouse may be busy; "
            f"reload in a while. The query is include/sql/analytics/{PANELS[name]}.",
        )
    log.error("The query of the panel %s failed", name, exc_info=error)
    return PanelError(
        "refused",
        f"The warehouse refused the query of the panel {name} ({type(error).__name__} {state}). "
        "The log of the API server has the details.",
    )


def _sqlstate(error: Exception) -> str:
    """Return what the database calls the error; psycopg and redshift_connector keep it in different places."""
    fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    return str(getattr(error, "sqlstate", None) or fields.get("C", ""))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
