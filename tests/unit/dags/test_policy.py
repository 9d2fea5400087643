"""Policies for all DAGs, and for all files that Airflow parses or imports."""

from __future__ import annotations

import ast
import os
import runpy
import shutil
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.decoders import decode_deadline_alert
from airflow.serialization.encoders import encode_deadline_alert
from airflow.serialization.serialized_objects import DagSerialization

from sparkify.alerts import AlertNotifier
from sparkify.operators import DataQualityOperator, ReconcileOperator, StageToRedshiftOperator
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow.dag_processing.dagbag import DagBag

DAG_FILES = sorted((ROOT / "dags").glob("**/*.py"))
SOURCES = [*DAG_FILES, *sorted((ROOT / "plugins").glob("**/*.py"))]
# Slow to import, or with network access: only for tasks, not for the parser or every process of Airflow.
HEAVY = {"boto3", "obstore", "pandas", "psycopg", "redshift_connector", "rich", "sqlglot", "sqlparse", "tenacity"}

# Records the imports and the I/O of a program between begin() and end().
WATCH = """
import sys
reached = []
def watch(event, arguments):
    if event.startswith(("socket.", "sqlite3.", "subprocess.", "urllib.", "ftplib.", "http.")):
        reached.append(event)
def begin():
    global before
    before = set(sys.modules)
    sys.addaudithook(watch)
def end():
    print("imported:", *sorted({name.split(".")[0] for name in set(sys.modules) - before}))
    print("reached:", *reached)
"""


def watched(code: str) -> dict[str, list[str]]:
    """Run a program that calls begin() and end() in a new process; return its imports and its I/O."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("plugins", "dags"))
    done = subprocess.run(
        [sys.executable, "-c", WATCH + code],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.partition(":") for line in done.stdout.splitlines() if line.startswith(("imported:", "reached:"))]
    return {name: words.split() for name, _, words in lines}


def tasks(dags: list[DAG]) -> Iterator[Any]:
    for dag in dags:
        yield from dag.tasks


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, in functions as well."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_file_is_imported_without_an_error(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert {dag.fileloc for dag in dag_bag.dags.values()} == {str(path) for path in DAG_FILES}


IMPORT_EACH = """
import runpy, sys
path = list(sys.path)
for name in sys.argv[1:]:
    sys.path[:] = path
    try:
        runpy.run_path(name)
    except ImportError as error:
        print(error)
"""


def test_dags_use_the_operators_of_their_own_commit(tmp_path: Path) -> None:
    """Although Airflow has another copy in its plugins folder or on PYTHONPATH, such as that of its image."""
    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    package = tmp_path / "plugins" / "sparkify"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('own')")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *(str(tmp_path / "dags" / path.name) for path in DAG_FILES)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split() == ["own"] * len(DAG_FILES), done.stderr


def test_dags_can_be_serialized(dags: list[DAG]) -> None:
    for dag in dags:
        assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).dag_id == dag.dag_id


def test_dags_are_documented(dags: list[DAG]) -> None:
    for dag in dags:
        assert dag.description, dag.dag_id
        assert len(dag.description) <= 120, dag.dag_id
        assert dag.doc_md, dag.dag_id
        assert len(dag.doc_md.split()) >= 50, dag.dag_id
        assert "When a task fails" in dag.doc_md, f"{dag.dag_id} has no runbook"
        assert not dag.doc_md.lstrip().startswith("# "), f"{dag.dag_id}: the page has a title already"


def test_dags_are_tagged(dags: list[DAG]) -> None:
    assert [dag.dag_id for dag in dags if "sparkify" not in dag.tags or len(dag.tags) < 2] == []


def test_the_warehouse_is_the_first_of_the_list(dags: list[DAG]) -> None:
    """Airflow's UI sorts by display name: one that begins all others is first, whatever the collation."""
    (first,) = [dag.dag_display_name for dag in dags if dag.dag_id == "sparkify_warehouse"]
    names = {dag.dag_display_name for dag in dags} - {first}
    assert len(names) == len(dags) - 1
    assert [name for name in names if not name.startswith(f"{first} ")] == []


def test_params_are_documented(dags: list[DAG]) -> None:
    for dag in dags:
        for name in dag.params:
            param = dag.params.get_param(name)
            assert param.schema.get("title"), name
            assert param.description, name
            assert param.description.endswith("."), name
            assert param.schema.get("type"), name
        dag.params.validate()  # the defaults are valid


def test_params_are_bounded(dags: list[DAG]) -> None:
    """A number of more than 64 bits in a run's conf keeps Airflow 3.3.2 from starting its tasks' processes."""
    for dag in dags:
        for name in dag.params:
            schema = dag.params.get_param(name).schema
            kinds = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
            assert kinds <= {"null", "boolean", "string", "integer", "number"}, name
            if kinds & {"integer", "number"}:
                assert {"minimum", "maximum"} <= set(schema), name
                assert abs(schema["minimum"]) <= schema["maximum"] < 2**63, name
            if "string" in kinds:
                assert {"maxLength", "format", "pattern", "enum"} & set(schema), name


