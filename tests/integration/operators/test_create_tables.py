"""Creating tables is harmless to what is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.lab import TABLES
from tests.support.data import event, song

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY = ("2018-11-01", "2018-11-02")


def test_again_changes_nothing(lab: Lab) -> None:
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
    assert lab.run(*DAY, tasks=["create_tables"])["create_tables"]["statements"] == 4
    assert lab.run(*DAY, tasks=["create_tables"])["create_tables"]["statements"] == 0
    assert lab.one("SELECT COUNT(*) FROM pg_indexes WHERE indexname IN ('users_interval_time', 'songs_batch_id')") == 2


def test_a_table_of_another_schema_is_another_table(lab: Lab) -> None:
    with psycopg.connect(lab.uri) as connection:
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE TABLE other.users (user_id BIGINT)")
    lab.run(*DAY, tasks=["create_tables"])
    assert set(lab.counts()) == set(TABLES)


def test_recreating_forgets_everything_the_ledger_included(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.put_song("one", song("SO1"))
    lab.run(*DAY)
    lab.run(*DAY, tasks=["create_tables"], recreate_tables=True)
    assert set(lab.counts().values()) == {0}
    assert lab.run(*DAY)["stage_songs"]["objects"] == 1


def test_several_runs_may_create_at_once(lab: Lab) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: lab.run(*DAY, tasks=["create_tables"]), range(4)))
    assert set(lab.counts()) == set(TABLES)


def test_sort_keys_become_indexes(lab: Lab) -> None:
    lab.run(*DAY, tasks=["create_tables"])
    indexes = dict(lab.query("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'operations')"))
    assert indexes["staging_events_sortkey"].endswith("USING btree (interval_time)")
    assert indexes["staged_objects_sortkey"].endswith("USING btree (table_name, batch_id)")


def test_a_run_without_an_interval_fails_clearly(lab: Lab) -> None:
    with pytest.raises(AirflowFailException, match="This run has no interval"):
        lab.execute(lab.dag.get_task("create_tables"))
