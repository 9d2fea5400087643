"""Write a report of the warehouse to S3."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from sparkify.dag.run import InvalidRunError
from sparkify.interval import Interval
from sparkify.operators.base import WarehouseOperator
from sparkify.sql import predicates
from sparkify.sql.heading import heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2
    from airflow.sdk import Context

    from sparkify.sql.heading import Heading

log = logging.getLogger(__name__)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ReportRun:
    """The run that wrote a report.

    :param dag_id: the DAG.
    :param run_id: the run.
    :param log_url: URL of the task's log in Airflow.
    :param written_at: when the report was written; UTC.
    """

    dag_id: str
    run_id: str
    log_url: str
    written_at: datetime


class ReportOperator(WarehouseOperator):
    """Render an HTML template with the results of queries, and write the report to S3.

    The report and its key depend on the interval only, so the task is idempotent: a rerun overwrites the report. If the
    interval has not ended (``run.written_at`` is before its end), the report has the rows loaded so far. The task fails
    if the interval has not begun.

    :param queries: .sql files with one SELECT each. ``{{ scope(column) }}`` is the predicate of the interval, and
        ``{{ scope(column, days=14) }}`` that of the last 14 days up to its end. (templated)
    :param template: a Jinja template in the DAG's template_searchpath. Its variables are ``rows`` (for each query, by
        the name of its file, a list of rows by column), ``headings`` (of the queries, by the same names),
        ``interval``, ``run``, ``metrics`` and ``timedelta``; output is escaped.
    :param bucket: the bucket to write to. (templated)
    :param metrics: the folder of the semantic catalogue; the template's ``metrics``, by name. (templated)
    :param key: pattern of the key, for strftime on the interval's start: ``reports/%Y/%m/%Y-%m-%d.html``.
    """

    template_fields: Sequence[str] = (*WarehouseOperator.template_fields, "queries", "bucket", "metrics")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"queries": "sql"}
    ui_color = "#f3d1e4"

    def __init__(
        self, *, queries: list[str], template: str, bucket: str, key: str, metrics: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.queries = queries
        self.names = [PurePath(file).stem for file in queries]  # rendering replaces the names with the files' content
        self.template = template
        self.bucket = bucket
        self.key = key
        self.metrics = metrics

    def render_fields(self, context: Context, jinja_env: jinja2.Environment | None) -> None:
        """Render the fields, with the interval as the scope of the queries."""

        def scope(column: str, *, days: int = 1) -> str:
            interval = self.interval  # rendered before this is called
            return predicates.OfInterval(Interval(interval.end - timedelta(days=days), interval.end))(column)

        super().render_fields(self.with_scope(context, scope), jinja_env)

    def work(self, context: Context) -> dict[str, Any]:
        from sparkify.s3 import Bucket

        now = datetime.now(UTC)
        if self.interval.start > now:
            raise InvalidRunError(
                f"{self.interval} has not begun: expected a start before {now:%Y-%m-%d %H:%M} UTC. Trigger the DAG "
                "again with an earlier one: clearing the task cannot change it."
            )
        with self.warehouse() as warehouse:
            # One transaction: all queries see the same snapshot, while other runs load.
            tables = warehouse.transaction(lambda: [warehouse.table(query) for query in self.queries])
        rows: dict[str, Rows] = {
            name: [dict(zip(columns, row, strict=True)) for row in found]
            for name, (columns, found) in zip(self.names, tables, strict=True)
        }
        headings = {name: heading(query) for name, query in zip(self.names, self.queries, strict=True)}
        dag_run, ti = context["dag_run"], context["ti"]
        run = ReportRun(dag_run.dag_id, dag_run.run_id, ti.log_url, now)
        page = self._page(rows, headings, run).encode()
        key = f"{self.interval.start:{self.key}}"
        Bucket(self.bucket, self.aws_conn_id).put(key, page, content_type="text/html; charset=utf-8")
        uri = f"s3://{self.bucket}/{key}"
        log.info("Report of %s: %s", self.interval, uri)
        ti.xcom_push(key="uri", value=uri)
        self.links = {"report": uri}
        return {"bytes": len(page)}

    def _page(self, rows: dict[str, Rows], headings: dict[str, Heading], run: ReportRun) -> str:
        from jinja2 import Environment, StrictUndefined

        from sparkify.schema import metrics

        # Airflow's own environment does not escape, and the values are input from clients.
        environment = Environment(
            loader=self.get_template_env().loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        template = environment.get_template(self.template)
        return template.render(
            rows=rows,
            headings=headings,
            interval=self.interval,
            run=run,
            metrics=metrics.read(Path(self.metrics)) if self.metrics else {},
            timedelta=timedelta,
        )
