"""Hourly files are reconciled like daily ones: any history of files comes to rest at the tables of a single run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from airflow.sdk.exceptions import AirflowException
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from sparkify.operators import ReconcileOperator
from tests.second_source.activity import dag
from tests.second_source.records import TABLES
from tests.second_source.test_invariant import EXAMPLES, HOURS, START, Contents, Run, contents, rejected, single
from tests.support.data import source_fields
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab

PARAMS: dict[str, Any] = {"max_errors": 99}
VANISHED = "SELECT period_start FROM operations.source_differences WHERE state = 'vanished' ORDER BY 1"


@pytest.fixture
def task() -> ReconcileOperator:
    """Return the reconciliation of the second source."""
    staging = dag.get_task("stage_activity")
    return ReconcileOperator(
        task_id="reconcile",
        trigger_dag_id=dag.dag_id,
        max_active_runs=6,
        since=START.isoformat(),
        **{name: getattr(staging, name) for name in ("table", "bucket", "key", "file_period")},
    )


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> dict[str, timedelta]:
    """Return how far the reconciliation's clock is ahead of that of the warehouse."""
    clock = {"by": timedelta(minutes=1)}
    monkeypatch.setattr(ReconcileOperator, "now", lambda self: datetime.now(UTC) + clock["by"])
    return clock


class Step(NamedTuple):
    """A moment of a history.

    :param contents: of the bucket from now on.
    :param runs: runs of the DAG.
    :param triggered: if given, a pass of the reconciliation; no more than this number of its runs is triggered, as if
        it was killed.
    """

    contents: Contents
    runs: tuple[Run, ...]
    triggered: int | None


def _run(lab: Lab, run: Run, **params: Any) -> None:
    start, end = (f"{START + timedelta(hours=hour):%Y-%m-%dT%H:%M}" for hour in run)
    try:
        lab.run(start, end, dag=dag, **PARAMS, **params)
    except AirflowException as error:
        assert "have vanished" in str(error)


def _rows_of(lab: Lab, hour: datetime) -> int:
    count: int = lab.one(
        f"SELECT COUNT(*) FROM staging_activity WHERE interval_time >= '{hour:%Y-%m-%d %H:%M}' "
        f"AND interval_time < '{hour + timedelta(hours=1):%Y-%m-%d %H:%M}'"
    )
    return count


steps = st.builds(Step, contents, st.lists(single, max_size=3).map(tuple), st.none() | st.integers(0, 4))


@pytest.mark.slow
@settings(
    max_examples=max(2, EXAMPLES // 2),
    deadline=None,
    print_blob=True,
    phases=[phase for phase in Phase if phase is not Phase.shrink or EXAMPLES > 50],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(steps, min_size=1, max_size=4))
def test_any_history_of_files_comes_to_rest_at_the_tables_of_a_single_run(
    history: list[Step],
    make_lab: Callable[..., Lab],
    task: ReconcileOperator,
    ahead: dict[str, timedelta],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note(f"History: {history}")
    ahead["by"] = timedelta(minutes=1)
    lab, expected = make_lab(EMPTY), make_lab(EMPTY)
    for variable, value in lab.environment.items():
        monkeypatch.setenv(variable, value)
    lab.run("2015-01-01", "2015-01-02", dag=dag, tasks=["create_tables"])
    for step in history:
        step.contents.put(lab)
        for run in step.runs:
            _run(lab, run)
        if step.triggered is not None:
            for item in lab.reconcile_pass(task)[: step.triggered]:
                lab.trigger(item, dag=dag, **PARAMS)
    ahead["by"] = timedelta(days=2)  # no back-off is left

    # Reconciliation deletes nothing.
    lab.reconcile_pass(task)
    vanished = {hour: _rows_of(lab, hour) for (hour,) in lab.query(VANISHED)}
    lab.reconcile(task, dag=dag, **PARAMS)
    assert {hour: _rows_of(lab, hour) for (hour,) in lab.query(VANISHED)} == vanished
    if vanished:
        _run(lab, Run(0, HOURS), accept_vanished=True)
    ahead["by"] = timedelta(days=4)
    lab.reconcile(task, dag=dag, **PARAMS)
    assert lab.reconcile_pass(task) == []
    assert lab.query("SELECT * FROM operations.source_differences") == []

    for variable, value in expected.environment.items():
        monkeypatch.setenv(variable, value)
    history[-1].contents.put(expected)
    _run(expected, Run(0, HOURS))
    assert lab.tables(TABLES) == expected.tables(TABLES)
    assert rejected(lab) == rejected(expected)
    assert source_fields(lab) == source_fields(expected)
