"""What the operators share: the connections, the interval, the result."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator

from sparkify.dag.flow import Flow
from sparkify.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

    from sparkify.quality.outcome import Outcome
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)


class WarehouseOperator(BaseOperator):
    """Base of the operators that work on the warehouse.

    :param redshift_conn_id: connection of the warehouse: type ``redshift``, or ``postgres`` for a PostgreSQL that
        stands in for it. (templated)
    :param aws_conn_id: connection of type ``aws``, for what reads or writes S3. (templated)
    :param interval_start: first moment of the interval that the run owns, ISO 8601; without a zone it is UTC.
        (templated)
    :param interval_end: first moment after it. (templated)
    """

    template_fields: Sequence[str] = ("interval_start", "interval_end", "redshift_conn_id", "aws_conn_id")
    ui_fgcolor: str = "#1b1f24"

    # What the task returned, and what its checks came to; for whoever asks when it has ended.
    result: Mapping[str, Any] | None = None
    outcomes: Sequence[Outcome] = ()

    def __init__(
        self,
        *,
        redshift_conn_id: str = "redshift",
        aws_conn_id: str | None = "aws",
        interval_start: str = "{{ data_interval_start }}",
        interval_end: str = "{{ data_interval_end }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.redshift_conn_id = redshift_conn_id
        self.aws_conn_id = aws_conn_id
        self.interval_start = interval_start
        self.interval_end = interval_end

    @property
    def interval(self) -> Interval:
        """The interval that the run owns; only once the fields are rendered."""
        return Interval.parse(self.interval_start, self.interval_end)

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """Connect to the warehouse."""
        from sparkify.warehouse import connect

        with connect(self.redshift_conn_id, self.aws_conn_id) as warehouse:
            yield warehouse

    @staticmethod
    def with_scope(context: Context, scope: Callable[..., str]) -> Context:
        """Return the template context with the ``scope`` that .sql and .yaml files call."""
        return cast("Context", {**context, "scope": scope})

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the work; log and return what it came to, and note it on the events of the outlets."""
        started = time.monotonic()
        result = self.work(context)
        result["seconds"] = round(time.monotonic() - started, 2)
        log.info("Done: %s", ", ".join(f"{name} {value:,}" for name, value in result.items()))
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = result
        self.result = result
        return result

    @property
    def flow(self) -> Flow:
        """What the task reads and writes; only once the fields are rendered."""
        return Flow()

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Return the datasets, for OpenLineage's event of the task's start."""
        from sparkify.dag import lineage

        return lineage.of(self.flow, self.outcomes, self.result, self.warehouse)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Return the datasets and what the task came to, for the event of its end, failures included."""
        from sparkify.dag import lineage

        return lineage.of(self.flow, self.outcomes, self.result, self.warehouse)

    def work(self, context: Context) -> dict[str, Any]:
        """Do what the operator is for.

        :return: counts of rows and the like, by name.
        """
        raise NotImplementedError
