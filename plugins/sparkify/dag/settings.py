"""Settings that DAGs read at parse time: the section ``[sparkify]`` of Airflow's configuration.

A DAG's schedule must be known at parse time, when neither Airflow Variables nor the network may be read. All components
of Airflow must have the same values: in ``airflow.cfg``, or as ``AIRFLOW__SPARKIFY__...`` in the environment.
"""

from __future__ import annotations

import re

from airflow.sdk import AssetOrTimeSchedule, AssetWatcher, CronDataIntervalTimetable
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowTimetableInvalid

from sparkify.dag.assets import arrivals
from sparkify.dag.defaults import DEFAULT_ARGS

SECTION = "sparkify"
# Half an hour after the hourly load has begun, so that it finds the hour loaded.
RECONCILE_SCHEDULE = "30 * * * *"


def reconcile_schedule() -> AssetOrTimeSchedule | CronDataIntervalTimetable:
    """Return the schedule of the reconciliation: a cron expression (UTC), and arriving objects if there is a queue.

    ``reconcile_schedule`` is the cron expression, ``queue`` the URL of the SQS queue in which S3 announces new objects.
    A run that an arrival has triggered has neither a logical date nor a data interval.

    :raises ValueError: if a setting is invalid; Airflow shows it as an import error of the DAG.
    """
    cron = conf.get(SECTION, "reconcile_schedule", fallback="").strip() or RECONCILE_SCHEDULE
    timetable = CronDataIntervalTimetable(cron, timezone="UTC")
    try:
        timetable.validate()
    except AirflowTimetableInvalid as error:
        raise ValueError(
            f"Invalid setting [{SECTION}] reconcile_schedule, {cron!r}: {str(error).rstrip('.')}. "
            f"Expected a cron expression such as {RECONCILE_SCHEDULE!r}, or nothing."
        ) from None
    queue = conf.get(SECTION, "queue", fallback="").strip()
    if not queue:
        return timetable
    if not re.fullmatch(r"https?://[^\s/]+/\S+", queue):
        raise ValueError(
            f"Invalid setting [{SECTION}] queue, {queue!r}. Expected the URL of an SQS queue, such as "
            "https://sqs.us-west-2.amazonaws.com/123456789012/sparkify, or nothing."
        )
    from sparkify.dag.arrivals import ArrivalTrigger

    watcher = AssetWatcher(name="sparkify.queue", trigger=ArrivalTrigger(queue, DEFAULT_ARGS["aws_conn_id"]))
    return AssetOrTimeSchedule(timetable=timetable, assets=[arrivals(watcher)])