def test_dags_have_a_start_date_in_utc(dags: list[DAG]) -> None:
    for dag in dags:
        assert dag.start_date, dag.dag_id
        assert dag.start_date.utcoffset() == timedelta(0), dag.dag_id


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.name)
def test_dags_set_scheduling_options_explicitly(path: Path) -> None:
    """Catch-up and the number of concurrent runs are explicit, independent of Airflow's configuration."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("DAG", "dag")]
    assert made
    for call in made:
        assert {"catchup", "max_active_runs", "schedule"} <= {keyword.arg for keyword in call.keywords}


def test_tasks_have_an_owner(dags: list[DAG]) -> None:
    assert [task.task_id for task in tasks(dags) if not task.owner or task.owner == "airflow"] == []


def test_tasks_are_retried_with_exponential_backoff(dags: list[DAG]) -> None:
    for task in tasks(dags):
        assert task.retries >= 2, task.task_id
        assert task.retry_delay >= timedelta(seconds=10), task.task_id
        assert task.retry_exponential_backoff, task.task_id
        assert task.max_retry_delay, task.task_id


def test_tasks_have_a_timeout(dags: list[DAG]) -> None:
    assert [task.task_id for task in tasks(dags) if not task.execution_timeout] == []


# Triggered manually, so a person sees the result.
MANUAL = {"sparkify_infrastructure_create", "sparkify_infrastructure_delete"}


def test_failures_and_missed_deadlines_are_alerted(dags: list[DAG]) -> None:
    for dag in [dag for dag in dags if dag.dag_id not in MANUAL]:
        # Pause and resume load no data that could be late.
        assert dag.deadline or dag.dag_id.startswith("sparkify_infrastructure_"), dag.dag_id
        # A task whose process was killed calls nothing itself.
        callback: Any = dag.on_failure_callback
        assert callback.__func__ is AlertNotifier.run_failed, dag.dag_id
        for task in tasks([dag]):
            assert any(isinstance(item, AlertNotifier) for item in task.on_failure_callback), task.task_id
            # It reports recovered checks, or that a late run has ended.
            if isinstance(task, DataQualityOperator) or (dag.deadline and not task.downstream_task_ids):
                assert any(isinstance(item, AlertNotifier) for item in task.on_success_callback), task.task_id


def test_airflow_can_clear_a_run_whose_deadline_is_pending(dags: list[DAG]) -> None:
    """When a run is cleared, Airflow 3.3.2 interprets a deadline's stored interval as a number of seconds."""
    alerts: list[Any] = [alert for dag in dags if isinstance(dag.deadline, list) for alert in dag.deadline]
    assert len(alerts) == 4
    for alert in alerts:
        stored = encode_deadline_alert(alert)
        assert decode_deadline_alert(stored).interval == timedelta(seconds=stored["interval"])


def test_a_reconciliation_compares_what_a_task_stages(dags: list[DAG]) -> None:
    """It would trigger runs that load nothing, or miss changes, if it described the source in another way."""
    targets = {dag.dag_id: dag for dag in dags}
    fields = ("table", "bucket", "key", "file_period")
    found = [task for task in tasks(dags) if isinstance(task, ReconcileOperator)]
    assert found
    for task in found:
        target = targets[task.trigger_dag_id]
        staged = [
            item for item in target.tasks if isinstance(item, StageToRedshiftOperator) and item.table == task.table
        ]
        assert [[getattr(item, name) for name in fields] for item in staged] == [
            [getattr(task, name) for name in fields]
        ], task.task_id
        assert task.max_active_runs == target.max_active_runs, task.task_id
        assert {"start", "end"} <= set(target.params), task.task_id


def test_every_source_that_is_partitioned_by_time_is_reconciled(dags: list[DAG]) -> None:
    staged = {item.table for item in tasks(dags) if isinstance(item, StageToRedshiftOperator) and item.interval_column}
    assert {task.table for task in tasks(dags) if isinstance(task, ReconcileOperator)} == staged


def test_the_files_of_tasks_exist() -> None:
    named = []
    # Run anew, because whoever renders a task replaces the file names by the files' content: the DAG bag does, and
    # other tests do in the modules that this process has imported.
    modules = [runpy.run_path(str(path)) for path in DAG_FILES]
    for dag in [value for module in modules for value in module.values() if isinstance(value, DAG)]:
        folders = [ROOT.joinpath(folder) for folder in dag.template_searchpath or []]
        for task in dag.tasks:
            for field in task.template_fields:
                value = getattr(task, field, None)  # a mapped task has those that it is given
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, str) and item.endswith(tuple(task.template_ext)):
                        found = [folder / item for folder in folders if (folder / item).is_file()]
                        assert len(found) == 1, f"{task.task_id}: {item} is found {len(found)} times"
                        named += found
    # Conversely, files that no task uses are queries for people, or DDL and views, whose folders tasks name.
    files = set((ROOT / "include" / "sql").glob("**/[!_]*.sql"))  # others are included in those
    assert {path.parent.name for path in files - set(named)} == {
        *("analytics", "page", "ddl", "operations", "views", "metrics")
    }


