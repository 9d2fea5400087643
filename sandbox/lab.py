"""A warehouse for tests: the DAG's own tasks, executed one after the other in this process, on real servers.

It has no scheduler and no metadata database, so a run takes a fraction of a second. The end-to-end tests have both.
"""

from __future__ import annotations

import copy
import importlib
import json
import logging
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from sparkify.warehouse import ddl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from airflow.sdk import DAG
    from obstore.store import S3Store

log = logging.getLogger(__name__)

# The tables of include/sql/ddl, and their columns without the audit columns.
TABLES = {
    table.name: ", ".join(table.columns) for table in ddl.tables(Path(__file__).parents[1] / "include" / "sql" / "ddl")
}


class LabRun(NamedTuple):
    """A DAG run, as Airflow's task API reports it."""

    state: str
    logical_date: datetime | None = None


class Lab:
    """A bucket and a warehouse, and methods that load the bucket into the warehouse.

    :param uri: the database.
    :param store: the bucket.
    :param bucket: its name.
    :param environment: the variables that define Airflow's connections to both.
    """

    def __init__(self, uri: str, store: S3Store, bucket: str, environment: dict[str, str]) -> None:
        self.uri = uri
        self.store = store
        self.bucket = bucket
        self.environment = environment
        # The XComs of the latest run, by task and key.
        self.xcoms: dict[str, dict[str, Any]] = defaultdict(dict)
        # Airflow Variables.
        self.variables = {"sparkify_bucket": bucket}
        # What Airflow's task API reports: the runs of the DAG that loads the source by id, and whether it is paused.
        self.dag_runs: dict[str, LabRun] = {}
        self.paused = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it without the bucket, for another process that only runs the tasks."""
        return Lab, (self.uri, None, self.bucket, self.environment)

    @property
    def dag(self) -> DAG:
        """The DAG that loads the warehouse."""
        return self.dag_of("sparkify_warehouse")

    @staticmethod
    def dag_of(dag_id: str) -> DAG:
        """One of the project's DAGs."""
        dag: DAG = importlib.import_module(dag_id).dag
        return dag

    def put(self, key: str, body: str | bytes) -> None:
        """Write an object."""
        self.store.put(key, body.encode() if isinstance(body, str) else body)

    def put_events(self, day: str, events: Iterable[dict[str, Any]]) -> None:
        """Write the log file of a day (``2018-11-01``)."""
        self.put(f"log_data/{day[:4]}/{day[5:7]}/{day}-events.json", "\n".join(json.dumps(item) for item in events))

    def put_song(self, name: str, song: dict[str, Any]) -> None:
        """Write a song object."""
        self.put(f"song_data/A/A/A/{name}.json", json.dumps(song))

    def run(
        self,
        start: str,
        end: str,
        *,
        tasks: Iterable[str] | None = None,
        dag_id: str = "sparkify_warehouse",
        dag: DAG | None = None,
        run: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """Run the tasks of a DAG for a range, in order; return the results by task id, None if a task was skipped.

        :param tasks: the ids of those to run; all by default.
        :param dag_id: one of the project's DAGs.
        :param dag: a DAG of another project, instead.
        :param run: attributes of the DAG run.
        """
        from airflow.sdk.exceptions import AirflowSkipException

        results: dict[str, Any] = {}
        dag = dag or self.dag_of(dag_id)
        wanted = set(tasks) if tasks is not None else set(dag.task_ids)
        for task in dag.topological_sort():
            if task.task_id not in wanted:
                continue
            try:
                results[task.task_id] = self.execute(task, start=start, end=end, run=run, **params)
            except AirflowSkipException:
                results[task.task_id] = None
        return results

    def reconcile_pass(self, task: Any = None) -> list[dict[str, Any]]:
        """Run one pass of the reconciliation; return the runs of the DAG that loads the source that it triggers.

        :param task: a ReconcileOperator; that of sparkify_reconcile by default.
        """
        task = task or self.dag_of("sparkify_reconcile").get_task("reconcile")
        triggers = self.execute(task, run={"run_id": "scheduled__reconcile"})
        return [item for item in triggers if item["trigger_dag_id"] == task.trigger_dag_id]

    def reconcile(self, task: Any = None, *, dag: DAG | None = None, **params: Any) -> list[str]:
        """Run passes of the reconciliation and the runs that they trigger, until a pass triggers none.

        :param task: a ReconcileOperator; that of sparkify_reconcile by default.
        :param dag: the DAG that loads the source; sparkify_warehouse by default.
        :return: the intervals of the runs, such as ``2018-11-01T00:00_2018-11-02T00:00``, in order.
        """
        loaded = []
        while triggers := self.reconcile_pass(task):
            for item in triggers:
                loaded.append(item["trigger_run_id"].split("__")[1])
                self.trigger(item, dag=dag, **params)
        return loaded

    def trigger(self, item: Mapping[str, Any], *, dag: DAG | None = None, **params: Any) -> None:
        """Execute a run that the reconciliation triggers; a failed task ends it.

        :param item: the keyword arguments of TriggerDagRunOperator.
        """
        run_id, conf = item["trigger_run_id"], item["conf"]
        if run_id in self.dag_runs:
            return  # skip_when_already_exists
        self.dag_runs[run_id] = LabRun("running")
        try:
            self.run(**conf, dag=dag, run={"run_id": run_id}, **params)
        except Exception:
            log.exception("A run failed: run_id=%s", run_id)
            self.dag_runs[run_id] = LabRun("failed")
        else:
            self.dag_runs[run_id] = LabRun("success")

    def _count_runs(
        self,
        dag_id: str,
        logical_dates: Sequence[datetime] | None = None,
        run_ids: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
    ) -> int:
        """Count DAG runs, as RuntimeTaskInstance.get_dr_count does."""
        return sum(
            (not logical_dates or run.logical_date in logical_dates)
            and (not run_ids or run_id in run_ids)
            and (not states or run.state in states)
            for run_id, run in self.dag_runs.items()
        )

    def execute(
        self,
        task: Any,
        *,
        start: str | None = None,
        end: str | None = None,
        run: Mapping[str, Any] | None = None,
        **params: Any,
    ) -> Any:
        """Run one operator as Airflow does: render its fields, then execute it.

        :param run: attributes of the DAG run.
        """
        from airflow.sdk.execution_time.context import OutletEventAccessors

        dag = task.dag if task.has_dag() else self.dag
        task = copy.copy(task)
        for field in task.template_fields:
            setattr(task, field, copy.copy(getattr(task, field)))  # files' content is put into lists in place
        xcoms = self.xcoms[task.task_id] = {}
        dag_run = {
            "dag_id": dag.dag_id,
            "run_id": f"manual__{start}",
            "run_type": "manual",
            "clear_number": 0,
            "data_interval_start": start,
            "data_interval_end": end,
            "partition_key": None,
        }
        # Not dump(): it would validate them again for each task, a sixth of a run's CPU time.
        defaults = {name: param.value for name, param in dag.params.items()}
        context: Any = {
            "params": {**defaults, "start": start, "end": end, **params},
            "dag_run": SimpleNamespace(**{**dag_run, **(run or {})}),
            "var": {"value": self.variables},
            "ti": SimpleNamespace(
                xcom_push=lambda key, value: xcoms.update({key: value}),
                log_url=f"http://airflow/{dag.dag_id}/{task.task_id}",
                get_dr_count=self._count_runs,
                get_dag=lambda dag_id: SimpleNamespace(is_paused=self.paused),
            ),
            "outlet_events": OutletEventAccessors(),
            "task": task,
            "dag": dag,
        }
        task.resolve_template_files()
        task.render_template_fields(context)
        return task.execute(context)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        with psycopg.connect(self.uri) as connection:
            return connection.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        """Return the only value of a SELECT."""
        ((value,),) = self.query(sql)
        return value

    def tables(self, tables: Mapping[str, str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of all tables, without audit columns, sorted.

        :param tables: their names and columns.
        """
        return {name: sorted(self.query(f"SELECT {columns} FROM {name}"), key=repr) for name, columns in tables.items()}

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        return {name: self.one(f"SELECT COUNT(*) FROM {name}") for name in TABLES}
