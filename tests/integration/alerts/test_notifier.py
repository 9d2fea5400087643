"""What is alerted and recorded when tasks end: with a warehouse, and a webhook that receives the messages."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.log import mask_secret

from sparkify.alerts import AlertNotifier, deadline
from tests.unit.alerts.test_incidents import result

if TYPE_CHECKING:
    from sandbox.lab import Lab
    from sparkify.quality.result import CheckResult
    from tests.support.receivers import Hook

START = datetime(2018, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# A warehouse that is unreachable.
DOWN = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "schema": "none"}
BAD, GOOD = result(remedy="Clear it."), result(passed=True)


class Airflow:
    """Calls the notifier as Airflow does when a task has ended."""

    def __init__(self, lab: Lab, variables: dict[str, str], slack: Hook) -> None:
        self.lab = lab
        self.variables = variables
        self.slack = slack
        self.dag = lab.dag
        # Runs that Airflow counts as queued or running.
        self.active: set[str] = set()
        lab.run("2018-11-01", "2018-11-02", tasks=["create_tables"])

    def count(self, dag_id: str, run_ids: list[str] | None = None, states: list[str] | None = None) -> int:
        assert dag_id == "sparkify_warehouse"
        assert states == ["queued", "running"]
        return len(self.active & set(run_ids) if run_ids is not None else self.active)

    def context(
        self, hour: int, task_id: str, run_type: str, checks: list[CheckResult] | None, state: str | None
    ) -> Any:
        found = None if checks is None else json.loads(json.dumps([item.to_json() for item in checks]))

        def pull(task_ids: str, key: str) -> Any:
            assert (task_ids, key) == (task_id, "checks")
            return found

        return {
            "dag": self.dag,
            "dag_run": SimpleNamespace(
                dag_id="sparkify_warehouse",
                run_id=self.run_id(hour, run_type),
                run_type=run_type,
                data_interval_start=START + hour * HOUR,
                data_interval_end=START + (hour + 1) * HOUR,
            ),
            "params": {"start": None, "end": None},
            "ti": SimpleNamespace(task_id=task_id, try_number=4, state=state, xcom_pull=pull),
        }

    @staticmethod
    def run_id(hour: int, run_type: str) -> str:
        return f"{run_type}__{(START + hour * HOUR).isoformat()}"

    def checked(self, hour: int, *checks: CheckResult, run_type: str = "scheduled") -> list[str]:
        """The task that executes the checks ends; return the sent messages."""
        state = "failed" if any(item.outcome == "failed" for item in checks) else "success"
        self.record(hour, *checks, run_type=run_type)
        context = self.context(hour, "data_quality", run_type, list(checks), state)
        if state == "failed":
            context["exception"] = RuntimeError("checks failed")
        return self.call(context)

    def failed(self, hour: int, task_id: str = "stage_events", run_type: str = "scheduled") -> list[str]:
        """Another task fails; return the sent messages."""
        error = "COPY failed: it's\n\\x"
        return self.call({**self.context(hour, task_id, run_type, None, "failed"), "exception": RuntimeError(error)})

    def call(self, context: Any) -> list[str]:
        AlertNotifier()(context)
        sent = list(self.slack.texts)
        self.slack.posts.clear()
        return sent

    def record(self, hour: int, *checks: CheckResult, run_type: str) -> None:
        """Write the rows of the task that executes the checks."""
        start = (START + hour * HOUR).replace(tzinfo=None)
        with psycopg.connect(self.lab.uri) as connection:
            for item in checks:
                connection.execute(
                    "INSERT INTO operations.data_quality_results VALUES "
                    "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    [
                        "sparkify_warehouse", self.run_id(hour, run_type), run_type, start, start + HOUR,
                        datetime.now(UTC).replace(tzinfo=None), item.table, item.check, item.kind, item.severity,
                        item.scope, item.outcome, item.observed, item.expected, item.failing_rows, item.total_rows,
                        "[]", item.seconds,
                    ],
                )  # fmt: skip


@pytest.fixture
def airflow(lab: Lab, variables: dict[str, str], slack: Hook, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    made = Airflow(lab, variables, slack)
    monkeypatch.setattr(RuntimeTaskInstance, "get_dr_count", made.count)
    return made


NAME = "`songplays: no play is lost`"


def test_a_failed_check_is_reported_once_and_its_recovery(airflow: Airflow) -> None:
    (text,) = airflow.checked(0, BAD, result("fine", passed=True))
    assert f"*Failed*: {NAME}" in text
    assert "Clear it." in text
    assert "task data_quality" not in text
    assert "fine" not in text
    assert airflow.checked(1, BAD) == []
    (text,) = airflow.checked(2, GOOD)
    assert f"*Recovered*: {NAME}" in text
    assert airflow.checked(3, GOOD) == []


def test_the_recovery_of_an_unreported_incident_is_not_reported(airflow: Airflow) -> None:
    airflow.slack.status = 500
    assert airflow.checked(0, BAD) == []
    airflow.slack.status = 200
    assert airflow.checked(1, GOOD) == []
    assert airflow.variables["sparkify_incidents_sparkify_warehouse"] == "{}"


def test_warnings_are_reported(airflow: Airflow) -> None:
    (text,) = airflow.checked(0, result(severity="warn"))
    assert f"*Warning*: {NAME}" in text


def test_a_failed_task_is_reported_once_and_its_recovery(airflow: Airflow) -> None:
    (text,) = airflow.failed(0)
    assert "*Failed*: `task stage_events`" in text
    assert "> Observed: COPY failed: it's\n> \\x" in text
    assert airflow.failed(1) == []
    (text,) = airflow.checked(2, GOOD)
    assert "*Recovered*: `task stage_events`" in text


def test_a_task_that_evaluates_checks_and_fails_otherwise_is_reported(airflow: Airflow) -> None:
    context = airflow.context(0, "data_quality", "scheduled", None, "failed")
    (text,) = airflow.call({**context, "exception": RuntimeError("The warehouse is unreachable")})
    assert "*Failed*: `task data_quality`" in text
    context = airflow.context(1, "data_quality", "scheduled", [GOOD], "failed")
    assert airflow.call({**context, "exception": RuntimeError("The connection broke off.")}) == []
    (text,) = airflow.checked(2, GOOD)
    assert "*Recovered*: `task data_quality`" in text


def test_a_killed_process_is_reported(airflow: Airflow) -> None:
    """Then the DAG processor calls, without a state and without an error."""
    (text,) = airflow.call(airflow.context(0, "load_users", "scheduled", None, None))
    assert "*Failed*: `task load_users`" in text
    assert "its process exited without reporting an error" in text


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


def test_good_runs_write_nothing(airflow: Airflow) -> None:
    before = dict(airflow.variables)
    assert airflow.checked(0, GOOD) == []
    assert airflow.variables == before


def test_no_alert_fails_a_task(airflow: Airflow, caplog: pytest.LogCaptureFixture) -> None:
    context = airflow.context(0, "data_quality", "scheduled", [GOOD], "success")
    context["ti"].xcom_pull = None
    assert airflow.call(context) == []
    assert "Could not send the alert of a task: task_id=data_quality" in caplog.text


# --- the history of failed tasks ---

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


# --- backfills ---


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
    (text,) = airflow.checked(1, GOOD, run_type="backfill")
    assert "1 run: 1 passed, 0 warned, 0 failed" in text


@pytest.mark.parametrize("since", ["2018-11-01T00:00:00", "9999-12-31T23:59:59-14:00", "soon"])
def test_a_state_that_somebody_edited_prevents_no_alert(airflow: Airflow, since: str) -> None:
    assert len(airflow.checked(0, BAD)) == 1
    name = "sparkify_incidents_sparkify_warehouse"
    found = json.loads(airflow.variables[name])
    for incident in found.values():
        incident |= {"since": since, "reported_at": since}
    airflow.variables[name] = json.dumps(found)
    assert len(airflow.checked(1, BAD)) == 1


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
    assert "`the run is on time`" in text
    assert "running, 60 minutes after it was queued at 2018-11-01 04:00 UTC" in text
    assert late(airflow) == []
    (text,) = airflow.checked(3, GOOD)
    assert "*Recovered*: `the run is on time`" in text


@pytest.mark.parametrize("values", [{"run_type": "backfill"}, {"state": "success"}])
def test_who_is_not_late(airflow: Airflow, values: dict[str, str]) -> None:
    assert late(airflow, **values) == []


def test_a_run_that_failed_without_an_alert_is_reported_at_its_deadline(airflow: Airflow) -> None:
    (text,) = late(airflow, state="failed")
    assert "failed, 60 minutes after it was queued" in text


def test_a_run_whose_failure_was_reported_is_not_late_too(airflow: Airflow) -> None:
    assert len(airflow.failed(3)) == 1
    assert late(airflow, state="failed") == []
