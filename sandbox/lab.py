"""A warehouse for tests: the DAG's own tasks, executed one after the other in this process, on real servers.

It has no scheduler and no metadata database, so a run takes a fraction of a second. The end-to-end tests have both.
"""

from __future__ import annotations

import copy
import importlib
import json
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg

from sparkify.warehouse import ddl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.sdk import DAG
    from obstore.store import S3Store

# The tables of include/sql/ddl, and their columns without the audit columns.
TABLES = {
    table.name: ", ".join(table.columns) for table in ddl.tables(Path(__file__).parents[1] / "include" / "sql" / "ddl")
}


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
        **params: Any,
    ) -> dict[str, Any]:
        """Run the tasks of a DAG for a range, in order; return the results by task id, None if a task was skipped.

        :param tasks: the ids of those to run; all by default.
        :param dag_id: one of the project's DAGs.
        :param dag: a DAG of another project, instead.
        """
        from airflow.sdk.exceptions import AirflowSkipException

        results: dict[str, Any] = {}
        dag = dag or self.dag_of(dag_id)
        wanted = set(tasks) if tasks is not None else set(dag.task_ids)
        for task in dag.topological_sort():
            if task.task_id not in wanted:
                continue
            try:
                results[task.task_id] = self.execute(task, start=start, end=end, **params)
            except AirflowSkipException:
                results[task.task_id] = None
        return results

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
        context: Any = {
            "params": {**dag.params.dump(), "start": start, "end": end, **params},
            "dag_run": SimpleNamespace(**{**dag_run, **(run or {})}),
            "var": {"value": {"sparkify_bucket": self.bucket}},
            "ti": SimpleNamespace(
                xcom_push=lambda key, value: xcoms.update({key: value}),
                log_url=f"http://airflow/{dag.dag_id}/{task.task_id}",
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
