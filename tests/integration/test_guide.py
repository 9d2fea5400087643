"""README's recipes work in a copy of the project, without any other change."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.support.data import event

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab

DAY = ("2018-11-01", "2018-11-02")
IGNORED = shutil.ignore_patterns(".git", ".venv*", ".local", "__pycache__", ".*_cache", ".hypothesis", "images")
# The project's policies, for the added files; make check-project covers the rules of SQL for the others.
TESTS = [
    "-k",
    "devices or locations or pages or not test_files_obey_the_rules",
    "tests/unit/test_sql.py",
    "tests/unit/dags/test_sparkify_warehouse.py",
    "tests/unit/quality/test_declaration.py",
    "tests/unit/dags/test_policy.py::test_the_files_of_tasks_exist",
    "tests/unit/dags/test_policy.py::test_every_source_that_is_partitioned_by_time_is_reconciled",
    "tests/unit/dags/test_policy.py::test_tasks_are_retried_with_exponential_backoff",
    "tests/unit/dags/test_policy.py::test_failures_and_missed_deadlines_are_alerted",
    "tests/integration/test_statements.py",
    "tests/integration/operators/test_data_quality.py::test_every_shipped_check_has_a_test_of_its_damage",
]
LOAD = "import sys; from sandbox.lab import Lab; Lab(sys.argv[3], None, sys.argv[4], {}).run(*sys.argv[1:3])"
# Runs on the database and the bucket of the test, with the files of the copy.
PROGRAM = """
import json, sys
import psycopg
from rich.console import Console
from sandbox.lab import TABLES, Lab
from sandbox.terminal import Terminal
from sparkify.web import panels

day = sys.argv[1:3]
lab = Lab(sys.argv[3], None, sys.argv[4], {})
found = {"tables": sorted(TABLES), "run": lab.run(*day), "devices": lab.query("SELECT user_agent FROM devices")}
results = "FROM operations.data_quality_results WHERE table_name = 'devices'"
found["checks"] = lab.query(f"SELECT check_name, outcome {results}")
found["ratings"] = lab.query("SELECT user_id, stars, rated_at FROM staging_ratings")
found["locations"] = lab.query(
    "SELECT valid_from, valid_to, is_current, location FROM locations_history ORDER BY valid_from"
)
found["pages"] = lab.query("SELECT day, page, requests, visitors FROM daily_pages")
found["again"] = lab.run(*day)["create_tables"]["schema_changes"]
found["panel"] = [vars(panels.declared()["devices"]), panels.read("devices")["rows"]]
found["counts"] = [row[:2] for row in panels.read("tables")["rows"]]
console = Console(record=True, width=200)
Terminal(console).results(sys.argv[3], [])
lab.execute(lab.dag_of("sparkify_report").get_task("write_report"), run={"partition_key": day[0]})
found["terminal"] = console.export_text()
with psycopg.connect(sys.argv[3]) as connection:
    connection.execute("INSERT INTO devices VALUES ('without events', 'x', '1999-01-01', '1999-01-01', '')")
lab.run(*day)
found["merged"] = lab.one("SELECT COUNT(*) FROM devices")
lab.run(*day, full_refresh=True)
found["rebuilt"] = lab.one("SELECT COUNT(*) FROM devices")
lab.run(*day, tasks=["create_tables"], recreate_tables="recreate all tables")
found["recreated"] = lab.one("SELECT COUNT(*) FROM devices")
print("found:" + json.dumps(found, default=str))
"""


def recipes() -> list[tuple[str, str]]:
    """Return the code blocks of README's "Make it yours", each with the file named before it."""
    section = (ROOT / "README.md").read_text().partition("## Make it yours\n")[2].partition("\n## ")[0]
    found = re.findall(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)```\n", section, re.DOTALL)
    assert len(found) == section.count("```") / 2, "expected one code block per file name"
    assert {path.partition("/")[0] for path, _ in found} == {"include", "dags"}
    return found


def apply(block: str, file: Path) -> None:
    """Insert a block at its first line if the file contains that line once, else append it."""
    text = file.read_text() if file.exists() else ""
    first = block.partition("\n")[0] + "\n"
    file.write_text(text.replace(first, block) if text.count(first) == 1 else text + block)