# Operators of the amazon provider, which import boto3; urllib3 then checks for IPv6. That takes 0.1 s, which is
# acceptable for DAGs that are triggered manually.
PROVIDER = "airflow.providers.amazon.aws.operators.redshift_cluster"


@pytest.mark.parametrize(("prefix", "known"), [("sparkify_infrastructure_", PROVIDER), ("", "airflow.sdk")])
def test_parsing_does_no_io(prefix: str, known: str) -> None:
    """Each task parses its DAG, and the DAG processor parses all DAGs continuously."""
    files = [path.stem for path in DAG_FILES if path.stem.startswith("sparkify_infrastructure_") == bool(prefix)]
    assert files
    modules = "\n".join(f"importlib.import_module({name!r})" for name in files)
    # croniter, a dependency of Airflow's timetables, queries the platform.
    seen = watched(f"import importlib, airflow.sdk, croniter, {known}\nbegin()\n{modules}\nend()")
    assert seen["reached"] == []
    assert "sparkify" in seen["imported"]
    assert HEAVY.isdisjoint(seen["imported"])


def test_watched_reports_imports_and_io() -> None:
    seen = watched("begin()\nimport rich, socket, sqlite3\nsqlite3.connect(':memory:')\nsocket.socket()\nend()")
    assert "rich" in seen["imported"]
    assert {"sqlite3.connect", "socket.__new__"} <= set(seen["reached"])


def test_plugins_do_not_import_the_package() -> None:
    """Airflow imports every file below plugins/ in every process, unless .airflowignore excludes it."""
    seen = watched("""
begin()
from airflow import plugins_manager
plugins_manager.get_plugin_info()
assert not plugins_manager.get_import_errors(), plugins_manager.get_import_errors()
end()
""")
    assert "airflow" in seen["imported"]
    assert {"sparkify", *(path.stem for path in DAG_FILES)}.isdisjoint(seen["imported"])


# Imports of Airflow outside of the task SDK, by file: `make run` creates its metadata database.
INTERNAL = {
    ("sandbox/airflow.py", "airflow.utils.db"),
    # The interface of triggers, which the Task SDK does not have.
    ("plugins/sparkify/dag/arrivals.py", "airflow.triggers.base"),
    # The interface of plugins, and the authentication of their applications.
    ("plugins/sparkify_page.py", "airflow.plugins_manager"),
    ("plugins/sparkify/web/app.py", "airflow.api_fastapi.auth.managers.models.resource_details"),
    ("plugins/sparkify/web/app.py", "airflow.api_fastapi.core_api.security"),
    # Airflow's metadata database, which the API server reads.
    ("plugins/sparkify/web/dictionary.py", "airflow.models.asset"),
    ("plugins/sparkify/web/dictionary.py", "airflow.utils.session"),
    ("plugins/sparkify/web/failures.py", "airflow.models.dagrun"),
    ("plugins/sparkify/web/failures.py", "airflow.models.serialized_dag"),
    ("plugins/sparkify/web/failures.py", "airflow.models.taskinstance"),
    ("plugins/sparkify/web/failures.py", "airflow.utils.state"),
    ("plugins/sparkify/web/loads.py", "airflow.models.dag"),
    ("plugins/sparkify/web/loads.py", "airflow.models.dagrun"),
    ("plugins/sparkify/web/loads.py", "airflow.models.taskinstance"),
    ("plugins/sparkify/web/loads.py", "airflow.utils.session"),
    ("plugins/sparkify/web/loads.py", "airflow.utils.state"),
    ("plugins/sparkify/web/reports.py", "airflow.models.variable"),
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_are_from_the_task_sdk(path: Path) -> None:
    """airflow.models, airflow.decorators and airflow.utils are deprecated in DAGs.

    https://airflow.apache.org/docs/apache-airflow/stable/public-airflow-interface.html
    """
    file = path.relative_to(ROOT).as_posix()
    foreign = [
        name
        for name in imports(path)
        if name.split(".")[0] == "airflow" and not f"{name}.".startswith(("airflow.sdk.", "airflow.providers."))
    ]
    assert [name for name in foreign if (file, name) not in INTERNAL] == []


def test_dags_only_import_wiring() -> None:
    """Logic belongs in the package, where it is tested."""
    allowed = {
        "__future__",
        "airflow.providers.standard.operators.trigger_dagrun",
        "airflow.sdk",
        "datetime",
        "pathlib",
        "sys",
    }
    for path in DAG_FILES:
        others = [name for name in imports(path) if name not in allowed and name.split(".")[0] != "sparkify"]
        assert others == [], path.name
