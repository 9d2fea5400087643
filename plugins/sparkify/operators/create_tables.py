"""Create the warehouse's tables, and validate the checks against them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from sparkify.dag.run import RETRIGGER, InvalidRunError
from sparkify.interval import SHOWN
from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.quality.declaration import Check
    from sparkify.schema.apply import Policy
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

# The text that confirms the deletion of all rows.
CONFIRMATION = "recreate all tables"


class CreateTablesOperator(WarehouseOperator):
    """Create the declared tables and other objects, and apply the changes of their DDL to existing ones.

    An up-to-date schema costs two queries. See docs/schema.md.

    :param ddl: the folders that declare the tables: .sql files with CREATE ... IF NOT EXISTS, in Redshift's dialect.
        Schemas are created first; statements that create no object always run. (templated)
    :param postgres_sql: .sql files that run on PostgreSQL only, after the others: the indexes that Redshift neither
        has nor needs. (templated)
    :param recreate: ``"recreate all tables"`` to drop all declared tables first, except those of ``history.sql``: all
        other data is lost. Any other text is an error, unless it is empty. (templated)
    :param schema_changes: ``additive`` applies the changes that leave existing rows as they are, and logs the others;
        ``all`` applies all; ``refuse`` fails if there is any. (templated)
    :param checks: the folder with the declarations of data quality checks, to validate them before anything is loaded.
        (templated)
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "ddl",
        "postgres_sql",
        "recreate",
        "schema_changes",
        "checks",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"postgres_sql": "sql"}
    ui_color = "#e3e3e3"

    def __init__(
        self,
        *,
        ddl: Sequence[str],
        postgres_sql: list[str] | None = None,
        recreate: str = "",
        schema_changes: Policy | str = "additive",
        checks: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ddl = ddl
        self.postgres_sql = postgres_sql or []
        self.recreate = recreate
        self.schema_changes = schema_changes
        self.checks = checks

    def work(self, context: Context) -> dict[str, Any]:
        from sparkify.schema.apply import apply, policy_of
        from sparkify.warehouse import ddl

        if self.recreate and self.recreate != CONFIRMATION:
            raise InvalidRunError(
                f"Nothing was done: to drop and recreate all tables, type {CONFIRMATION!r}; got "
                f"{self.recreate!r:.{SHOWN}}. {RETRIGGER}"
            )
        checks = self._read_checks()
        try:
            folders = [Path(folder) for folder in self.ddl]
            declared = ddl.read(*folders, indexes=self.postgres_sql)
            with self.warehouse() as warehouse:
                if warehouse.engine != "postgres":
                    declared = {item: table for item, table in declared.items() if not item.index_of}
                tables = {check.table for check in checks}
                executed, columns = apply(
                    warehouse,
                    declared,
                    policy=policy_of(self.schema_changes),
                    others=tables,
                    recreate=bool(self.recreate),
                )
                _expect_columns(warehouse, checks, columns)
        except ddl.DdlError as error:
            raise AirflowFailException(f"Nothing was done: the DDL cannot be applied.\n{error}") from None
        return {"schema_changes": executed, "checks": len(checks)}

    def _read_checks(self) -> list[Check]:
        from sparkify.quality import declaration

        try:
            return declaration.load(Path(self.checks)) if self.checks else []
        except declaration.DeclarationError as error:
            raise AirflowFailException(f"Nothing was done: invalid data quality checks.\n{error}") from None


def _expect_columns(warehouse: Warehouse, checks: list[Check], known: dict[str, list[str]]) -> None:
    """Fail if a check references a column that its table does not have.

    :param known: the columns of the tables that are in the catalogue.
    """
    columns = {table: set(known.get(table) or warehouse.columns(table)) for table in {check.table for check in checks}}
    problems = [
        f"{check.where}: the table {check.table} has no column {', '.join(sorted(missing))}"
        for check in checks
        if (missing := check.columns - columns[check.table])
    ]
    if problems:
        raise AirflowFailException("Nothing was loaded: invalid data quality checks.\n" + "\n".join(problems))
