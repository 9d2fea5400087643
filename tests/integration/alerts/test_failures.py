"""Failed tasks are recorded in the warehouse, if it is reachable."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from airflow.sdk.log import mask_secret

from sparkify.alerts import AlertNotifier
from tests.integration.alerts.airflow import BAD, DOWN, HOUR, START, Airflow

FAILURES = (
    "SELECT run_id, run_type, task_id, try_number, interval_start, interval_end, error FROM operations.task_failures "
    "ORDER BY failed_at"
)


@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "manual"])
def test_each_failed_task_is_recorded(airflow: Airflow, run_type: str) -> None:
    airflow.failed(3, run_type=run_type)
    airflow.failed(3, "load_time", run_type=run_type)
    start = (START + 3 * HOUR).replace(tzinfo=None)
    run = (airflow.run_id(3, run_type), run_type)
    assert airflow.lab.query(FAILURES) == [
        (*run, task_id, 4, start, start + HOUR, "COPY failed: it's") for task_id in ("stage_events", "load_time")
    ]
    assert airflow.lab.one("SELECT COUNT(*) FROM operations.data_quality_results") == 0


def test_failed_checks_are_no_failed_task(airflow: Airflow) -> None:
    airflow.checked(0, BAD)
    assert airflow.lab.query(FAILURES) == []


def test_a_failed_task_of_a_run_without_an_interval_is_recorded(airflow: Airflow) -> None:
    context = airflow.context(0, "create_tables", "manual", None, "failed")
    context["dag_run"].data_interval_end = None
    assert len(airflow.call({**context, "exception": RuntimeError("This run has no interval")})) == 1
    ((*_, start, end, error),) = airflow.lab.query(FAILURES)
    assert (start, end, error) == (None, None, "This run has no interval")


def test_an_error_is_recorded_truncated_and_without_secrets(airflow: Airflow) -> None:
    mask_secret("a-very-secret-password")
    context = airflow.context(0, "stage_events", "scheduled", None, "failed")
    airflow.call({**context, "exception": RuntimeError("refused a-very-secret-password " + "x" * 9_000)})
    ((*_, error),) = airflow.lab.query(FAILURES)
    assert error.startswith("refused *** xxx")
    assert len(error) == 1_000


def test_an_unreachable_warehouse_fails_no_alert(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(DOWN))
    (text,) = airflow.failed(0)
    assert "*Failed*: `task stage_events`" in text
    assert "could not be written to operations.task_failures: task=stage_events" in caplog.text


def test_the_alert_does_not_wait_for_the_warehouse(airflow: Airflow) -> None:
    context = airflow.context(0, "stage_events", "scheduled", None, "failed")
    waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'operations.task_failures'::regclass"
    with ThreadPoolExecutor() as pool, psycopg.connect(airflow.lab.uri) as connection:
        connection.execute("LOCK TABLE operations.task_failures IN SHARE ROW EXCLUSIVE MODE")
        call = pool.submit(AlertNotifier(), context)
        while connection.execute(waiting).fetchone() != (1,):
            assert not call.done()
            time.sleep(0.02)
        assert len(airflow.slack.texts) == 1
        connection.rollback()
        call.result(timeout=30)
    assert len(airflow.lab.query(FAILURES)) == 1
