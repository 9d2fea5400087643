"""The project's modules that a task imports if the connection has type redshift."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conftest import ROOT
from tests.redshift.test_dag import DAY, fill

if TYPE_CHECKING:
    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

# The endpoint imports the project's COPY for PostgreSQL, so the client runs in another process.
CLIENT = f"""
import json
import sys
from sandbox.lab import Lab
Lab("", None, sys.argv[1], {{}}).run(*{DAY!r}, tasks=sys.argv[2:])
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] == "sparkify")))
"""


def imported(lab: Lab, *tasks: str) -> set[str]:
    """Run tasks of the DAG in a new interpreter; return the modules of ``sparkify`` that it imported."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("plugins", "dags", "."))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CLIENT, lab.bucket, *tasks],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_tasks_on_redshift_do_not_import_the_postgres_engine(empty_redshift: Lab, endpoint: Endpoint) -> None:
    fill(empty_redshift)
    modules = imported(empty_redshift, "create_tables", "stage_events", "stage_songs", "load_songs", "load_songplays")
    assert len(endpoint.statements("COPY landing_1")) == 2  # both sources were staged
    assert empty_redshift.one("SELECT COUNT(*) FROM songplays") == 61
    assert {name for name in modules if name.startswith("sparkify.warehouse.postgres")} == set()
    assert {name for name in modules if name.startswith("sparkify.warehouse.")} == {
        "sparkify.warehouse.catalogue",
        "sparkify.warehouse.copy_result",
        "sparkify.warehouse.ddl",
        "sparkify.warehouse.errors",
        "sparkify.warehouse.iam",
        "sparkify.warehouse.redshift",
        "sparkify.warehouse.secrets",
        "sparkify.warehouse.session",
        "sparkify.warehouse.transactions",
        "sparkify.warehouse.unreachable",
    }
    # alerts: the DAG file imports the notifier. quality: create_tables validates the declarations.
    assert {name.split(".")[1] for name in modules if "." in name} == {
        *("alerts", "dag", "interval", "loading", "operators", "quality", "s3", "schema", "sql", "staging", "warehouse")
    }


def test_a_staging_task_imports_neither_checks_nor_web(redshift: Lab) -> None:
    fill(redshift)
    redshift.run(*DAY, tasks=["create_tables"])
    modules = imported(redshift, "stage_events")
    assert {name for name in modules if name.startswith("sparkify.warehouse.postgres")} == set()
    # The type of an alert event.
    assert {name for name in modules if name.startswith("sparkify.quality.")} == {"sparkify.quality.result"}
    assert {name.split(".")[1] for name in modules if "." in name} == {
        *("alerts", "dag", "interval", "loading", "operators", "quality", "s3", "schema", "sql", "staging", "warehouse")
    }
