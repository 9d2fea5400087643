"""The DAG of the daily report: schedule, interval and task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.simple import PartitionedAssetTimetable

from sparkify.dag.assets import DAYS
from sparkify.operators import ReportOperator
from tests.conftest import ROOT

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture(scope="session")
def dag(dag_bag: DagBag) -> DAG:
    return dag_bag.dags["sparkify_report"]


@pytest.fixture(scope="session")
def timetable(dag: DAG) -> PartitionedAssetTimetable:
    """The timetable after serialization, as in the scheduler."""
    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    assert isinstance(timetable, PartitionedAssetTimetable)
    return timetable


def test_it_is_triggered_by_published_days(dag_bag: DagBag, timetable: PartitionedAssetTimetable) -> None:
    assert [key.name for key, _ in timetable.asset_condition.iter_assets()] == [DAYS.name]
    outlets = [outlet for task in dag_bag.dags["sparkify_warehouse"].tasks for outlet in task.outlets]
    assert outlets.count(DAYS) == 1


def test_its_partitions_are_days(timetable: PartitionedAssetTimetable) -> None:
    mapper = timetable.get_partition_mapper(name=DAYS.name, uri=DAYS.uri)
    assert mapper.to_downstream("2018-11-01") == "2018-11-01"
    with pytest.raises(ValueError, match="yesterday"):
        mapper.to_downstream("yesterday")


def test_runs_are_not_concurrent(dag: DAG) -> None:
    assert dag.max_active_runs == 1


def test_its_interval_is_the_day_of_the_partition_key(dag: DAG) -> None:
    (task,) = dag.tasks
    assert isinstance(task, ReportOperator)
    environment = task.get_template_env()
    for key, expected in (("2018-11-01", "2018-11-01 00:00:00+00:00"), ("2018-12-31", "2018-12-31 00:00:00+00:00")):
        dag_run = SimpleNamespace(partition_key=key)
        assert environment.from_string(task.interval_start).render(dag_run=dag_run) == expected
    with pytest.raises(AirflowFailException, match="not a date"):
        environment.from_string(task.interval_end).render(dag_run=SimpleNamespace(partition_key=None))


def test_it_runs_every_query_and_has_its_template(dag: DAG) -> None:
    (task,) = dag.tasks
    assert isinstance(task, ReportOperator)
    files = sorted(path.stem for path in (ROOT / "include" / "sql" / "report").glob("[!_]*.sql"))
    assert sorted(task.names) == files
    assert (ROOT / "include" / "reports" / task.template).is_file()
