"""Backfills send one summary."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import psycopg

from sparkify.alerts import AlertNotifier
from tests.integration.alerts.airflow import BAD, DOWN, GOOD, NAME, START, Airflow
from tests.unit.alerts.test_incidents import result

if TYPE_CHECKING:
    import pytest


def test_a_backfill_sends_one_summary_when_the_last_run_ends(airflow: Airflow) -> None:
    airflow.active = {airflow.run_id(hour, "backfill") for hour in range(6)}
    sent = [airflow.checked(hour, GOOD, run_type="backfill") for hour in (0, 1)]
    sent.append(airflow.checked(2, BAD, run_type="backfill"))
    sent.append(airflow.failed(3, run_type="backfill"))
    sent.append(airflow.checked(4, result("early", severity="warn"), run_type="backfill"))
    assert sent == [[]] * 5
    (text,) = airflow.checked(5, BAD, run_type="backfill")
    assert "Backfill of Sparkify warehouse, 2018-11-01 00:00 to 06:00 UTC" in text
    assert "6 runs: 2 passed, 1 warned, 3 failed" in text
    assert f"*Failed*: {NAME}\n> In 2 runs: 2018-11-01 02:00 to 03:00, 2018-11-01 05:00 to 06:00 UTC" in text
    hour = "2018-11-01 03:00 to 04:00 UTC"
    assert f"*Failed*: `task stage_events`\n> In 1 run: {hour}\n> First observed: COPY failed: it's\n" in text
    assert "*Warning*: `songplays: early`" in text
    assert text.count("Clear it.") == 1
    airflow.active = set()
    assert airflow.checked(6, GOOD) == []
    assert "sparkify_incidents_sparkify_warehouse" not in airflow.variables


def test_a_run_that_failed_and_was_cleared_counts_as_it_is(airflow: Airflow) -> None:
    airflow.active = {"another"}
    airflow.failed(0, run_type="backfill")
    airflow.checked(0, BAD, run_type="backfill")
    airflow.checked(1, GOOD, run_type="backfill")
    airflow.failed(1, run_type="backfill")
    airflow.active = set()
    (text,) = airflow.checked(0, GOOD, run_type="backfill")
    assert "2 runs: 1 passed, 0 warned, 1 failed" in text
    assert "In 1 run: 2018-11-01 01:00 to 02:00 UTC" in text


def test_the_run_that_closes_a_day_is_one_run(airflow: Airflow) -> None:
    """It has checked the whole day, and a task after the checks has failed: its interval is the hour."""
    airflow.active = {"another"}
    airflow.checked(23, GOOD, run_type="backfill")
    with psycopg.connect(airflow.lab.uri) as connection:
        connection.execute("UPDATE operations.data_quality_results SET interval_start = '2018-11-01'")
    airflow.active = set()
    (text,) = airflow.failed(23, "publish_days", run_type="backfill")
    assert "1 run: 0 passed, 0 warned, 1 failed" in text
    assert "Backfill of Sparkify warehouse, 2018-11-01 00:00 to 2018-11-02 00:00 UTC" in text


def test_two_runs_that_end_together_send_one_summary(airflow: Airflow) -> None:
    """Both have written their rows and count the other as ended; both wait to claim the summary."""
    for hour in range(2):
        airflow.record(hour, GOOD, run_type="backfill")
    contexts = [airflow.context(hour, "data_quality", "backfill", [GOOD], "success") for hour in range(2)]
    waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'operations.backfill_summaries'::regclass"
    with ThreadPoolExecutor() as pool, psycopg.connect(airflow.lab.uri) as connection:
        connection.execute("LOCK TABLE operations.backfill_summaries IN SHARE ROW EXCLUSIVE MODE")
        calls = [pool.submit(AlertNotifier(), context) for context in contexts]
        while connection.execute(waiting).fetchone() != (2,):
            assert not any(call.done() for call in calls)
            time.sleep(0.02)
        connection.rollback()
        wait(calls, timeout=30)
    assert len(airflow.slack.texts) == 1
    assert "2 runs: 2 passed" in airflow.slack.texts[0]


def test_if_another_run_is_active_that_one_sends_the_summary(airflow: Airflow) -> None:
    airflow.active = {airflow.run_id(0, "backfill"), airflow.run_id(30, "scheduled")}
    assert airflow.checked(0, GOOD, run_type="backfill") == []
    airflow.active = {airflow.run_id(30, "scheduled")}
    (text,) = airflow.checked(30, GOOD)
    assert "1 run: 1 passed, 0 warned, 0 failed" in text


def test_the_next_backfill_is_summed_up_by_itself(airflow: Airflow) -> None:
    assert len(airflow.checked(0, BAD, run_type="backfill")) == 1
    (text,) = airflow.checked(0, GOOD, run_type="backfill")
    assert "1 run: 1 passed, 0 warned, 0 failed" in text


def test_a_summary_that_nobody_got_is_sent_by_the_next_run(airflow: Airflow) -> None:
    airflow.slack.status = 500
    assert airflow.checked(0, BAD, run_type="backfill") == []
    airflow.slack.status = 200
    (text,) = airflow.checked(9, GOOD)
    assert "1 run: 0 passed, 0 warned, 1 failed" in text


def test_a_killed_process_of_a_backfill_is_in_the_next_summary(airflow: Airflow) -> None:
    """The DAG processor cannot count runs."""
    assert airflow.call(airflow.context(0, "load_users", "backfill", None, None)) == []
    (text,) = airflow.checked(1, GOOD, run_type="backfill")
    assert "2 runs: 1 passed, 0 warned, 1 failed" in text
    assert "its process exited without reporting an error" in text


def test_a_backfill_without_a_warehouse_is_reported_once(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(DOWN))
    (text,) = airflow.failed(0, "create_tables", run_type="backfill")
    assert "*Failed*: `task create_tables`" in text
    assert [airflow.failed(hour, "create_tables", run_type="backfill") for hour in range(1, 5)] == [[]] * 4


def test_a_backfill_s_run_without_an_interval_is_reported(airflow: Airflow) -> None:
    """It has no hours that a summary could contain."""
    context = airflow.context(0, "create_tables", "backfill", None, "failed")
    context["dag_run"].data_interval_end = START
    (text,) = airflow.call({**context, "exception": RuntimeError("This run's data interval cannot be used")})
    assert "*Failed*: `task create_tables`" in text
    recovered, text = airflow.checked(1, GOOD, run_type="backfill")
    assert "*Recovered*: `task create_tables`" in recovered
    assert "1 run: 1 passed, 0 warned, 0 failed" in text
