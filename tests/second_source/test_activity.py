"""A second source, with other files, keys and tables: the documentation is sufficient to load it."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from sql_rules.files import check
from tests.second_source.activity import HERE, dag
from tests.second_source.records import TABLES, Record, expected, put, some, utc

if TYPE_CHECKING:
    from sandbox.lab import Lab

START = utc("2015-01-01")
DAY = ("2015-01-01", "2015-01-02")
STAGE = ["create_tables", "stage_activity"]


@pytest.fixture
def lab(empty_lab: Lab) -> Lab:
    """Return a lab in which the DAG creates its tables."""
    return empty_lab


def at(hour: int, event: int, time: str | None = None, **fields: Any) -> Record:
    """Return an event of an hour's file."""
    file = START + timedelta(hours=hour)
    return Record(file, event, datetime.fromisoformat(time) if time else file.replace(tzinfo=None), **fields)


def run(lab: Lab, *hours: float, **params: Any) -> dict[str, Any]:
    """Run the DAG for an hour or a range; return the results of its tasks."""
    start, end = hours if len(hours) == 2 else (hours[0], hours[0] + 1)
    return lab.run(*(f"{START + timedelta(hours=hour):%Y-%m-%dT%H:%M}" for hour in (start, end)), dag=dag, **params)


def test_the_dag_can_be_serialized() -> None:
    assert DagSerialization.from_dict(DagSerialization.to_dict(dag)).dag_id == "activity"


def test_its_sql_is_portable() -> None:
    files = sorted([*HERE.glob("sql/**/*.sql"), *HERE.glob("checks/*.yaml")])
    assert len(files) == 15
    assert check(files) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_tables_match_those_computed_in_python(lab: Lab, seed: int) -> None:
    records = some(Random(seed), START, 26, 1500)
    assert max(len(record.json()) for record in records) > 100_000
    put(lab, records)
    results = run(lab, 0, 26)
    assert lab.tables(TABLES) == expected(records)
    assert results["stage_activity"]["files"] == 26
    assert results["stage_activity"]["rows"] == len(records)
    assert results["stage_activity"]["strays"] == sum(
        record.at.replace(minute=0, second=0) != record.file.replace(tzinfo=None) for record in records
    )
    assert results["data_quality"]["failed"] == 0


def test_hourly_runs_result_in_the_same_tables_as_a_range(lab: Lab) -> None:
    records = some(Random(7), START, 26, 400)
    put(lab, records)
    hours = list(range(26))
    Random(7).shuffle(hours)
    for hour in hours:
        run(lab, hour)
    assert lab.tables(TABLES) == expected(records)
    run(lab, 0, 26, full_refresh=True)
    assert lab.tables(TABLES) == expected(records)


def test_values_of_members(lab: Lab) -> None:
    """Absent members are NULL at any level; members without a column may have any value."""
    bare = (
        '{"id": 7, "created_at": "2015-01-01T00:00:00Z", "payload": {}, "actor": {}, "other": [[{"id": 1}], "\\u0000"]}'
    )
    nulls = (
        '{"id": "8", "created_at": "2015-01-01T00:00:01Z", "type": null, "payload": {"size": null}, "public": false, '
        '"actor": {"id": null}, "repo": {"id": "5", "name": "größer/夜"}}'
    )
    put(lab, [], (START, bare), (START, nulls))
    run(lab, 0)
    assert lab.tables(TABLES)["activities"] == [
        (7, datetime(2015, 1, 1), None, None, None, None, None, None),  # noqa: DTZ001 - UTC
        (8, datetime(2015, 1, 1, 0, 0, 1), None, None, 5, None, None, False),  # noqa: DTZ001
    ]
    assert lab.tables(TABLES)["repositories"] == [(5, "größer/夜", None)]
    assert lab.tables(TABLES)["actors"] == []


@pytest.mark.parametrize(
    "parts",
    [(b"%b\n%b\n",), (b"%b\r\n%b\r\n",), (b"%b\n%b",), (b"%b\n\n", b"", b"%b\n"), (b"%b", b"\n%b\n")],
    ids=["lines", "CR LF", "no end of the last line", "three gzip members", "a member that ends within a line"],
)
def test_supported_file_formats(lab: Lab, parts: tuple[bytes, ...]) -> None:
    put(lab, [])
    lines = iter([at(5, 1, words="🎉" * 30_000).json().encode(), at(5, 2).json().encode()])
    members = [part % tuple(islice(lines, part.count(b"%b"))) for part in parts]
    lab.put("events/2015-01-01-5.json.gz", b"".join(map(gzip.compress, members)))
    run(lab, 5)
    assert lab.query("SELECT event_id FROM activities ORDER BY 1") == [(1,), (2,)]


def test_a_file_is_found_by_its_whole_key(lab: Lab) -> None:
    """2015-01-01-1 is a prefix of 2015-01-01-10: COPY loads all keys with the prefix FROM."""
    put(lab, [at(hour, hour) for hour in (0, 1, 2, 10, 11, 19, 20, 23)])
    for hour, events in ((1, [1]), (10, [1, 10]), (2, [1, 2, 10]), (3, [1, 2, 10])):
        result = run(lab, hour, tasks=STAGE)["stage_activity"]
        assert (result["files"], result["rows"], result["strays"]) == ((0, 0, 0) if hour == 3 else (1, 1, 0))
        assert lab.query("SELECT event_id FROM staging_activity ORDER BY 1") == [(event,) for event in events]


