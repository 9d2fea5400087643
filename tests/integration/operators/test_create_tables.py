"""Creating tables does not change existing objects."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.lab import TABLES
from sparkify.dag.run import InvalidRunError
from sparkify.operators import CreateTablesOperator
from tests.conftest import ROOT
from tests.support.data import event, song

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab

DDL = ROOT / "include" / "sql" / "ddl"
DAY = ("2018-11-01", "2018-11-02")


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY)
    before = lab.tables()
    lab.run(*DAY, tasks=["create_tables"])
    assert lab.tables() == before


def test_only_what_is_missing_is_created(lab: Lab) -> None:
    lab.run(*DAY, tasks=["create_tables"])
    with psycopg.connect(lab.uri) as connection:
        connection.execute("DROP TABLE users, operations.staged_periods")
        connection.execute("DROP INDEX songs_batch_id")
    # The two tables, an index of users, and that of songs.
    assert lab.run(*DAY, tasks=["create_tables"])["create_tables"]["schema_changes"] == 4
    assert lab.run(*DAY, tasks=["create_tables"])["create_tables"]["schema_changes"] == 0
    assert lab.one("SELECT COUNT(*) FROM pg_indexes WHERE indexname IN ('users_interval_time', 'songs_batch_id')") == 2


def test_a_table_of_another_schema_is_another_table(empty_lab: Lab) -> None:
    with psycopg.connect(empty_lab.uri) as connection:
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE TABLE other.users (user_id BIGINT)")
    empty_lab.run(*DAY, tasks=["create_tables"])
    assert set(empty_lab.counts()) == set(TABLES)


def test_recreating_deletes_everything_including_the_ledger(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.put_song("one", song("SO1"))
    lab.run(*DAY)
    lab.run(*DAY, tasks=["create_tables"], recreate_tables="recreate all tables")
    assert set(lab.counts().values()) == {0}
    assert lab.run(*DAY)["stage_songs"]["objects"] == 1


def test_recreating_only_keeps_the_history(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY)
    with psycopg.connect(lab.uri) as connection:
        connection.execute("INSERT INTO operations.backfill_summaries VALUES ('sparkify_warehouse', '2018-11-01')")
        connection.execute(
            "INSERT INTO operations.task_failures VALUES "
            "('sparkify_warehouse', 'r', 'manual', 'stage_events', 1, NULL, NULL, '2018-11-01', 'COPY failed')"
        )
    lab.run(*DAY, tasks=["create_tables"], recreate_tables="recreate all tables")
    names = [name for (name,) in lab.query("SELECT tablename FROM pg_tables WHERE schemaname = 'operations'")]
    assert len(names) == 14
    filled = {name for name in names if lab.one(f"SELECT COUNT(*) FROM operations.{name}")}
    assert filled == {"data_quality_results", "task_failures", "backfill_summaries", "table_definitions"}


def test_a_table_that_a_file_adds_is_created_and_dropped_as_the_others(empty_lab: Lab, tmp_path: Path) -> None:
    lab = empty_lab
    folder = shutil.copytree(DDL, tmp_path / "ddl")
    # A separate schema, in a file that sorts before that of its tables, and keys in an unusual syntax.
    (folder / "zoo.sql").write_text("CREATE SCHEMA IF NOT EXISTS marts;\n")
    (folder / "devices.sql").write_text(
        "-- CREATE TABLE IF NOT EXISTS not_this_one (id BIGINT);\n"
        "CREATE TABLE if not exists\n  marts.devices (device_id VARCHAR(8) NOT NULL, interval_time TIMESTAMP)\n"
        "SORTKEY (interval_time);\n"
    )
    create = CreateTablesOperator(task_id="create", ddl=[str(folder)], recreate="{{ params.recreate_tables or '' }}")
    lab.execute(create, start=DAY[0], end=DAY[1])
    with psycopg.connect(lab.uri) as connection:
        connection.execute("INSERT INTO marts.devices VALUES ('a', NULL)")
    assert lab.execute(create, start=DAY[0], end=DAY[1])["schema_changes"] == 0
    assert lab.one("SELECT COUNT(*) FROM marts.devices") == 1
    for typed in (True, "True", "recreate"):
        with pytest.raises(InvalidRunError, match=f"Nothing was done: .*type 'recreate all tables'; got '{typed}'"):
            lab.execute(create, start=DAY[0], end=DAY[1], recreate_tables=typed)
    assert lab.one("SELECT COUNT(*) FROM marts.devices") == 1
    lab.execute(create, start=DAY[0], end=DAY[1], recreate_tables="recreate all tables")
    assert lab.one("SELECT COUNT(*) FROM marts.devices") == 0


def test_invalid_ddl_is_reported_before_anything_is_done(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "devices.sql").write_text("CREATE TABLE devices (device_id BIGINT);\n")
    create = CreateTablesOperator(task_id="create", ddl=[str(tmp_path)])
    with pytest.raises(AirflowFailException, match=r"devices\.sql line 1: expected CREATE TABLE IF NOT EXISTS"):
        lab.execute(create, start=DAY[0], end=DAY[1])


def test_concurrent_runs_can_create_tables(empty_lab: Lab) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: empty_lab.run(*DAY, tasks=["create_tables"]), range(4)))
    assert set(empty_lab.counts()) == set(TABLES)


def test_sort_keys_become_indexes(lab: Lab) -> None:
    lab.run(*DAY, tasks=["create_tables"])
    indexes = dict(lab.query("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'operations')"))
    assert indexes["staging_events_sortkey"].endswith("USING btree (interval_time)")
    assert indexes["staged_objects_sortkey"].endswith("USING btree (table_name, batch_id)")


def test_a_run_without_an_interval_fails_clearly(lab: Lab) -> None:
    with pytest.raises(InvalidRunError, match="This run has no interval"):
        lab.execute(lab.dag.get_task("create_tables"))
