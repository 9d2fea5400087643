"""Secrets that the server repeats in its errors reach no log, event, rendered field or alert."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from airflow.utils.state import TaskInstanceState

from sandbox import servers
from sparkify.operators.base import WarehouseOperator
from tests.conftest import ROOT
from tests.integration.alerts.airflow import Airflow
from tests.integration.alerts.conftest import _hook, slack, variables  # noqa: F401 - fixtures
from tests.integration.test_lineage import Events
from tests.redshift.faults import Fault
from tests.redshift.wire import ServerError
from tests.support.data import event
from tests.unit.warehouse.test_secrets import everything

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Context

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint
    from tests.support.receivers import Hook

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector

DAY = ("2018-11-01", "2018-11-02")
TOKEN = "FwoGZX/session+token+of+the+test"
MASKED = "syntax error at or near"
# Statements of the task stage_events, one per code path that sends SQL, and a commit.
PATHS = ["COPY landing_1", "LOCK staging_events", r"SELECT COUNT\(\*\), ", "INSERT INTO staging_events", "^commit"]
# Airflow's commands in one process, which imports Airflow once.
COMMANDS = """
import sys
from airflow.__main__ import main
for words in (
    "db migrate",
    "dags reserialize",
    "tasks test sparkify_warehouse stage_events 2018-11-01T06:30:00",
):
    sys.argv = ["airflow", *words.split()]
    main()
"""


class TaskFailure(NamedTuple):
    """What a failed task reports.

    :param error: the exception that Airflow catches.
    :param fields: the rendered template fields.
    :param events: the OpenLineage events, as JSON.
    """

    error: BaseException
    fields: dict[str, Any]
    events: str


@pytest.fixture
def keys(redshift: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a lab whose COPY is authorized by access keys and a session token."""
    aws = json.loads(redshift.environment["AIRFLOW_CONN_AWS"])
    del aws["extra"]["copy_iam_role"]
    aws["extra"]["aws_session_token"] = TOKEN
    redshift.environment["AIRFLOW_CONN_AWS"] = json.dumps(aws)
    monkeypatch.setenv("AIRFLOW_CONN_AWS", redshift.environment["AIRFLOW_CONN_AWS"])
    redshift.put_events(DAY[0], [event("2018-11-01T05:10", 1)])
    return redshift


def fail_with_secrets(endpoint: Endpoint, pattern: str) -> None:
    """Make a statement fail with an error that contains it, all COPYs and the password, in each field."""

    def error() -> ServerError:
        copied = [sql for sql in endpoint.received if sql.startswith("COPY")]
        text = f'{MASKED} "{endpoint.received[-1]}" {copied} {endpoint.password}'
        return ServerError("42601", text, D=text, H=text, W=text)

    endpoint.faults.append(Fault(pattern, error, nth=2 if pattern == "^commit" else 1))


@pytest.fixture
def failures(keys: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[TaskFailure]:
    """Record the failures of tasks."""
    execute = WarehouseOperator.execute
    found: list[TaskFailure] = []

    def observed(self: WarehouseOperator, context: Context) -> dict[str, Any]:
        try:
            return execute(self, context)
        except Exception as error:
            events = Events(tmp_path / "events.json")
            events.emit(self, TaskInstanceState.FAILED, error)
            fields = {name: getattr(self, name) for name in self.template_fields}
            found.append(TaskFailure(error, fields, (tmp_path / "events.json").read_text()))
            raise

    monkeypatch.setattr(WarehouseOperator, "execute", observed)
    return found


def exposed(text: str) -> list[str]:
    """Return the secrets that a text contains."""
    from tests.redshift.endpoint import PASSWORD

    return [secret for secret in (servers.SECRET_KEY, TOKEN, PASSWORD) if secret in text]


@pytest.mark.parametrize("pattern", PATHS)
def test_no_output_contains_a_secret(
    keys: Lab,
    endpoint: Endpoint,
    failures: list[TaskFailure],
    variables: dict[str, str],  # noqa: F811
    slack: Hook,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    pattern: str,
) -> None:
    airflow = Airflow(keys, variables, slack)
    fail_with_secrets(endpoint, pattern)
    with caplog.at_level(logging.DEBUG), pytest.raises(Exception, match=MASKED):
        keys.run(*DAY, tasks=["stage_events"])
    (failure,) = failures
    assert any(exposed(sql) for sql in endpoint.received), "no statement contains a secret"
    assert exposed(everything(failure.error)) == []
    assert MASKED in str(failure.error)
    assert exposed(caplog.text) == []
    assert "ErrorResponse received from BE" in caplog.text
    assert MASKED in failure.events
    assert exposed(failure.events) == []
    assert exposed(repr(keys.xcoms) + repr(failure.fields)) == []
    context = {**airflow.context(5, "stage_events", "scheduled", None, "failed"), "exception": failure.error}
    (message,) = airflow.call(context)
    assert MASKED in message
    assert exposed(message) == []


def test_the_output_of_a_supervised_task_contains_no_secret(keys: Lab, endpoint: Endpoint, tmp_path: Path) -> None:
    keys.run(*DAY, tasks=["create_tables"])
    fail_with_secrets(endpoint, "^COPY")
    environment = {
        **os.environ,
        **keys.environment,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        "AIRFLOW_VAR_SPARKIFY_BUCKET": keys.bucket,
        "PYTHONPATH": "plugins:dags",
    }

    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
        check=False,
    )
    printed = done.stdout
    assert MASKED in printed, printed[-3000:]
    assert exposed(printed) == []
