"""What is alerted when runs fail or are late."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.serialization.serialized_objects import DagSerialization

from sparkify.alerts import AlertNotifier, channels
from sparkify.dag.run import InvalidRunError
from tests.integration.alerts.airflow import BAD, GOOD, Airflow

# --- killed processes ---


def test_a_lost_heartbeat_is_reported(airflow: Airflow) -> None:
    """Then the DAG processor calls the task's callback, without a state and without an error, and then the run's."""
    (text,) = airflow.call(airflow.context(0, "load_users", "scheduled", None, None))
    assert "*Failed*: `task load_users`" in text
    assert "its process exited without reporting an error" in text
    assert airflow.run_failed(0, "load_users") == []


def test_a_killed_process_is_reported_when_the_run_has_failed(airflow: Airflow) -> None:
    (text,) = airflow.run_failed(0, "stage_songs", "load_users")
    assert "*Failed*: `task load_users`" in text
    assert "*Failed*: `task stage_songs`" in text
    assert "its process exited without reporting an error" in text
    assert airflow.lab.query("SELECT task_id FROM operations.task_failures ORDER BY 1") == [
        ("load_users",),
        ("stage_songs",),
    ]
    assert airflow.run_failed(1, "load_users") == []
    assert airflow.checked(0, GOOD)[0].count("*Recovered*: ") == 1


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
def test_a_task_whose_callback_was_called_is_not_reported_twice(airflow: Airflow, run_type: str) -> None:
    airflow.active = {"another"}
    airflow.failed(0, run_type=run_type)
    airflow.checked(0, BAD, run_type=run_type)
    assert airflow.run_failed(0, "stage_events", "data_quality", run_type=run_type) == []
    assert airflow.lab.one("SELECT COUNT(*) FROM operations.task_failures") == 1


def test_a_killed_process_of_a_backfill_is_recorded_for_the_summary(airflow: Airflow) -> None:
    assert airflow.run_failed(0, "load_users", run_type="backfill") == []
    (text,) = airflow.checked(1, GOOD, run_type="backfill")
    assert "2 runs: 1 passed, 0 warned, 1 failed" in text


def test_a_run_that_airflow_has_ended_is_reported(airflow: Airflow) -> None:
    (text,) = airflow.run_failed(0, reason="timed_out")
    assert "Airflow has ended the run as failed: timed_out" in text


def test_in_dag_test_the_run_s_callback_is_silent(airflow: Airflow, caplog: pytest.LogCaptureFixture) -> None:
    """It passes a serialized DAG, and no connection to Airflow's API."""
    context = airflow.context(0, "load_users", "manual", None, "failed")
    dag = DagSerialization.from_dict(DagSerialization.to_dict(airflow.dag))
    assert airflow.call({**context, "dag": dag, "reason": "task_failure"}, AlertNotifier().run_failed) == []
    assert "Could not send" not in caplog.text


def test_no_alert_fails_a_run(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: Any, **values: Any) -> None:
        raise RuntimeError("no API")

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", refuse)
    assert airflow.run_failed(0, "load_users") == []
    assert "Could not send the alert of a run: run_id=scheduled__2018-11-01" in caplog.text


# --- runs with invalid params ---


def test_a_manual_run_with_invalid_params_alerts_nobody(airflow: Airflow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    context = airflow.context(0, "create_tables", "manual", None, "failed")
    assert airflow.call({**context, "exception": InvalidRunError("end is before start")}) == []
    assert airflow.run_failed(0, "create_tables", run_type="manual") == []
    assert airflow.late(state="failed", run_type="manual") == []
    assert airflow.lab.query("SELECT * FROM operations.task_failures") == []
    assert "sparkify_incidents_sparkify_warehouse" not in airflow.variables
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("sparkify.alerts")]
    assert line == f"Not alerted, the params of this manual run are invalid: run_id={airflow.run_id(0, 'manual')}"


def test_another_run_with_invalid_params_is_alerted_with_its_own_advice(airflow: Airflow) -> None:
    context = airflow.context(0, "create_tables", "asset_triggered", None, "failed")
    (text,) = airflow.call({**context, "exception": InvalidRunError("not a date")})
    assert "Trigger the DAG again with valid params: clearing the task cannot change them." in text
    assert "Clearing is always safe" not in text


# --- lateness ---


def test_a_late_run_is_reported_once_and_its_recovery(airflow: Airflow) -> None:
    (text,) = airflow.late()
    assert "Sparkify warehouse, 2018-11-01 03:00 to 04:00 UTC" in text
    assert "*Late*: `run not finished after 60 minutes`" in text
    assert "running, queued at 2018-11-01 04:00 UTC" in text
    assert airflow.late() == []
    assert airflow.checked(3, GOOD) == []
    assert airflow.ended(4) == []
    (text,) = airflow.ended(3)
    assert "*Recovered*: `the late run has finished`" in text


def test_a_run_that_ends_while_it_is_reported_as_late_recovers(airflow: Airflow) -> None:
    """The callback of its last task was called before there was an incident."""
    airflow.states = {"load_time": "success", "publish_days": "skipped"}
    late, recovered = airflow.late()
    assert "*Late*: `run not finished after 60 minutes`" in late
    assert "*Recovered*: `the late run has finished`" in recovered
    assert airflow.ended(3) == []


def test_a_run_that_ends_while_the_message_is_on_its_way_recovers(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = channels.deliver

    def deliver_while_it_ends(*arguments: Any) -> bool | None:
        delivered = deliver(*arguments)
        monkeypatch.setattr(channels, "deliver", deliver)
        AlertNotifier()(airflow.context(3, "publish_days", "scheduled", None, "success"))
        return delivered

    monkeypatch.setattr(channels, "deliver", deliver_while_it_ends)
    late, recovered = airflow.late()
    assert "*Late*: `run not finished after 60 minutes`" in late
    assert "*Recovered*: `the late run has finished`" in recovered
    assert airflow.variables["sparkify_incidents_sparkify_warehouse"] == "{}"


@pytest.mark.parametrize("values", [{"run_type": "backfill"}, {"state": "success"}, {"state": "failed"}])
def test_who_is_not_late(airflow: Airflow, values: dict[str, str]) -> None:
    """A failed run was reported when it failed."""
    assert airflow.late(**values) == []
