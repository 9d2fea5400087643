"""When the same data has passed, its failure has recovered."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from sparkify.alerts import AlertNotifier, state
from tests.integration.alerts.airflow import BAD, GOOD, NAME, START, Airflow

if TYPE_CHECKING:
    from sparkify.alerts.incidents import Incident


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


def test_an_audit_that_failed_recovers_with_the_next_one(airflow: Airflow) -> None:
    """Its checks see the current state, whatever the run's interval."""
    airflow.dag = airflow.lab.dag_of("sparkify_audit")
    assert len(airflow.failed(0, "audit")) == 1
    context = airflow.context(24, "audit", "scheduled", [GOOD], "success")
    (text,) = airflow.call(context)
    assert "*Recovered*: `task audit`" in text
