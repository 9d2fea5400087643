"""A month in one run, and the upgrade of its schema, on Redshift and on the local engine.

`make test-redshift` and `make proof` run these tests on a real Redshift, see test_workgroup.py.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import generate
from sparkify.warehouse import ddl
from tests.integration.schema.test_histories import write_release
from tests.redshift.workgroup import TIMEOUT
from tests.support.data import event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow.sdk import DAG

    from tests.redshift.conftest import OpenBoth
    from tests.redshift.workgroup import Both

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning"),  # of redshift_connector
    pytest.mark.timeout(TIMEOUT),
]


@pytest.fixture(scope="module")
def month(open_both: OpenBoth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Load a month of generated data by one run."""
    folder = tmp_path_factory.mktemp("generated")
    generate.write(generate.Options(users=12, songs=40, days=30), folder)
    with open_both() as both:
        for path in sorted(folder.rglob("*.json")):
            both.put("put", path.relative_to(folder).as_posix(), path.read_bytes())
        both.run("2018-11-01", "2018-12-01")
        yield both


def test_a_month_in_one_run_leaves_the_same_tables(month: Both) -> None:
    redshift, local = month.tables()
    assert len(local["songplays"]) > 2_000
    assert len({row[0] for row in local["daily_activity"]}) == 30
    assert redshift == local


def test_an_upgrade_of_the_schema_leaves_the_same_tables(month: Both, tmp_path: Path) -> None:
    """The next release adds, widens and retypes columns, and changes a sort key: tables are rebuilt."""
    release = write_release(tmp_path)
    dag = _dag(release)
    month.put("put_events", "2018-12-01", [event("2018-12-01T05:00:00", 1, 0), event("2018-12-01T06:00:00", 2, 0)])
    # The checks are those of this release: they compare text with the column that becomes a number.
    tasks = set(dag.task_ids) - {"data_quality", "publish_days"}
    month.run("2018-12-01", "2018-12-02", dag=dag, tasks=tasks, schema_changes="all")
    tables = {table.name: ", ".join(table.columns) for table in ddl.tables(release / "include" / "sql" / "ddl")}
    assert "country" in tables["users"]
    redshift, local = month.tables(tables)
    assert len(local["songplays"]) > 2_000
    assert {row[-1] for row in month.local.query("SELECT user_id, country FROM users")} == {"US"}
    assert redshift == local


def _dag(release: Path) -> DAG:
    """Return the DAG of a copy of the project."""
    spec = importlib.util.spec_from_file_location("next_release", release / "dags" / "sparkify_warehouse.py")
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = module.dag
    return dag