def test_a_scheduled_run_covers_the_hour_that_it_closes(lab: Lab) -> None:
    """A file that arrives between the end of its hour and the start of the run is loaded completely."""
    put(lab, [at(4, 4)])
    run(lab, 4.25, 5.25)
    put(lab, [at(4, 4), at(5, 5), at(5, 6, "2015-01-01T05:59:59")])
    run(lab, 5.25, 6.25)
    assert lab.query("SELECT event_id FROM activities ORDER BY 1") == [(4,), (5,), (6,)]


def test_a_file_that_arrives_later_is_loaded_by_the_run_that_closes_the_day(lab: Lab) -> None:
    run(lab, 5.25, 6.25)
    put(lab, [at(5, 5), at(23, 23)])
    results = run(lab, 23.25, 24.25)
    assert results["stage_activity"]["late"] == 2
    assert lab.query("SELECT event_id FROM activities ORDER BY 1") == [(5,), (23,)]


def test_a_late_event_belongs_to_the_hour_of_its_file(lab: Lab) -> None:
    put(lab, [at(5, 1, "2015-01-01T03:30:00"), at(5, 2)])
    run(lab, 3)
    assert lab.one("SELECT COUNT(*) FROM activities") == 0
    assert run(lab, 5)["stage_activity"]["strays"] == 1
    assert lab.one("SELECT COUNT(*) FROM activities") == 2
    run(lab, 3)
    assert lab.one("SELECT COUNT(*) FROM activities") == 2


def test_a_renamed_repository_keeps_its_latest_name_after_a_backfill(lab: Lab) -> None:
    put(lab, [at(2, 1, name="o/old"), at(9, 2, name="o/new"), at(11, 3, name=None)])
    for hour in (9, 11, 2):
        run(lab, hour)
    assert lab.query("SELECT name FROM repositories") == [("o/new",)]
    put(lab, [at(2, 1, name="o/old"), at(11, 3, name=None)])
    run(lab, 9, accept_vanished=True)
    assert lab.query("SELECT name FROM repositories") == [("o/old",)]


BROKEN = {
    "no id": ('{"created_at": "2015-01-01T05:00:00Z"}', "event_id", 1213),
    "no time": ('{"id": "1"}', "created_at", 1213),
    "an id of words": ('{"id": "one", "created_at": "2015-01-01T05:00:00Z"}', "event_id", 1207),
    "a time of words": ('{"id": "1", "created_at": "noon"}', "created_at", 1206),
    "cut off": ('{"id": "1", "created_at": "2015-01-01T05', None, 1216),
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_invalid_line_is_rejected_with_its_location_and_the_others_are_loaded(lab: Lab, what: str) -> None:
    line, column, code = BROKEN[what]
    five = START + timedelta(hours=5)
    put(lab, [at(5, 1), at(5, 2)], (five, line))
    with pytest.raises(AirflowFailException, match="More than 0 rows"):
        run(lab, 5)
    checked = run(lab, 5, max_errors=1)["data_quality"]
    assert (checked["failed"], checked["warned"]) == (0, 1)
    assert lab.one("SELECT COUNT(*) FROM activities") == 2
    assert lab.query("SELECT file_name, line_number, column_name, error_code FROM operations.rejected_rows") == [
        (f"s3://{lab.bucket}/events/2015-01-01-5.json.gz", 3, column, code)
    ]


DAMAGES = {
    "events match the staged events": "DELETE FROM activities WHERE event_id = 3",
    "no duplicate events": "ALTER TABLE activities DROP CONSTRAINT activities_pkey; "
    "INSERT INTO activities SELECT * FROM activities WHERE event_id = 3",
    "every actor is in actors": "DELETE FROM actors WHERE actor_id = 3",
    "every repository is in repositories": "DELETE FROM repositories",
    "no duplicate actors": "ALTER TABLE actors DROP CONSTRAINT actors_pkey; "
    "INSERT INTO actors SELECT * FROM actors WHERE actor_id = 3",
    "the number of commits is plausible": "UPDATE activities SET commits = -1 WHERE event_id = 3",
}


@pytest.mark.parametrize("check_name", DAMAGES)
def test_damage_is_detected_by_its_check(lab: Lab, check_name: str) -> None:
    put(lab, [at(5, number, actor=number) for number in range(1, 6)])
    assert run(lab, 5)["data_quality"]["failed"] == 0
    with psycopg.connect(lab.uri) as connection:
        connection.execute(DAMAGES[check_name])
    with pytest.raises(AirflowFailException, match=f"{check_name}: "):
        run(lab, 5, tasks=["data_quality"])


def test_it_coexists_with_the_first_source(lab: Lab) -> None:
    """Both DAGs record what they staged in the tables of ddl/operations."""
    put(lab, [at(5, 1)])
    run(lab, 5)
    lab.run(*DAY)
    run(lab, 5)
    assert lab.one("SELECT COUNT(*) FROM activities") == 1
    assert lab.query("SELECT DISTINCT dag_id FROM operations.data_quality_results ORDER BY 1") == [
        ("activity",),
        ("sparkify_warehouse",),
    ]
