"""The base of the operators that load a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sparkify.dag.flow import Flow
from sparkify.loading.load import Load
from sparkify.loading.newest import Newest
from sparkify.loading.strategy import Target
from sparkify.operators.base import WarehouseOperator
from sparkify.schema.definition import fingerprint
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2
    from airflow.sdk import Context

    from sparkify.loading.strategy import Strategy
    from sparkify.schema.apply import Policy
    from sparkify.schema.rebuild import Replacement


class LoadOperator(WarehouseOperator):
    """Load a table from its source, in one transaction: an incremental upsert, or a full refresh.

    ``sql`` defines the table's rows as one SELECT of candidates: the table's columns, audit columns included, among
    them ``row_version``, a text that determines the order of a key's candidates. The newest candidate of each key is
    the row. In its WHERE clause the SELECT calls ``{{ scope(partition, key=expression, ...) }}``, with the source's
    partition column and, for each key column of the target, the source's expression for it.

    ``merge`` reads the part of the source that changed: the rows of the run's interval or, with ``source``, of the
    batches that the table has not loaded. A row is only replaced by a newer one, in any order of runs; a row that has
    lost its source in that part is looked up again in the whole source. ``rebuild`` reads the whole source. Both result
    in the same rows. Subclasses may have another strategy.

    :param table: the table to load. (templated)
    :param keys: the columns that identify a row.
    :param sql: a .sql file with the SELECT of candidates. (templated)
    :param source: the staging table whose batches of objects drive the load, if it is not partitioned by time. The
        table then has a column ``batch_id``, otherwise ``interval_time``; and ``merge`` is skipped if no batch was
        added or retired.
    :param mode: ``merge`` or ``rebuild``. (templated)
    :param schema_changes: if it is ``all``, a table whose structure differs from its DDL is replaced by a new one when
        its rows are rebuilt; see docs/schema.md. (templated)
    :param ddl: the folders that declare the tables, for ``schema_changes``. (templated)
    :param postgres_sql: .sql files with the indexes on PostgreSQL, for ``schema_changes``. (templated)
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "table",
        "sql",
        "mode",
        "schema_changes",
        "ddl",
        "postgres_sql",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql"}

    def __init__(
        self,
        *,
        table: str,
        keys: Sequence[str],
        sql: str,
        source: str | None = None,
        mode: Literal["merge", "rebuild"] | str = "merge",
        schema_changes: Policy | str = "additive",
        ddl: Sequence[str] = (),
        postgres_sql: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.keys = list(keys)
        self.sql = sql
        self.source = source
        self.mode = mode
        self.schema_changes = schema_changes
        self.ddl = ddl
        self.postgres_sql = postgres_sql or []
        self._template: str | None = None

    @property
    def strategy(self) -> Strategy:
        """How the candidates become the table's rows."""
        return Newest(self.source)

    def render_fields(self, context: Context, jinja_env: jinja2.Environment | None) -> None:
        """Render the fields; ``sql`` with the scope of the rows that changed."""
        self.resolve_template_files()  # `airflow dags test` does not: `sql` would still be the file's name
        self._template = self.sql

        def changed(column: str, *, lookup: str = "", **keys: str) -> str:
            # The interval is rendered before this is called.
            scope = predicates.of_changed_batches if self.source else predicates.OfInterval(self.interval)
            return scope(column, lookup=lookup, **keys)

        super().render_fields(self.with_scope(context, changed), jinja_env)

    @property
    def flow(self) -> Flow:
        from sparkify.dag.lineage import tables_of

        lookup = self.strategy.lookup
        reads = [*tables_of(self.sql), *([lookup.table] if lookup else [])]
        return Flow(reads, writes=self.table, select=self.sql)

    def work(self, context: Context) -> dict[str, Any]:
        if self.mode not in ("merge", "rebuild"):
            raise AirflowFailException(f"Invalid mode: expected merge or rebuild, got {self.mode!r}.")

        def select(scope: predicates.Predicate) -> str:
            sql: str = self.render_template(self._template, self.with_scope(context, scope))
            return sql.strip().rstrip(";")

        with self.warehouse() as warehouse:
            load = Load(
                Target(warehouse, self.table, self.keys, select, self.interval),
                self.strategy,
                fingerprint=fingerprint(self._template or "", self.keys),
                is_newest=self.schema_changes == "all",
                replacement=self._replacement() if self.ddl and self.schema_changes == "all" else None,
            )
            rows = load.rebuild() if self.mode == "rebuild" else load.merge()
        if rows is None:
            raise AirflowSkipException(f"No new data: {self.table} has loaded all batches of {self.source}.")
        return {"rows": rows}

    def _replacement(self) -> Replacement:
        from sparkify.schema.rebuild import Replacement
        from sparkify.warehouse import ddl

        folders = [Path(folder) for folder in self.ddl]
        return Replacement.of(ddl.read(*folders, indexes=self.postgres_sql), self.table)
