"""What is alerted when tasks end."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.quality.result import CheckResult
from tests.integration.alerts.airflow import BAD, GOOD, NAME, Airflow
from tests.support.data import event
from tests.unit.alerts.test_incidents import result


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


def test_a_renamed_field_is_reported_once_with_file_line_and_column(airflow: Airflow) -> None:
    def hour(name: str) -> list[str]:
        """Load a file in which the user agent has this name; return the sent messages."""
        items = [event("2018-11-01T00:10", number) for number in range(3)]
        airflow.lab.put_events("2018-11-01", [{name: item.pop("userAgent"), **item} for item in items])
        with contextlib.suppress(AirflowFailException):
            airflow.lab.run("2018-11-01T00:00", "2018-11-01T01:00")
        results = [CheckResult(**item) for item in airflow.lab.xcoms["data_quality"]["checks"]]
        return airflow.checked(0, *results)

    (text,) = hour("user_agent")
    assert "*Failed*: `staging_events: the log has the declared fields`" in text
    file = f"file=s3://{airflow.lab.bucket}/log_data/2018/11/2018-11-01-events.json, line=1"
    assert f"field=userAgent, problem=missing in all sampled objects, columns=useragent, {file}" in text
    assert f"field=user_agent, problem=new, of type string, columns=None, {file}" in text
    assert hour("user_agent") == []
    (text,) = hour("userAgent")
    assert "*Recovered*: `staging_events: the log has the declared fields`" in text


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


def test_a_task_that_evaluates_checks_and_fails_otherwise_is_reported(airflow: Airflow) -> None:
    context = airflow.context(0, "data_quality", "scheduled", None, "failed")
    (text,) = airflow.call({**context, "exception": RuntimeError("The warehouse is unreachable")})
    assert "*Failed*: `task data_quality`" in text
    context = airflow.context(1, "data_quality", "scheduled", [GOOD], "failed")
    assert airflow.call({**context, "exception": RuntimeError("The connection broke off.")}) == []
    assert airflow.checked(0, GOOD) == []
    (text,) = airflow.checked(1, GOOD)
    assert "*Recovered*: `task data_quality`" in text


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
