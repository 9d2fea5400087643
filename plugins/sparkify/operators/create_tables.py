"""Create the warehouse's tables, and see that the checks fit them."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.quality.declaration import Check
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)


class CreateTablesOperator(WarehouseOperator):
    """Run DDL that creates what is missing and leaves what is there.

    The catalogue tells what is there: where nothing is missing, one query is all that is sent.

    :param sql: .sql files with CREATE ... IF NOT EXISTS, in Redshift's dialect; what else they have is always run.
        (templated)
    :param postgres_sql: .sql files that run on PostgreSQL only, after the others: the indexes that Redshift neither
        has nor needs. (templated)
    :param drop_sql: .sql files that drop everything first, where ``recreate`` says so. (templated)
    :param recreate: ``"True"`` to drop and create. All data is lost. (templated)
    :param checks: the folder of the files that declare data quality checks. What is wrong with them is told here,
        before anything is loaded, rather than when all is. (templated)
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "sql",
        "postgres_sql",
        "drop_sql",
        "recreate",
        "checks",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "postgres_sql": "sql", "drop_sql": "sql"}
    ui_color = "#e3e3e3"

    def __init__(
        self,
        *,
        sql: list[str],
        postgres_sql: list[str] | None = None,
        drop_sql: list[str] | None = None,
        recreate: str | bool = False,
        checks: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.postgres_sql = postgres_sql or []
        self.drop_sql = drop_sql or []
        self.recreate = recreate
        self.checks = checks

    def work(self, context: Context) -> dict[str, Any]:
        from sparkify.warehouse.catalogue import relations
        from sparkify.warehouse.session import statements

        checks = self._read_checks()
        with self.warehouse() as warehouse:
            scripts = [*self.sql, *(self.postgres_sql if warehouse.engine == "postgres" else [])]
            creates = {statement: _created(statement) for script in scripts for statement in statements(script)}
            names = {*filter(None, creates.values()), *(check.table for check in checks)}

            def create() -> tuple[int, dict[str, list[str]]]:
                if str(self.recreate).lower() == "true":
                    log.warning("Dropping all tables: this run recreates them.")
                    for script in self.drop_sql:
                        warehouse.script(script)
                there = relations(warehouse, names)
                known = {*there, *(name.partition(".")[0] for name in there if "." in name)}  # a schema is there too
                missing = [statement for statement, name in creates.items() if name not in known]
                for statement in missing:
                    warehouse.script(statement)
                return len(missing), relations(warehouse, names) if missing else there

            sent, columns = warehouse.transaction(create)
            _expect_columns(warehouse, checks, columns)
        return {"statements": sent, "checks": len(checks)}

    def _read_checks(self) -> list[Check]:
        from sparkify.quality import declaration

        try:
            return declaration.load(Path(self.checks)) if self.checks else []
        except declaration.DeclarationError as error:
            raise AirflowFailException(f"Nothing was done: the checks of data quality are wrong.\n{error}") from None


def _created(statement: str) -> str | None:
    """Return the name of what a statement creates where it is missing; None of any other statement."""
    from sparkify.warehouse.session import label

    found = re.match(r"CREATE (?:SCHEMA|TABLE|INDEX) IF NOT EXISTS ([\w.]+)", label(statement))
    return found[1] if found else None


def _expect_columns(warehouse: Warehouse, checks: list[Check], known: dict[str, list[str]]) -> None:
    """Fail where a check names a column that its table does not have.

    :param known: the columns of tables, as far as the catalogue has them.
    """
    columns = {table: set(known.get(table) or warehouse.columns(table)) for table in {check.table for check in checks}}
    problems = [
        f"{check.where}: the table {check.table} has no column {', '.join(sorted(missing))}"
        for check in checks
        if (missing := check.columns - columns[check.table])
    ]
    if problems:
        raise AirflowFailException("Nothing was loaded: the checks of data quality are wrong.\n" + "\n".join(problems))
