"""A secret that the server repeats in its errors is seen nowhere: not by people, not in logs, not on other machines."""

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

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # the client's own

DAY = ("2018-11-01", "2018-11-02")
TOKEN = "FwoGZX/session+token+of+the+test"
MASKED = "syntax error at or near"
# Statements of the task stage_events: each path by which it sends one. The last is what it sends when it has failed.
PATHS = ["COPY landing_1", "LOCK staging_events", "SELECT COUNT", "INSERT INTO staging_events", "^commit"]


class Told(NamedTuple):
    """What a task that failed has told.

    :param error: to Airflow.
    :param fields: rendered, as the web UI shows them.
    :param events: to OpenLineage.
    """

    error: BaseException
    fields: dict[str, Any]
    events: str


@pytest.fixture
def keys(redshift: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose COPY is authorized by keys and a session token."""
    aws = json.loads(redshift.environment["AIRFLOW_CONN_AWS"])
    del aws["extra"]["copy_iam_role"]
    aws["extra"]["aws_session_token"] = TOKEN
    redshift.environment["AIRFLOW_CONN_AWS"] = json.dumps(aws)
    monkeypatch.setenv("AIRFLOW_CONN_AWS", redshift.environment["AIRFLOW_CONN_AWS"])
    redshift.put_events(DAY[0], [event("2018-11-01T05:10", 1)])
    return redshift


def repeat(endpoint: Endpoint, pattern: str) -> None:
    """Make a statement fail with an error that repeats it, the last COPY, and the password, in all its fields."""

    def error() -> ServerError:
        copied = [sql for sql in endpoint.received if sql.startswith("COPY")]
        text = f'{MASKED} "{endpoint.received[-1]}" {copied} {endpoint.password}'
        return ServerError("42601", text, D=text, H=text, W=text)

    endpoint.faults.append(Fault(pattern, error, nth=4 if pattern == "^commit" else 1))


@pytest.fixture
def told(keys: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """What tasks tell that fail from now on."""
    execute = WarehouseOperator.execute
    found: list[Told] = []

    def observed(self: WarehouseOperator, context: Context) -> dict[str, Any]:
        try:
            return execute(self, context)
        except Exception as error:
            events = Events(tmp_path / "events.json")
            events.emit(self, TaskInstanceState.FAILED, error)
            fields = {name: getattr(self, name) for name in self.template_fields}
            found.append(Told(error, fields, (tmp_path / "events.json").read_text()))
            raise

    monkeypatch.setattr(WarehouseOperator, "execute", observed)
    return found


def clear(text: str) -> list[str]:
    """Return the secrets that are in a text."""
    from tests.redshift.endpoint import PASSWORD

    return [secret for secret in (servers.SECRET_KEY, TOKEN, PASSWORD) if secret in text]


@pytest.mark.parametrize("pattern", PATHS)
def test_no_channel_shows_a_secret(
    keys: Lab,
    endpoint: Endpoint,
    told: list[Told],
    variables: dict[str, str],  # noqa: F811
    slack: Hook,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    pattern: str,
) -> None:
    airflow = Airflow(keys, variables, slack)
    repeat(endpoint, pattern)
    with caplog.at_level(logging.DEBUG), pytest.raises(Exception, match=MASKED):
        keys.run(*DAY, tasks=["stage_events"])
    (found,) = told
    assert any(clear(sql) for sql in endpoint.received), "the server was given none"
    assert clear(everything(found.error)) == []
    assert MASKED in str(found.error)
    assert clear(caplog.text) == []
    assert "ErrorResponse received from BE" in caplog.text
    assert MASKED in found.events
    assert clear(found.events) == []
    assert clear(repr(keys.xcoms) + repr(found.fields)) == []
    context = {**airflow.context(5, "stage_events", "scheduled", None, "failed"), "exception": found.error}
    (message,) = airflow.call(context)
    assert MASKED in message
    assert clear(message) == []


def test_the_output_of_a_supervised_task_shows_no_secret(keys: Lab, endpoint: Endpoint, tmp_path: Path) -> None:
    keys.run(*DAY, tasks=["create_tables"])
    repeat(endpoint, "COPY landing_1")
    environment = {
        **os.environ,
        **keys.environment,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        "AIRFLOW_VAR_SPARKIFY_BUCKET": keys.bucket,
        "PYTHONPATH": "plugins:dags",
    }

    def airflow(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *words],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=250,
            check=False,
        )
        return done.stdout

    airflow("db", "migrate")
    airflow("dags", "reserialize")
    printed = airflow("tasks", "test", "sparkify_warehouse", "stage_events", "2018-11-01T06:30:00")
    assert MASKED in printed, printed[-3000:]
    assert clear(printed) == []
