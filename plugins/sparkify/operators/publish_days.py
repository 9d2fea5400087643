"""Publish the days that a run has completed, as asset events."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.interval import Interval

log = logging.getLogger(__name__)


class PublishDaysOperator(WarehouseOperator):
    """Publish completed days as asset events: one event per day and outlet.

    The day, ``2018-11-01``, is the event's partition key. A day is published only after its end. A run that completes
    no day is skipped, so that it emits no event.

    See :class:`~sparkify.operators.base.WarehouseOperator` for the parameters. The interval is the one that the run has
    loaded: the whole day if the run closes it.
    """

    ui_color = "#d9ead3"

    def work(self, context: Context) -> dict[str, Any]:
        dag_run = context["dag_run"]
        first_of_backfill = dag_run.run_type == "backfill" and not dag_run.clear_number
        days = completed_days(self.interval, datetime.now(UTC), only_closed=first_of_backfill)
        if not days:
            raise AirflowSkipException(f"Nothing to publish: {self.interval} completes no day.")
        for outlet in self.outlets:
            context["outlet_events"][outlet].add_partitions(days)
        log.info("Published: %s", ", ".join(days))
        return {"days": len(days)}


def completed_days(interval: Interval, now: datetime, *, only_closed: bool) -> list[str]:
    """Return the completed days of an interval, such as 2018-11-01.

    A day is complete when the run that closes it has succeeded, because that run reprocesses the whole day. If part of
    the day is reloaded later, such as one hour, the day is published again.

    :param interval: the interval that a run has loaded.
    :param now: the current time; a day that has not ended is not complete.
    :param only_closed: omit days that end after the interval. A backfill loads every hour of a day: only its closing
        run publishes the day.
    """
    return [
        f"{day.start:%Y-%m-%d}"
        for day in interval.periods("day")
        if day.end <= now and (day.end <= interval.end or not only_closed)
    ]
