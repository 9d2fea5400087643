"""What is alerted when tasks end and runs are late."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from sparkify.alerts import AlertNotifier, deadline, state
from sparkify.dag.run import InvalidRunError
from tests.integration.alerts.airflow import BAD, GOOD, NAME, START, Airflow
from tests.unit.alerts.test_incidents import result

if TYPE_CHECKING:
    from sparkify.alerts.incidents import Incident


def test_a_failed_check_is_reported_once_and_its_recovery(airflow: Airflow) -> None:
    (text,) = airflow.checked(0, BAD, result("fine", passed=True))
    assert f"*Failed*: {NAME}" in text
    assert "Clear it." in text
    assert "task data_quality" not in text
    assert "fine" not in text
    assert airflow.checked(0, BAD) == []
    assert airflow.checked(1, GOOD) == []
    (text,) = airflow.checked(0, GOOD)
    assert f"*Recovered*: {NAME}" in text
    assert airflow.checked(0, GOOD) == []


def test_the_recovery_of_an_unreported_incident_is_not_reported(airflow: Airflow) -> None:
    airflow.slack.status = 500
    assert airflow.checked(0, BAD) == []
    airflow.slack.status = 200
    assert airflow.checked(0, GOOD) == []
    assert airflow.variables["sparkify_incidents_sparkify_warehouse"] == "{}"


def test_warnings_are_reported(airflow: Airflow) -> None:
    (text,) = airflow.checked(0, result(severity="warn"))
    assert f"*Warning*: {NAME}" in text


def test_a_failed_task_is_reported_once_and_its_recovery(airflow: Airflow) -> None:
    (text,) = airflow.failed(0)
    assert "*Failed*: `task stage_events`" in text
    assert "> Observed: COPY failed: it's\n> \\x" in text
    assert airflow.failed(1) == []
    assert airflow.checked(1, GOOD) == []
    (text,) = airflow.checked(0, GOOD)
    assert "*Recovered*: `task stage_events`" in text


@pytest.mark.parametrize("state", ["success", "skipped"])
def test_the_last_task_has_recovered_when_it_alone_was_cleared(airflow: Airflow, state: str) -> None:
    """It is skipped if the run completes no day."""
    airflow.checked(0, GOOD)
    assert len(airflow.failed(0, "publish_days")) == 1
    (text,) = airflow.ended(0, state=state)
    assert "*Recovered*: `task publish_days`" in text


def test_the_run_that_closes_a_day_has_repaired_its_hours(airflow: Airflow) -> None:
    airflow.checked(5, BAD)
    airflow.failed(7)
    context = airflow.context(23, "data_quality", "scheduled", [GOOD], "success")
    context["task"].interval_start = START
    (text,) = airflow.call(context)
    assert f"*Recovered*: {NAME}" in text
    assert "*Recovered*: `task stage_events`" in text


def test_a_backfill_repairs_hours_of_other_runs(airflow: Airflow) -> None:
    for hour in (0, 1):
        airflow.checked(hour, BAD)
    airflow.active = {"another"}
    assert airflow.checked(0, GOOD, run_type="backfill") == []
    (text,) = airflow.checked(1, GOOD, run_type="backfill")
    assert f"*Recovered*: {NAME}" in text


def test_runs_that_end_at_the_same_moment_lose_no_change(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparkify.alerts.state.PAUSE", 0.2)
    for hour in range(4):
        airflow.checked(hour, BAD)
    together = threading.Barrier(4)
    unhurried = state.read

    def read(dag_id: str) -> dict[str, Incident]:
        found = unhurried(dag_id)
        with suppress(threading.BrokenBarrierError):
            together.wait(0.5)  # all have read before one writes
        together.abort()
        return found

    monkeypatch.setattr(state, "read", read)
    contexts = [airflow.context(hour, "data_quality", "manual", [GOOD], "success") for hour in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(AlertNotifier(), contexts))
    assert airflow.variables[state.variable("sparkify_warehouse")] == "{}"
    assert f"*Recovered*: {NAME}" in airflow.slack.texts[0]


def test_a_task_that_evaluates_checks_and_fails_otherwise_is_reported(airflow: Airflow) -> None:
    context = airflow.context(0, "data_quality", "scheduled", None, "failed")
    (text,) = airflow.call({**context, "exception": RuntimeError("The warehouse is unreachable")})
    assert "*Failed*: `task data_quality`" in text
    context = airflow.context(1, "data_quality", "scheduled", [GOOD], "failed")
    assert airflow.call({**context, "exception": RuntimeError("The connection broke off.")}) == []
    assert airflow.checked(0, GOOD) == []
    (text,) = airflow.checked(1, GOOD)
    assert "*Recovered*: `task data_quality`" in text


def test_an_audit_that_failed_recovers_with_the_next_one(airflow: Airflow) -> None:
    """Its checks see the current state, whatever the run's interval."""
    airflow.dag = airflow.lab.dag_of("sparkify_audit")
    assert len(airflow.failed(0, "audit")) == 1
    context = airflow.context(24, "audit", "scheduled", [GOOD], "success")
    (text,) = airflow.call(context)
    assert "*Recovered*: `task audit`" in text


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
    assert late(airflow, state="failed", run_type="manual") == []
    assert airflow.lab.query("SELECT * FROM operations.task_failures") == []
    assert "sparkify_incidents_sparkify_warehouse" not in airflow.variables
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("sparkify.alerts")]
    assert line == f"Not alerted, the params of this manual run are invalid: run_id={airflow.run_id(0, 'manual')}"


