"""Create the warehouse's tables, and see that the checks fit them."""

from __future__ import annotations

import logging
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

    :param sql: .sql files with CREATE ... IF NOT EXISTS, in Redshift's dialect. (templated)
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
        checks = self._read_checks()
        with self.warehouse() as warehouse:
            scripts = list(self.sql)
            if str(self.recreate).lower() == "true":
                log.warning("Dropping all tables: this run recreates them.")
                scripts = [*self.drop_sql, *scripts]
            if warehouse.engine == "postgres":
                scripts += self.postgres_sql

            def create() -> None:
                for script in scripts:
                    warehouse.script(script)

            warehouse.transaction(create)
            _expect_columns(warehouse, checks)
        return {"scripts": len(scripts), "checks": len(checks)}

    def _read_checks(self) -> list[Check]:
        from sparkify.quality import declaration

        try:
            return declaration.load(Path(self.checks)) if self.checks else []
        except declaration.DeclarationError as error:
            raise AirflowFailException(f"Nothing was done: the checks of data quality are wrong.\n{error}") from None


def _expect_columns(warehouse: Warehouse, checks: list[Check]) -> None:
    """Fail where a check names a column that its table does not have."""
    columns = {table: set(warehouse.columns(table)) for table in {check.table for check in checks}}
    problems = [
        f"{check.where}: the table {check.table} has no column {', '.join(sorted(missing))}"
        for check in checks
        if (missing := check.columns - columns[check.table])
    ]
    if problems:
        raise AirflowFailException("Nothing was loaded: the checks of data quality are wrong.\n" + "\n".join(problems))
