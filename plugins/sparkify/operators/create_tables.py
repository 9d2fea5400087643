"""Create the warehouse's tables."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

log = logging.getLogger(__name__)


class CreateTablesOperator(WarehouseOperator):
    """Run DDL that creates what is missing and leaves what is there.

    :param sql: .sql files with CREATE ... IF NOT EXISTS, in Redshift's dialect. (templated)
    :param postgres_sql: .sql files that run on PostgreSQL only, after the others: the indexes that Redshift neither
        has nor needs. (templated)
    :param drop_sql: .sql files that drop everything first, where ``recreate`` says so. (templated)
    :param recreate: ``"True"`` to drop and create. All data is lost. (templated)
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "sql",
        "postgres_sql",
        "drop_sql",
        "recreate",
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.postgres_sql = postgres_sql or []
        self.drop_sql = drop_sql or []
        self.recreate = recreate

    def work(self, context: Context) -> dict[str, Any]:
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
        return {"scripts": len(scripts)}
