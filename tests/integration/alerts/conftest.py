"""Receivers of alerts, and Variables that last for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Variable
from airflow.sdk.definitions._internal.types import NOTSET
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from sandbox.airflow import aws_connection
from tests.integration.alerts.airflow import Airflow
from tests.support import receivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.lab import Lab


@pytest.fixture(scope="module")
def _mailbox() -> Iterator[receivers.Mailbox]:
    with receivers.mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def _hook() -> Iterator[receivers.Hook]:
    with receivers.hook() as hook:
        yield hook


@pytest.fixture(scope="module")
def _queue() -> Iterator[receivers.Queue]:
    with receivers.queue() as queue:
        yield queue


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Airflow's Variables. They live behind a task's connection to Airflow, which is in the end-to-end tests only."""
    values: dict[str, str] = {}

    def get(key: str, default: Any = NOTSET) -> Any:
        return values.get(key, default)

    def put(key: str, value: str, description: str | None = None) -> None:
        values[key] = value

    monkeypatch.setattr(Variable, "get", staticmethod(get))
    monkeypatch.setattr(Variable, "set", staticmethod(put))
    monkeypatch.setattr("sparkify.alerts.state.PAUSE", 0)
    return values


@pytest.fixture
def slack(_hook: receivers.Hook, monkeypatch: pytest.MonkeyPatch) -> Iterator[receivers.Hook]:
    """A webhook, configured."""
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_ALERTS", receivers.slack_connection(_hook.port))
    yield _hook
    _hook.posts.clear()
    _hook.paths.clear()
    _hook.status = 200


@pytest.fixture
def mail(
    _mailbox: receivers.Mailbox, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[receivers.Mailbox]:
    """A mail server, configured."""
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_ALERTS", receivers.smtp_connection(_mailbox.port))
    variables["sparkify_alert_email"] = "ann@sparkify.example, bob@sparkify.example"
    yield _mailbox
    _mailbox.mails.clear()
    _mailbox.recipients.clear()
    _mailbox.refuses = False


@pytest.fixture
def sns(
    _queue: receivers.Queue, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[receivers.Queue]:
    """A topic, configured."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS", aws_connection(_queue.endpoint))
    variables["sparkify_alert_topic"] = _queue.topic
    yield _queue
    _queue.take()


@pytest.fixture
def airflow(lab: Lab, variables: dict[str, str], slack: receivers.Hook, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    made = Airflow(lab, variables, slack)
    monkeypatch.setattr(RuntimeTaskInstance, "get_dr_count", made.count)
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", made.task_states)
    monkeypatch.setattr(RuntimeTaskInstance, "get_dagrun_state", made.run_state)
    return made