def test_another_run_with_invalid_params_is_alerted_with_its_own_advice(airflow: Airflow) -> None:
    context = airflow.context(0, "create_tables", "asset_triggered", None, "failed")
    (text,) = airflow.call({**context, "exception": InvalidRunError("not a date")})
    assert "Trigger the DAG again with valid params: clearing the task cannot change them." in text
    assert "Clearing is always safe" not in text


@pytest.mark.parametrize(("hours", "expected"), [("1", [1, 0, 0]), ("0", [1, 1, 1]), ("soon", [1, 0, 0])])
def test_the_reminder_is_configured(airflow: Airflow, hours: str, expected: list[int]) -> None:
    airflow.variables["sparkify_alert_reminder_hours"] = hours
    assert [len(airflow.checked(hour, BAD)) for hour in range(3)] == expected


def test_alerts_are_sent_if_the_state_cannot_be_read_or_written(
    airflow: Airflow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    airflow.variables["sparkify_incidents_sparkify_warehouse"] = '{"x": 3}'
    assert len(airflow.checked(0, BAD)) == 1

    def refuse(*arguments: Any) -> None:
        raise RuntimeError("no API")

    monkeypatch.setattr("sparkify.alerts.state.Variable.set", refuse)
    assert len(airflow.checked(1, result("another"))) == 1
    assert "using no open incidents" in caplog.text
    assert "could not be written, the alert will be sent again: no API" in caplog.text


def test_the_state_of_an_earlier_version_is_dropped_with_a_warning(
    airflow: Airflow, caplog: pytest.LogCaptureFixture
) -> None:
    name = "sparkify_incidents_sparkify_warehouse"
    old = {
        "table": "songplays", "check": "no play is lost", "kind": "unique", "severity": "error", "scope": "interval",
        "task_id": "data_quality", "since": "2018-11-01T00:00:00+00:00", "told": "2018-11-01T00:00:00+00:00",
        "failing": [["2018-11-01T00:00:00+00:00", "2018-11-01T01:00:00+00:00"]],
    }  # fmt: skip
    airflow.variables[name] = json.dumps({"songplays: no play is lost": old})
    assert len(airflow.checked(1, BAD)) == 1
    assert f"Invalid Variable {name}, using no open incidents" in caplog.text
    assert "told" not in airflow.variables[name]
    assert airflow.checked(2, BAD) == []


@pytest.mark.parametrize("since", ["2018-11-01T00:00:00", "9999-12-31T23:59:59-14:00", "soon"])
def test_a_state_that_somebody_edited_prevents_no_alert(airflow: Airflow, since: str) -> None:
    assert len(airflow.checked(0, BAD)) == 1
    name = "sparkify_incidents_sparkify_warehouse"
    found = json.loads(airflow.variables[name])
    for incident in found.values():
        incident |= {"since": since, "reported_at": since}
    airflow.variables[name] = json.dumps(found)
    assert len(airflow.checked(1, BAD)) == 1


def test_good_runs_write_nothing(airflow: Airflow) -> None:
    before = dict(airflow.variables)
    assert airflow.checked(0, GOOD) == []
    assert airflow.variables == before


def test_the_run_s_alert_is_sent_if_the_task_s_xcom_cannot_be_written(airflow: Airflow) -> None:
    context = airflow.context(0, "stage_events", "scheduled", None, "failed")
    context["ti"].xcom_push = None
    assert len(airflow.call({**context, "exception": RuntimeError("COPY failed")})) == 1
    assert airflow.run_failed(0, "stage_events") == []


def test_no_alert_fails_a_task(airflow: Airflow, caplog: pytest.LogCaptureFixture) -> None:
    context = airflow.context(0, "data_quality", "scheduled", [GOOD], "success")
    context["ti"].xcom_pull = None
    assert airflow.call(context) == []
    assert "Could not send the alert of a task: task_id=data_quality" in caplog.text


# --- lateness ---


async def be_late(airflow: Airflow, **values: Any) -> list[str]:
    callback = deadline(timedelta(hours=1)).callback
    context = {
        "dag_run": {
            "dag_id": "sparkify_warehouse",
            "dag_display_name": "Sparkify warehouse",
            "dag_run_id": "scheduled__x",
            "run_type": "scheduled",
            "state": "running",
            "conf": {},
            "queued_at": "2018-11-01T04:00:03Z",
            "data_interval_start": "2018-11-01T03:00:00Z",
            "data_interval_end": "2018-11-01T04:00:00Z",
            **values,
        },
        "deadline": {"id": "x", "deadline_time": "2018-11-01T05:00:03Z"},
    }
    from airflow._shared.module_loading import import_string

    await import_string(callback.path)(**callback.kwargs, context=context)
    sent = list(airflow.slack.texts)
    airflow.slack.posts.clear()
    return sent


def late(airflow: Airflow, **values: Any) -> list[str]:
    """A deadline passes; return the sent messages."""
    import asyncio

    return asyncio.run(be_late(airflow, **values))


def test_a_late_run_is_reported_once_and_its_recovery(airflow: Airflow) -> None:
    (text,) = late(airflow)
    assert "Sparkify warehouse, 2018-11-01 03:00 to 04:00 UTC" in text
    assert "*Late*: `run not finished after 60 minutes`" in text
    assert "running, queued at 2018-11-01 04:00 UTC" in text
    assert late(airflow) == []
    assert airflow.checked(3, GOOD) == []
    assert airflow.ended(4) == []
    (text,) = airflow.ended(3)
    assert "*Recovered*: `the late run has finished`" in text


@pytest.mark.parametrize("values", [{"run_type": "backfill"}, {"state": "success"}, {"state": "failed"}])
def test_who_is_not_late(airflow: Airflow, values: dict[str, str]) -> None:
    """A failed run was reported when it failed."""
    assert late(airflow, **values) == []
