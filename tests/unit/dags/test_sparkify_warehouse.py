"""The hourly DAG: its graph, its schedule, its params."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import DateTime

from sandbox.lab import TABLES
from sparkify.operators import (
    CreateTablesOperator,
    DataQualityOperator,
    LoadAggregateOperator,
    LoadDimensionOperator,
    LoadFactOperator,
    LoadHistoryOperator,
    PublishDaysOperator,
    StageToRedshiftOperator,
)
from sparkify.operators.create_tables import CONFIRMATION
from sparkify.operators.load import LoadOperator
from tests.unit.test_sql import AGGREGATES, OF_AGGREGATES

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

START = datetime(2018, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="session")
def dag(dag_bag: DagBag) -> DAG:
    return dag_bag.dags["sparkify_warehouse"]


@pytest.fixture(scope="session")
def timetable(dag: DAG) -> CronDataIntervalTimetable:
    """The timetable after serialization, as in the scheduler."""
    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    assert isinstance(timetable, CronDataIntervalTimetable)
    return timetable


@pytest.fixture(scope="session")
def tasks(dag: DAG) -> dict[str, Any]:
    return {task.task_id: task for task in dag.tasks}


# The tasks, each with its downstream tasks. A deployment may add others: see the next test.
GRAPH: dict[str, tuple[type, set[str]]] = {
    "create_tables": (CreateTablesOperator, {"stage_events", "stage_songs"}),
    "stage_events": (
        StageToRedshiftOperator,
        {"load_songplays", "load_users", "load_time", "load_users_history", "load_events"},
    ),
    "stage_songs": (StageToRedshiftOperator, {"load_songs", "load_artists"}),
    "load_songs": (LoadDimensionOperator, {"load_songplays"}),
    "load_artists": (LoadDimensionOperator, {"load_songplays"}),
    "load_songplays": (LoadFactOperator, {"data_quality"}),
    "load_users": (LoadDimensionOperator, {"data_quality"}),
    "load_time": (LoadDimensionOperator, {"data_quality"}),
    "load_users_history": (LoadHistoryOperator, {"data_quality"}),
    "load_events": (LoadFactOperator, {f"load_{table}" for table in AGGREGATES}),
    **{f"load_{table}": (LoadAggregateOperator, {"data_quality"}) for table in AGGREGATES - {"daily_songs"}},
    "load_daily_songs": (LoadAggregateOperator, {"load_monthly_songs"}),
    "load_monthly_songs": (LoadAggregateOperator, {"data_quality"}),
    "data_quality": (DataQualityOperator, {"publish_days"}),
    "publish_days": (PublishDaysOperator, set()),
}


def test_the_graph(tasks: dict[str, Any]) -> None:
    found = {name: (type(tasks[name]), tasks[name].downstream_task_ids & set(GRAPH)) for name in GRAPH}
    assert found == GRAPH


def test_a_group_of_tasks_per_step(dag: DAG) -> None:
    """The graph stays readable: a marts task more is a task in one group."""
    groups = {
        name: set(group.children) for name, group in dag.task_group.children.items() if hasattr(group, "children")
    }
    assert set(groups) == {"stage", "load", "marts", "publish"}
    assert groups["marts"] >= {
        "load_users_history",
        "load_events",
        *(f"load_{table}" for table in {*AGGREGATES, *OF_AGGREGATES}),
    }


def test_aggregates_read_the_feed_of_their_facts(tasks: dict[str, Any]) -> None:
    changes = tasks["load_events"].strategy.images
    assert changes == "operations.changed_events"
    for table in AGGREGATES:
        strategy = tasks[f"load_{table}"].strategy
        assert (strategy.facts, strategy.changes) == ("events", changes)
    for table, facts in OF_AGGREGATES.items():
        strategy = tasks[f"load_{table}"].strategy
        assert strategy.facts == facts
        assert strategy.changes == tasks[f"load_{facts}"].strategy.images == f"operations.changed_{facts}"


def test_every_load_runs_between_the_creation_of_tables_and_the_checks(tasks: dict[str, Any]) -> None:
    for task in tasks.values():
        if isinstance(task, StageToRedshiftOperator | LoadOperator):
            assert "create_tables" in task.get_flat_relative_ids(upstream=True), task.task_id
            assert "data_quality" in task.get_flat_relative_ids(), task.task_id


def test_every_table_has_a_task_and_an_asset(tasks: dict[str, Any]) -> None:
    assets = {outlet.name: task.task_id for task in tasks.values() for outlet in task.outlets}
    assert assets.pop("sparkify.days") == "publish_days"
    assert {asset: tasks[task_id].table for asset, task_id in assets.items()} == {
        f"sparkify.{table}": table for table in TABLES
    }


def test_runs_own_the_hours_of_a_day(timetable: CronDataIntervalTimetable) -> None:
    found = []
    interval = None
    restriction = TimeRestriction(earliest=DateTime.instance(START), latest=None, catchup=True)
    for _ in range(24):
        info = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        assert info
        assert info.data_interval
        interval = info.data_interval
        found.append((interval.start, interval.end))
    assert found == [(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(24)]


@pytest.mark.parametrize("minutes", [0, 30])
def test_a_manual_run_owns_the_last_full_hour(timetable: CronDataIntervalTimetable, minutes: int) -> None:
    at = START + 5 * HOUR + timedelta(minutes=minutes)
    interval = timetable.infer_manual_data_interval(run_after=DateTime.instance(at))
    assert (interval.start, interval.end) == (START + 4 * HOUR, START + 5 * HOUR)


def test_history_is_not_loaded_automatically(dag: DAG) -> None:
    assert dag.catchup is False
    assert dag.start_date == START


@pytest.mark.parametrize("name", ["start", "end"])
def test_start_and_end_are_timestamps_or_empty(dag: DAG, name: str) -> None:
    param = copy.deepcopy(dag.params.get_param(name))  # resolve() sets it
    assert param.value is None
    assert param.schema["format"] == "date-time"
    assert param.resolve("2018-11-01T00:00:00+00:00")
    with pytest.raises(ParamValidationError):
        param.resolve("yesterday")


def test_a_full_refresh_is_off_by_default(dag: DAG) -> None:
    param = copy.deepcopy(dag.params.get_param("full_refresh"))  # resolve() sets it
    assert param.value is False
    with pytest.raises(ParamValidationError):
        param.resolve("perhaps")


def test_recreating_the_tables_needs_a_typed_confirmation(dag: DAG) -> None:
    param = copy.deepcopy(dag.params.get_param("recreate_tables"))  # resolve() sets it
    assert param.value is None
    for accepted in (None, "", "recreate all tables"):
        assert param.resolve(accepted) == accepted
    for rejected in (True, "true", "yes", "recreate all tables!", "Recreate all tables"):
        with pytest.raises(ParamValidationError):
            param.resolve(rejected)


def render(dag: DAG, text: str, **params: Any) -> Any:
    context: Any = {
        "params": {**dag.params.dump(), **params},
        "dag_run": SimpleNamespace(data_interval_start=START, data_interval_end=START + HOUR),
    }
    return dag.tasks[0].render_template(text, context)


def test_all_tasks_have_the_same_interval(dag: DAG, tasks: dict[str, Any]) -> None:
    fields = {(task.interval_start, task.interval_end) for task in tasks.values()}
    ((start, end),) = fields
    assert (render(dag, start), render(dag, end)) == ("2018-11-01 00:00:00+00:00", "2018-11-01 01:00:00+00:00")
    given = {"start": "2018-12-01T02:00:00+01:00", "end": "2018-12-01T23:00"}
    assert render(dag, start, **given) == "2018-12-01 01:00:00+00:00"
    assert render(dag, end, **given) == "2018-12-01 23:00:00+00:00"


def test_the_run_that_closes_a_day_covers_the_day(dag: DAG, tasks: dict[str, Any]) -> None:
    given = {"start": "2018-12-01T23:00", "end": "2018-12-02"}
    assert {render(dag, task.interval_start, **given) for task in tasks.values()} == {"2018-12-01 00:00:00+00:00"}
    # Events of the day before the run's own hour count as late.
    assert render(dag, tasks["stage_events"].late_before, **given) == "2018-12-01 23:00:00+00:00"


@pytest.mark.parametrize(("full_refresh", "mode"), [(False, "merge"), (True, "rebuild")])
def test_a_full_refresh_rebuilds_every_table(dag: DAG, tasks: dict[str, Any], full_refresh: bool, mode: str) -> None:
    loads = [task for name, task in tasks.items() if name.startswith("load_")]
    assert {render(dag, task.mode, full_refresh=full_refresh) for task in loads} == {mode}
    assert render(dag, tasks["stage_songs"].full_refresh, full_refresh=full_refresh) == str(full_refresh)


def test_tables_are_only_dropped_on_request(dag: DAG, tasks: dict[str, Any]) -> None:
    recreate = tasks["create_tables"].recreate
    assert [render(dag, recreate, recreate_tables=value) for value in (None, "", CONFIRMATION)] == [
        "",
        "",
        CONFIRMATION,
    ]


def test_a_skipped_task_does_not_skip_downstream_tasks(dag: DAG) -> None:
    """stage_songs is skipped if no song is new; the plays are loaded anyway."""
    assert {task.trigger_rule for task in dag.tasks} == {TriggerRule.NONE_FAILED}
