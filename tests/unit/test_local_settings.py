"""What is imported and parsed before tasks are forked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox.airflow import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys, json, pathlib
sys.argv = {argv!r}
import airflow_local_settings
names = [name for name in airflow_local_settings.PACKAGES if name not in sys.modules]
threads = len(list(pathlib.Path("/proc/self/task").iterdir())) if pathlib.Path("/proc/self/task").exists() else 1
print(json.dumps([names, any(name.partition(".")[0] == "sparkify" for name in sys.modules), threads]))
"""


def _imported(*argv: str) -> tuple[list[str], bool, int]:
    """Start a process of Airflow; return missing packages, whether the project is imported, and its threads."""
    script = SCRIPT.format(argv=["airflow", *argv])
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT / "plugins", capture_output=True, check=True)
    missing, project, threads = json.loads(run.stdout.splitlines()[-1])
    return missing, project, threads


@pytest.mark.parametrize("argv", [("scheduler", "--skip-serve-logs"), ("celery", "worker")])
def test_processes_that_fork_tasks_import_their_packages(argv: tuple[str, ...]) -> None:
    missing, project, threads = _imported(*argv)
    assert missing == []
    assert not project, "a task would run outdated code of the project"
    assert threads == 1, "a fork copies one thread only"


@pytest.mark.parametrize("argv", [("api-server",), ("-m", "scheduler")], ids=["api-server", "pytest -m scheduler"])
def test_other_processes_do_not_import_them(argv: tuple[str, ...]) -> None:
    missing, _, _ = _imported(*argv)
    assert "obstore.auth.boto3" in missing


# Import the project as the scheduler does, change something, and import it as a task does.
FORK = """
import os, sys
from pathlib import Path
sys.argv = ["airflow", "api-server"]
sys.path.append("plugins")
import airflow_local_settings
airflow_local_settings.PACKAGES = ()
airflow_local_settings.preload()
assert not [name for name in sys.modules if name.startswith("sparkify")], sys.modules
{change}
import sparkify.operators.parsed as module
import sparkify
folder = Path(sparkify.__spec__.origin).parents[1]
print(module.FILLED, module.VERSION, sparkify.operators.parsed is module, folder.name)
"""
MODULE = """
FILLED, VERSION = [], {version}
def fill(package, include):
    FILLED.append(include.name)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one module."""
    for plugins in (tmp_path / "plugins", tmp_path / "commit"):
        (plugins / "sparkify" / "operators").mkdir(parents=True)
        (plugins / "sparkify" / "__init__.py").touch()
        (plugins / "sparkify" / "operators" / "__init__.py").touch()
        (plugins / "sparkify" / "operators" / "parsed.py").write_text(MODULE.format(version=1))
    shutil.copy(ROOT / "plugins" / "airflow_local_settings.py", tmp_path / "plugins")
    return tmp_path


def _forked(project: Path, change: str) -> str:
    """Return what a task imports: what was parsed before, the version of the module, its identity, its folder."""
    command = [sys.executable, "-c", FORK.format(change=change)]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_task_gets_the_imported_project(project: Path) -> None:
    assert _forked(project, "") == "['include'] 1 True plugins"
    # Each DAG file puts the plugins beside it first.
    assert _forked(project, 'sys.path.insert(0, os.path.abspath("plugins"))') == "['include'] 1 True plugins"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('Path("plugins/sparkify/operators/parsed.py").write_text("FILLED, VERSION = [], 22")', "[] 22 True plugins"),
        ('Path("plugins/sparkify/unused.py").unlink()', "[] 1 True plugins"),
        ('sys.path.insert(0, os.path.abspath("commit"))', "[] 1 True commit"),
    ],
    ids=["changed", "deleted", "another commit"],
)
def test_a_task_imports_other_files_itself(project: Path, change: str, expected: str) -> None:
    (project / "plugins" / "sparkify" / "unused.py").touch()
    assert _forked(project, change) == expected


def test_a_project_that_cannot_be_imported_fails_its_tasks_only(project: Path) -> None:
    broken = project / "plugins" / "sparkify" / "broken.py"
    broken.write_text("raise RuntimeError")
    assert _forked(project, f"assert {str(broken)!r}") == "[] 1 True plugins"


def test_what_is_parsed_before_is_what_tasks_read() -> None:
    script = """
import json, sys
from pathlib import Path
sys.argv = ["airflow", "scheduler"]
import airflow_local_settings
import sparkify_warehouse
from sparkify.loading import strategy
from sparkify.quality import declaration
from sparkify.sql import templates
from sparkify.warehouse import ddl

def misses():
    return [cache.cache_info().misses for cache in (declaration._parse, ddl._read, ddl.parse, templates.environment)]

before = misses()
task = sparkify_warehouse.dag.get_task("create_tables")
task.resolve_template_files()
declaration.load(Path(task.checks))
ddl.read(*map(Path, task.ddl), indexes=task.postgres_sql)
compiled = templates.environment(Path(strategy.__file__).parent).cache
print(json.dumps([before, misses(), len(compiled)]))
"""
    environment = {**os.environ, "PYTHONPATH": "plugins:dags"}
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True)
    before, after, compiled = json.loads(run.stdout.splitlines()[-1])
    assert all(before)
    assert before == after
    assert compiled
