"""Publish the days that a run has completed."""

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
    """Tell those who wait for whole days which days are loaded: one event of each outlet a day.

    The day, ``2018-11-01``, is the event's partition key. Nothing is published of a day that is not over. A run
    without a day to publish is skipped, so that it leaves no event.

    See :class:`~sparkify.operators.base.WarehouseOperator` for the parameters. The interval is that which the run has
    loaded: the day as a whole where the run closes it.
    """

    ui_color = "#d9ead3"

    def work(self, context: Context) -> dict[str, Any]:
        dag_run = context["dag_run"]
        first_of_backfill = dag_run.run_type == "backfill" and not dag_run.clear_number
        days = completed_days(self.interval, datetime.now(UTC), only_closed=first_of_backfill)
        if not days:
            raise AirflowSkipException(f"{self.interval} completes no day.")
        for outlet in self.outlets:
            context["outlet_events"][outlet].add_partitions(days)
        log.info("Published: %s", ", ".join(days))
        return {"days": len(days)}


def completed_days(interval: Interval, now: datetime, *, only_closed: bool) -> list[str]:
    """Return the days of an interval that are over: 2018-11-01, and so on.

    A day is whole once the run that closes it is done, for that run covers it from its start. What changes the day
    later, such as one hour that is loaded again, makes it news again.

    :param interval: what a run has loaded.
    :param now: the time; a day that is not over is not whole.
    :param only_closed: leave out days that go on after the interval. A backfill loads every hour of a day: its closing
        run stands for the others.
    """
    return [
        f"{day.start:%Y-%m-%d}"
        for day in interval.periods("day")
        if day.end <= now and (day.end <= interval.end or not only_closed)
    ]
