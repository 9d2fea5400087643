"""The notifier as Airflow calls it, with a warehouse, and a webhook that receives the messages."""

from __future__ import annotations

import asyncio
import copy
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
from airflow._shared.module_loading import import_string
from airflow.utils.state import DagRunState

from sparkify.alerts import AlertNotifier, deadline
from sparkify.alerts.notifier import HANDLED
from tests.unit.alerts.test_incidents import result

if TYPE_CHECKING:
    from collections.abc import Callable

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
        # Failed tasks whose own callback was called.
        self.handled: set[tuple[str, str]] = set()
        # Airflow's states of the tasks of the run that has failed, or is late.
        self.states: dict[str, str | None] = {"create_tables": "success", "load_time": "running", "publish_days": None}
        self.state = ""

    def count(self, dag_id: str, run_ids: list[str] | None = None, states: list[str] | None = None) -> int:
        assert dag_id == "sparkify_warehouse"
        assert states == ["queued", "running"]
        return len(self.active & set(run_ids) if run_ids is not None else self.active)

    def task_states(self, dag_id: str, *, run_ids: list[str]) -> dict[str, dict[str, str | None]]:
        assert dag_id == "sparkify_warehouse"
        return dict.fromkeys(run_ids, self.states)

    def context(
        self, hour: int, task_id: str, run_type: str, checks: list[CheckResult] | None, state: str | None
    ) -> Any:
        found = None if checks is None else json.loads(json.dumps([item.to_json() for item in checks]))

        def pull(task_ids: str, key: str) -> Any:
            if key == HANDLED:
                return (run_id, task_ids) in self.handled or None
            assert (task_ids, key) == (task_id, "checks")
            return found

        def push(key: str, value: Any) -> None:
            assert (key, value) == (HANDLED, True)
            self.handled.add((run_id, task_id))

        run_id = self.run_id(hour, run_type)
        begin = START + hour * HOUR
        task: Any = copy.copy(self.dag.get_task(task_id))
        task.interval_start, task.interval_end = begin, begin + HOUR
        return {
            "dag": self.dag,
            "task": task,
            "dag_run": SimpleNamespace(
                dag_id="sparkify_warehouse",
                run_id=run_id,
                run_type=run_type,
                data_interval_start=begin,
                data_interval_end=begin + HOUR,
            ),
            "params": {"start": None, "end": None},
            "ti": SimpleNamespace(task_id=task_id, try_number=4, state=state, xcom_pull=pull, xcom_push=push),
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

    def run_failed(
        self, hour: int, *failed: str, run_type: str = "scheduled", reason: str = "task_failure"
    ) -> list[str]:
        """A run ends as failed, with some failed tasks; return the sent messages."""
        self.states = {"create_tables": "success", "load_time": "upstream_failed", **dict.fromkeys(failed, "failed")}
        context = self.context(hour, failed[-1] if failed else "data_quality", run_type, None, None)
        return self.call(
            {**context, "reason": reason, "run_id": self.run_id(hour, run_type)}, AlertNotifier().run_failed
        )

    def ended(self, hour: int, task_id: str = "publish_days", state: str = "success") -> list[str]:
        """The last task ends; return the sent messages."""
        return self.call(self.context(hour, task_id, "scheduled", None, state))

    def run_state(self, dag_id: str, run_id: str) -> str:
        assert (dag_id, run_id) == ("sparkify_warehouse", "scheduled__x")
        return DagRunState(self.state)

    def late(self, *, state: str = "running", **values: Any) -> list[str]:
        """A deadline passes, and then the run may end; return the sent messages."""
        self.state = state
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

        def call(context: Any) -> None:
            asyncio.run(import_string(callback.path)(**callback.kwargs, context=context))

        return self.call(context, call)

    def call(self, context: Any, callback: Callable[[Any], None] | None = None) -> list[str]:
        (callback or AlertNotifier())(context)
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


NAME = "`songplays: no play is lost`"