def tree(root: Path) -> dict[str, str]:
    """Return the files of a folder, each with a hash of its content."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not {"__pycache__", ".hypothesis"} & set(path.parts)
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the project."""
    return shutil.copytree(ROOT, tmp_path / "project", ignore=IGNORED)


def python(project: Path, *arguments: str) -> str:
    """Run Python in a copy of the project; return its output."""
    path = os.pathsep.join(str(project / folder) for folder in ("plugins", "dags", "."))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture
def lab(empty_lab: Lab) -> Lab:
    """Return a lab in which the copy creates its tables."""
    return empty_lab


@pytest.mark.slow
def test_the_recipes_are_complete(project: Path, lab: Lab) -> None:
    before = tree(project)
    agents = ["Mozilla/5.0 (X11) Firefox/31.0", "Mozilla/5.0 (iPad) Mobile Safari/9537.53"]
    places = ["Oslo", "Bergen"]
    lab.put_events(
        "2018-11-01",
        [event(f"2018-11-01T05:0{n}", 1, n, userAgent=agents[n > 1], location=places[n > 1]) for n in range(3)],
    )
    created: set[str] = set()
    for name, block in recipes():
        if name == "include/sql/ddl/devices.sql" and name in created:  # the table is changed when it has rows
            python(project, "-c", LOAD, *DAY, lab.uri, lab.bucket)
            assert lab.one("SELECT COUNT(*) FROM devices") == 2
        apply(block, project / name)
        created.add(name)
    assert "No violations" in python(project, "-m", "sql_rules.project")
    assert re.search(r"\d passed", python(project, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *TESTS))

    lab.put("ratings/2018/11/01/05/1.json", json.dumps({"user_id": 8, "stars": 5, "rated_at": "2018-11-01T05:30:00Z"}))
    # No event is staged again: the changed table is filled from what was staged before.
    python(project, "-c", LOAD, "2018-11-02", "2018-11-03", lab.uri, lab.bucket)
    assert lab.query("SELECT is_mobile FROM devices ORDER BY user_agent") == [(False,), (True,)]
    printed = python(project, "-c", PROGRAM, *DAY, lab.uri, lab.bucket)
    found: dict[str, Any] = json.loads(printed.rpartition("found:")[2])
    assert "devices" in found["tables"]
    assert found["run"]["load_devices"]["rows"] == 2
    assert sorted(agent for (agent,) in found["devices"]) == agents
    assert found["run"]["stage_ratings"] | {"seconds": 0} == {
        "rows": 1, "strays": 0, "late": 0, "rejected": 0, "files": 1, "empty": 0, "seconds": 0
    }  # fmt: skip
    assert found["ratings"] == [[8, 5, "2018-11-01 05:30:00"]]
    assert {*map(tuple, found["checks"])} == {("no duplicate devices", "passed")}
    assert found["locations"] == [
        ["2018-11-01 05:00:00", "2018-11-01 05:02:00", False, "Oslo"],
        ["2018-11-01 05:02:00", None, True, "Bergen"],
    ]
    assert found["pages"] == [["2018-11-01", "NextSong", 3, 1]]
    assert found["again"] == 0
    note = "The ten user agents with the most plays."
    assert found["panel"] == [
        {"name": "devices", "title": "Devices by plays", "note": note, "has_days": False, "metrics": []},
        [[agents[0], 2], [agents[1], 1]],
    ]
    assert ["devices", 2] in found["counts"]
    assert re.search(r"New devices by day.*?2018-11-01 +2\s", found["terminal"], re.DOTALL)
    assert re.search(r"\bdevices +2\s", found["terminal"])
    page = bytes(lab.store.get("reports/2018/11/2018-11-01.html").bytes()).decode()
    assert re.search(r"<h2>New devices</h2>.*?Firefox/31.0.*?05:00.*?Safari/9537.53", page, re.DOTALL)
    assert (found["merged"], found["rebuilt"], found["recreated"]) == (3, 2, 0)

    after = tree(project)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == {name for name, _ in recipes()}
