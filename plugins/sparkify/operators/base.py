"""The base of the operators: connections, interval and result."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from jinja2.nativetypes import NativeEnvironment

from sparkify.dag.flow import Flow
from sparkify.dag.run import RETRIGGER, InvalidRunError
from sparkify.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import jinja2
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

    from sparkify.quality.result import CheckResult
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)


class WarehouseOperator(BaseOperator):
    """Base of the operators that work on the warehouse.

    :param redshift_conn_id: connection of the warehouse: type ``redshift``, or ``postgres`` for the stand-in.
        (templated)
    :param aws_conn_id: connection of type ``aws``, to read and write S3. (templated)
    :param interval_start: start of the interval that the run owns, inclusive, ISO 8601; UTC if without a time zone.
        (templated)
    :param interval_end: its end, exclusive. (templated)
    """

    template_fields: Sequence[str] = ("interval_start", "interval_end", "redshift_conn_id", "aws_conn_id")
    ui_fgcolor: str = "#1b1f24"

    # The task's result and the results of its checks, for callbacks and lineage.
    result: Mapping[str, Any] | None = None
    # What the task has written outside of the warehouse, for the asset events of the outlets.
    links: Mapping[str, str] = MappingProxyType({})
    check_results: Sequence[CheckResult] = ()
    # Why the fields could not be rendered.
    _rendering_error: Exception | None = None
    # The environment of the fields. It compiles each text once; Airflow does for each use.
    _environment: jinja2.Environment | None = None

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
        """The interval that the run owns; available after the fields are rendered.

        :raises InvalidRunError: if the fields are not a valid interval.
        """
        try:
            return Interval.parse(self.interval_start, self.interval_end)
        except ValueError as error:
            raise InvalidRunError(f"Invalid interval of this run: {error}. {RETRIGGER}") from None

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

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render the fields; :meth:`execute` raises the error if that fails, such as for a run with an invalid range.

        Airflow logs errors of rendering in a group that the web UI collapses: the log would look empty.
        """
        try:
            self._environment = environment = jinja_env or self.get_template_env()
            environment.from_string = cache(environment.from_string)  # type: ignore[method-assign, assignment]
            self.render_fields(context, environment)
        except Exception as error:  # noqa: BLE001 - execute() raises it
            self._rendering_error = error

    def render_fields(self, context: Context, jinja_env: jinja2.Environment | None) -> None:
        """Render the fields; for subclasses that add variables to the templates."""
        super().render_template_fields(context, jinja_env)

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: jinja2.Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Render a value, as Airflow does; a text without expressions is not compiled, which takes a millisecond."""
        environment = jinja_env or self._environment or self.get_template_env()
        if isinstance(content, str) and not isinstance(environment, NativeEnvironment):
            is_file = content.endswith(tuple(self.template_ext))
            if not is_file and "{" not in content and "\r" not in content:
                return content.removesuffix("\n")
        return super().render_template(content, context, environment, seen_oids)

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the task; log and return its result, and add it to the asset events of the outlets.

        :raises AirflowFailException: if a retry would fail again, see :func:`sparkify.warehouse.errors.is_terminal`.
        """
        started = time.monotonic()
        with _without_useless_retries():
            if self._rendering_error:
                raise self._rendering_error
            result = self.work(context)
        result["seconds"] = round(time.monotonic() - started, 2)
        log.info("Done: %s", ", ".join(f"{name} {value:,}" for name, value in result.items()))
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {**result, **self.links}
        self.result = result
        return result

    @property
    def flow(self) -> Flow:
        """What the task reads and writes; available after the fields are rendered."""
        return Flow()

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Return the datasets, for OpenLineage's event of the task's start."""
        from sparkify.dag import lineage

        return lineage.of(self.flow, self.check_results, self.result, self.warehouse)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Return the datasets and the task's result, for OpenLineage's event of its end, failures included."""
        from sparkify.dag import lineage

        return lineage.of(self.flow, self.check_results, self.result, self.warehouse)

    def work(self, context: Context) -> dict[str, Any]:
        """Do the operator's work.

        :return: counts by name, such as rows.
        """
        raise NotImplementedError


@contextmanager
def _without_useless_retries() -> Iterator[None]:
    """Fail the task at once if a retry would fail again, with the message as lines of the log.

    The web UI shows the message of an exception without its line breaks.
    """
    try:
        yield
    except AirflowFailException as error:
        log.error("%s", error)
        raise
    except Exception as error:
        from sparkify.warehouse.errors import explain, is_terminal, sqlstate

        if not is_terminal(error):
            raise
        message = explain(error)
        log.error("%s", message)
        # A driver's error has the position in the statement; another one only repeats the message.
        raise AirflowFailException(message) from (error if sqlstate(error) else None)
