"""Whatever happens to the files, at any age: after reconciliation the tables are those of one single run over them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest
from airflow.sdk.exceptions import AirflowException
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from sparkify.operators import ReconcileOperator
from tests.integration.test_invariant import DAYS, EXAMPLES, START, Event, Files, Run, events, rejected, single
from tests.support.data import source_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab

PARAMS: dict[str, Any] = {"max_errors": 99}
VANISHED = "SELECT period_start FROM operations.source_differences WHERE state = 'vanished' ORDER BY 1"
# What is killed in a pass: nothing, the runs after the first one, or all.
Killed = Literal["nothing", "most", "all"]


class Step(NamedTuple):
    """A moment of a history.

    :param files: the events in the bucket from now on: files are created, overwritten, appended to and deleted.
    :param runs: runs of the DAG, each with the number of its tasks that succeed before it fails for good; None for all.
    :param killed: if given, a pass of the reconciliation, of which this is killed before it is triggered.
    """

    files: tuple[Event, ...]
    runs: tuple[tuple[Run, int | None], ...]
    killed: Killed | None

    def play(self, lab: Lab) -> None:
        """Replay it."""
        Files(self.files, ()).put(lab)
        order = [task.task_id for task in lab.dag.topological_sort()]
        for run, succeeded in self.runs:
            try:
                lab.run(*run.range, tasks=order[:succeeded], **PARAMS)
            except AirflowException as error:
                assert "have vanished" in str(error)
        if self.killed:
            triggers = lab.reconcile_pass()
            for item in {"nothing": triggers, "most": triggers[:1], "all": []}[self.killed]:
                lab.trigger(item, **PARAMS)


steps = st.builds(
    Step,
    # A check fails if the app sends no level.
    st.lists(events.map(lambda item: item._replace(level=item.level or "free")), max_size=12).map(tuple),
    st.lists(st.tuples(single, st.none() | st.integers(1, 8)), max_size=3).map(tuple),
    st.sampled_from([None, "nothing", "most", "all"]),
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, timedelta]:
    """Return how far the reconciliation's clock is ahead of that of the warehouse."""
    clock = {"ahead": timedelta(minutes=1)}
    monkeypatch.setattr(ReconcileOperator, "now", lambda self: datetime.now(UTC) + clock["ahead"])
    return clock


def rows_of(lab: Lab, day: datetime) -> list[tuple[object, ...]]:
    """Return the staged rows of a day."""
    return lab.query(
        f"SELECT sessionid, iteminsession, ts FROM staging_events WHERE interval_time >= '{day:%Y-%m-%d}' "
        f"AND interval_time < '{day + timedelta(days=1):%Y-%m-%d}' ORDER BY 1, 2, 3"
    )


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
    make_lab: Callable[[], Lab],
    clock: dict[str, timedelta],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note(f"History: {history}")
    clock["ahead"] = timedelta(minutes=1)
    lab, expected = make_lab(), make_lab()
    for variable, value in lab.environment.items():
        monkeypatch.setenv(variable, value)
    lab.variables["sparkify_reconcile_since"] = START.isoformat()
    lab.run(*Run(0, 1).range, tasks=["create_tables"])
    for step in history:
        step.play(lab)
    clock["ahead"] = timedelta(days=2)  # no back-off is left

    # Reconciliation deletes nothing.
    lab.reconcile_pass()
    vanished = {day: rows_of(lab, day) for (day,) in lab.query(VANISHED)}
    lab.reconcile(**PARAMS)
    assert {day: rows_of(lab, day) for (day,) in lab.query(VANISHED)} == vanished
    for day in vanished:
        lab.run(f"{day:%Y-%m-%d}", f"{day + timedelta(days=1):%Y-%m-%d}", accept_vanished=True, **PARAMS)
    assert lab.reconcile(**PARAMS) == []
    assert lab.query("SELECT * FROM operations.source_differences") == []
    assert "failed" not in {run.state for run in lab.dag_runs.values()}

    for variable, value in expected.environment.items():
        monkeypatch.setenv(variable, value)
    Files(history[-1].files, ()).put(expected)
    expected.run(*Run(0, DAYS * 24).range, **PARAMS)
    assert lab.tables() == expected.tables()
    assert rejected(lab) == rejected(expected)
    assert source_fields(lab) == source_fields(expected)
