"""Settings that are read at parse time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetAll, AssetOrTimeSchedule, CronDataIntervalTimetable
from airflow.serialization.serialized_objects import DagSerialization

from sparkify.dag.arrivals import ArrivalTrigger
from sparkify.dag.settings import reconcile_schedule

QUEUE = "https://sqs.us-west-2.amazonaws.com/123456789012/sparkify-arrivals"


@pytest.fixture(autouse=True)
def _defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUEUE", "RECONCILE_SCHEDULE"):
        monkeypatch.delenv(f"AIRFLOW__SPARKIFY__{name}", raising=False)


def serialized(schedule: Any) -> Any:
    """Return a schedule as the scheduler reads it."""
    dag = DAG("d", schedule=schedule)
    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable


@pytest.mark.parametrize("given", [None, "", " "])
def test_without_settings_it_is_hourly(monkeypatch: pytest.MonkeyPatch, given: str | None) -> None:
    if given is not None:
        monkeypatch.setenv("AIRFLOW__SPARKIFY__RECONCILE_SCHEDULE", given)
        monkeypatch.setenv("AIRFLOW__SPARKIFY__QUEUE", given)
    assert reconcile_schedule() == CronDataIntervalTimetable("30 * * * *", timezone="UTC")


def test_the_cron_expression_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SPARKIFY__RECONCILE_SCHEDULE", "*/5 * * * *")
    schedule = reconcile_schedule()
    assert schedule == CronDataIntervalTimetable("*/5 * * * *", timezone="UTC")
    assert serialized(schedule).summary == "*/5 * * * *"


def test_a_queue_adds_a_watched_asset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SPARKIFY__QUEUE", QUEUE)
    schedule = reconcile_schedule()
    assert isinstance(schedule, AssetOrTimeSchedule)
    assert schedule.timetable == CronDataIntervalTimetable("30 * * * *", timezone="UTC")
    assert isinstance(schedule.asset_condition, AssetAll)
    (asset,) = schedule.asset_condition.objects
    assert isinstance(asset, Asset)
    assert (asset.name, [watcher.name for watcher in asset.watchers]) == ("sparkify.arrivals", ["sparkify.queue"])
    (trigger,) = (watcher.trigger for watcher in asset.watchers)
    path, arguments = trigger.serialize()
    assert path == "sparkify.dag.arrivals.ArrivalTrigger"
    assert arguments == {"queue": QUEUE, "aws_conn_id": "aws", "pause": 60}
    assert vars(ArrivalTrigger(**arguments)).items() >= arguments.items()
    assert serialized(schedule).timetable.summary == "30 * * * *"


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "RECONCILE_SCHEDULE",
            "61 * * * *",
            r"\[sparkify\] reconcile_schedule, '61 .* Expected a cron expression",
        ),
        ("RECONCILE_SCHEDULE", "hourly", r"\[sparkify\] reconcile_schedule, 'hourly': .*Expected a cron expression"),
        ("QUEUE", "arn:aws:sqs:us-west-2:123456789012:q", r"\[sparkify\] queue, 'arn.*Expected the URL"),
        ("QUEUE", "sparkify-arrivals", r"\[sparkify\] queue, 'sparkify-arrivals'.*Expected the URL"),
    ],
)
def test_an_invalid_setting_is_an_import_error(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"AIRFLOW__SPARKIFY__{setting}", value)
    with pytest.raises(ValueError, match=message):
        reconcile_schedule()


def test_boto3_is_not_imported_at_parse_time() -> None:
    """It would delay each task of the DAG."""
    code = "from sparkify.dag import settings as s; s.reconcile_schedule(); import sys; print('boto3' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "AIRFLOW__SPARKIFY__QUEUE": QUEUE}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "False"
