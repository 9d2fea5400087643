"""Reconciliation reports vanished files once, and a backlog until it is loaded; what has failed in a pass recovers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sparkify.alerts import state
from sparkify.reconcile import checks
from sparkify.reconcile.plan import Difference
from tests.integration.alerts.airflow import HOUR, START, Airflow

if TYPE_CHECKING:
    from sparkify.quality.result import CheckResult

IDLE = checks.backlog("staging_events", 0, 4)


@pytest.fixture
def reconciliation(airflow: Airflow) -> Airflow:
    """Return an Airflow whose DAG is the reconciliation."""
    airflow.dag = airflow.lab.dag_of("sparkify_reconcile")
    return airflow


def passed(airflow: Airflow, hour: int, *results: CheckResult) -> list[str]:
    """A pass succeeds; return the sent messages."""
    sent = airflow.call(airflow.context(hour, "reconcile", "scheduled", list(results), "success"))
    return [*sent, *airflow.ended(hour, "reconciled")]


def test_vanished_files_are_reported_once(reconciliation: Airflow) -> None:
    found = [Difference(START + number * 24 * HOUR, "vanished", "", START) for number in range(7)]
    (text,) = passed(reconciliation, 0, checks.vanished("staging_events", found, 30), IDLE)
    assert "staging_events: vanished_files" in text
    assert "vanished periods: 7" in text
    assert "load the periods with accept_vanished" in text
    assert passed(reconciliation, 1, IDLE) == []
    assert reconciliation.variables[state.variable("sparkify_reconcile")] == "{}"
    (text,) = passed(reconciliation, 2, checks.vanished("staging_events", found[:1], 30), IDLE)
    assert "vanished periods: 1" in text


def test_a_backlog_is_one_alert_and_recovers(reconciliation: Airflow) -> None:
    (text,) = passed(reconciliation, 0, checks.backlog("staging_events", 700, 4))
    assert "runs to trigger: 700" in text
    assert passed(reconciliation, 1, checks.backlog("staging_events", 400, 4)) == []
    (text,) = passed(reconciliation, 2, IDLE)
    assert "*Warning resolved*: `staging_events: reconcile_backlog`" in text


@pytest.mark.parametrize("task_id", ["reconcile", "trigger"])
def test_a_failed_pass_recovers_with_the_next_one(reconciliation: Airflow, task_id: str) -> None:
    """Although it is the run of another hour, and triggers nothing."""
    assert len(reconciliation.failed(0, task_id)) == 1
    (text,) = passed(reconciliation, 1, IDLE)
    assert f"*Recovered*: `task {task_id}`" in text
    assert reconciliation.variables[state.variable("sparkify_reconcile")] == "{}"
