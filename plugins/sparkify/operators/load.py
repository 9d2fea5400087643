"""What the load of a fact and of a dimension share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sparkify import strategies
from sparkify.operators.base import Flow, WarehouseOperator
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2
    from airflow.sdk import Context

    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)


class LoadOperator(WarehouseOperator):
    """Bring a table up to date with its source, in one transaction.

    ``sql`` says what the table's rows are, as one SELECT of candidates: the table's columns, audit columns included,
    among them ``row_version``, a text that orders the candidates of a key. Per key the newest candidate is the row.
    In its WHERE clause the SELECT calls ``{{ scope(partition, key=expression, ...) }}``, with the source's partition
    column and, for each column that identifies the target's row, the source's expression for it.

    ``merge`` looks at the part of the source that changed: the rows of the run's interval or, with ``source``, of the
    batches that the table has not loaded. A row is replaced by a newer one only, whatever the order of runs; a row
    that came from that part and is not supported by it any more is looked up again in the whole source. ``rebuild``
    looks at the whole source. Both leave the same rows.

    :param table: the table to load. (templated)
    :param keys: the columns that identify a row.
    :param sql: a .sql file with the SELECT of candidates. (templated)
    :param source: the staging table whose batches of objects drive the load, where its rows are not cut by time.
        Then the table has a column ``batch_id``, else ``interval_time``; and ``merge`` is skipped where no batch came
        or went.
    :param mode: ``merge`` or ``rebuild``. (templated)
    """

    template_fields: Sequence[str] = (*WarehouseOperator.template_fields, "table", "sql", "mode")
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.keys = list(keys)
        self.sql = sql
        self.source = source
        self.lookup: str | None = None
        self.mode = mode
        self._template: str | None = None

    @property
    def partition_column(self) -> str:
        return "batch_id" if self.source else "interval_time"

    def changed(self, batches: predicates.Scope = predicates.of_changed_batches) -> predicates.Scope:
        """Return the scope of the source rows that the run has to look at.

        :param batches: the scope of the batches that changed, once their numbers are known.
        """
        return batches if self.source else predicates.OfInterval(self.interval)

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render the fields; ``sql`` as it reads for the rows that changed."""
        self._template = self.sql

        def changed(column: str, *, lookup: str = "", **keys: str) -> str:
            return self.changed()(column, lookup=lookup, **keys)  # the interval is rendered by the time this is called

        super().render_template_fields(self.with_scope(context, changed), jinja_env)

    def _select(self, context: Context, scope: predicates.Scope) -> str:
        sql: str = self.render_template(self._template, self.with_scope(context, scope))
        return sql.strip().rstrip(";")

    @property
    def flow(self) -> Flow:
        from sparkify.dag.lineage import tables_of

        reads = [*tables_of(self.sql), *([self.lookup] if self.lookup else [])]
        return Flow(reads, writes=self.table, select=self.sql)

    def work(self, context: Context) -> dict[str, Any]:
        if self.mode not in ("merge", "rebuild"):
            raise AirflowFailException(f"mode must be merge or rebuild, not {self.mode!r}.")
        with self.warehouse() as warehouse:
            loaded = warehouse.transaction(lambda: self._load(warehouse, context), lock=[self.table])
            warehouse.analyze(self.table, loaded["rows"])
            return loaded

    def _load(self, warehouse: Warehouse, context: Context) -> dict[str, Any]:
        batches: list[tuple[int]] = []
        if self.source or self.lookup:
            warehouse.script(strategies.render("begin_load", **self._batches))
            batches = warehouse.query(f"SELECT batch_id FROM {predicates.CHANGED_BATCHES} ORDER BY batch_id")
        if self.source and not batches and self.mode == "merge":
            raise AirflowSkipException(f"Nothing new: {self.table} has all batches of {self.source}.")
        names: dict[str, Any] = {
            "table": self.table,
            "keys": self.keys,
            "columns": warehouse.columns(self.table),
        }
        if self.mode == "rebuild":
            everything = self._select(context, predicates.everything)
            rows = warehouse.script(strategies.render("rebuild", **names, select=everything))
        else:
            rows = self._merge(
                warehouse, context, names, predicates.OfBatches(tuple(batch_id for (batch_id,) in batches))
            )
        if batches:
            warehouse.script(strategies.render("end_load", **self._batches))
        return {"rows": rows}

    @property
    def _batches(self) -> dict[str, Any]:
        return {"table": self.table, "source": self.source, "lookup": self.lookup}

    def _merge(
        self, warehouse: Warehouse, context: Context, names: dict[str, Any], batches: predicates.OfBatches
    ) -> int:
        scope = self.changed(batches)
        changed = scope(f"{self.table}.{self.partition_column}")
        select = self._select(context, scope)
        warehouse.script(strategies.render("take_changed", **names, select=select, changed=changed))
        ((stale,),) = warehouse.query("SELECT COUNT(*) FROM stale")
        if stale:
            log.info("%d rows of %s lost their source: looking for what else is known.", stale, self.table)
            select = self._select(context, predicates.OfKeys("stale"))
            warehouse.script(strategies.render("take_stale", **names, select=select))
        warehouse.script(strategies.render("merge", **names))
        # Each row of the batch is one of the table now. Redshift does not say how many a MERGE has touched.
        ((rows,),) = warehouse.query("SELECT COUNT(*) FROM batch")
        return int(rows)
