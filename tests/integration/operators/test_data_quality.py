"""Every shipped check passes on valid data and fails on the damage it detects; results are recorded."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.generate import Options, write
from sandbox.upload import sync
from sparkify.operators import DataQualityOperator
from sparkify.quality.declaration import load
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.unit.test_sql import DESIGN

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab
    from tests.conftest import CopyOf

CHECKS = ROOT / "include" / "checks"
DAY = ("2018-11-08", "2018-11-09")
HOUR = timedelta(hours=1)
UNENFORCED = "ALTER TABLE {0} DROP CONSTRAINT {0}_pkey; INSERT INTO {0} SELECT * FROM {0}"
REJECT = (
    "INSERT INTO operations.rejected_rows VALUES ('{}', {}, 'run', TIMESTAMP '2018-11-08', 'file', 3, 'ts', 1206, "
    "'bad', '', '')"
)
# Timestamps that no client can represent, one that sorts last, and one that is out of bounds.
TIMES = ("10001-01-01", "0044-03-15 BC", "9999-12-31 23:59:59", "1969-12-31")
WEEKS_AGO = (
    "INSERT INTO songplays (songplay_id, start_time, session_id, interval_time, row_version) "
    "SELECT MD5(n::text), TIMESTAMP '2018-11-01 10:00', n, TIMESTAMP '2018-11-01 10:00', '' "
    "FROM generate_series(1, {}) AS n"
)

# Aggregates by day or hour, each with its check of duplicates.
AGGREGATES = {
    "daily_activity": "one row per day and level",
    "daily_songs": "one row per day and song",
    "daily_users": "one row per day and user",
    "hourly_plays": "one row per hour, level and browser",
}
# The history has one span: it ends too early, is said not to be current, is overlapped by another, or has a successor.
SECOND_SPAN = (
    "CREATE TEMP TABLE later AS SELECT * FROM users_history; "
    "UPDATE later SET valid_from = valid_from + INTERVAL '1 hour'; "
    "INSERT INTO users_history SELECT * FROM later"
)
SPANS = [
    "UPDATE users_history SET valid_to = valid_from + INTERVAL '1 hour'",
    "UPDATE users_history SET is_current = FALSE",
    SECOND_SPAN,
    f"{SECOND_SPAN}; UPDATE users_history SET valid_to = valid_from + INTERVAL '59 minutes', is_current = FALSE "
    "WHERE valid_from = (SELECT MIN(valid_from) FROM users_history)",
]
NOT_CURRENT = [
    *(f"UPDATE users_history SET {column} = 'x'" for column in ("first_name", "last_name", "gender", "level")),
    "UPDATE users SET level = NULL",
    "DELETE FROM users_history",
]

# By table and check: the damage that it must detect.
DAMAGE: dict[tuple[str, str], list[str]] = {
    ("staging_events", "no event was rejected"): [REJECT.format("staging_events", "'2018-11-08', NULL")],
    ("staging_events", "every user of an event is in users"): ["DELETE FROM users"],
    ("staging_events", "every event has a valid timestamp"): [
        f"UPDATE staging_events SET ts = '{time}'" for time in TIMES
    ],
    ("staging_events", "the log has the declared fields"): [
        "DELETE FROM operations.source_fields WHERE field_name = 'userAgent'",
        "UPDATE operations.source_fields SET field_name = 'agent', column_name = NULL WHERE field_name = 'userAgent'",
        "UPDATE operations.source_fields SET json_type = 'boolean' WHERE field_name = 'auth'",
        "UPDATE operations.source_fields SET json_type = 'null' WHERE field_name = 'page'",
    ],
    ("staging_songs", "the catalogue has the declared fields"): [
        "DELETE FROM operations.source_fields WHERE field_name = 'title'",
        "UPDATE operations.source_fields SET json_type = 'object' WHERE field_name = 'year'",
    ],
    ("staging_songs", "no song was rejected"): [REJECT.format("staging_songs", "NULL, 1")],
    ("staging_songs", "every staged song is in songs"): ["DELETE FROM songs"],
    ("staging_events", "no code has trailing blanks"): [
        f"UPDATE staging_events SET {column} = {column} || ' '" for column in ("page", "level", "gender")
    ],
    ("staging_songs", "no id has trailing blanks"): [
        f"UPDATE staging_songs SET {column} = {column} || ' '" for column in ("song_id", "artist_id")
    ],
    ("songplays", "plays match the staged events"): [
        "DELETE FROM songplays",
        "UPDATE songplays SET songplay_id = 'other'",
        "DELETE FROM staging_events",
        "UPDATE staging_events SET page = 'Home'",
    ],
    ("songplays", "no duplicate plays"): [UNENFORCED.format("songplays")],
    ("songplays", "no duplicate plays in the whole table"): [UNENFORCED.format("songplays")],
    ("songplays", "every play has a user"): ["UPDATE songplays SET user_id = NULL"],
    ("songplays", "every level is free or paid"): [
        "UPDATE songplays SET level = 'gold'",
        "UPDATE songplays SET level = NULL",
    ],
    ("songplays", "every player is in users"): ["DELETE FROM users"],
    ("songplays", "every start time is in time"): ["DELETE FROM time"],
    ("songplays", "every linked song is in songs"): ["DELETE FROM songs"],
    ("songplays", "every linked artist is in artists"): ["DELETE FROM artists"],
    ("songplays", "play volume is similar to earlier weeks"): [WEEKS_AGO.format(100)],
    ("songplays", "the latest play is at most two days old"): [
        "UPDATE songplays SET start_time = start_time - INTERVAL '2 days'",
        "DELETE FROM songplays",
    ],
    ("songplays", "every play has a valid timestamp"): [
        f"UPDATE songplays SET start_time = '{time}'" for time in TIMES
    ],
    ("users", "every level is free or paid"): ["UPDATE users SET level = ''", "UPDATE users SET level = NULL"],
    ("users", "no duplicate users in the interval"): [UNENFORCED.format("users")],
    ("users", "no duplicate users"): [UNENFORCED.format("users")],
    ("songs", "the catalogue is not empty"): ["DELETE FROM songs"],
    ("songs", "no duplicate songs"): [UNENFORCED.format("songs")],
    ("songs", "every song has a title and an artist"): [
        "ALTER TABLE songs ALTER title DROP NOT NULL; UPDATE songs SET title = NULL",
        "ALTER TABLE songs ALTER artist_id DROP NOT NULL; UPDATE songs SET artist_id = NULL",
    ],
    ("songs", "every duration is between 0.1 s and a day"): [
        "UPDATE songs SET duration = 0",
        "UPDATE songs SET duration = 90000",
    ],
    ("songs", "every year is valid, or 0 for unknown"): [
        "UPDATE songs SET year = -1",
        "UPDATE songs SET year = 20180",
    ],
    ("songs", "every song's artist is in artists"): ["DELETE FROM artists"],
    ("artists", "no duplicate artists"): [UNENFORCED.format("artists")],
    ("artists", "every artist has a name"): [
        "ALTER TABLE artists ALTER name DROP NOT NULL; UPDATE artists SET name = NULL"
    ],
    ("artists", "every latitude is valid"): [
        "UPDATE artists SET latitude = 91",
        "UPDATE artists SET latitude = -91",
    ],
    ("artists", "every longitude is valid"): [
        "UPDATE artists SET longitude = 181",
        "UPDATE artists SET longitude = -181",
    ],
    ("staging_events", "no file has shrunk"): ["UPDATE operations.staged_periods SET shrunk_from = 2 * size_bytes"],
    ("time", "every date part matches its start time"): [
        "UPDATE time SET weekday = 0",
        "UPDATE time SET week = 54",
        "UPDATE time SET hour = hour + 1",
        "UPDATE time SET day = 9",
        "UPDATE time SET month = 12",
        "UPDATE time SET year = 2019",
    ],
    ("time", "every start time is valid"): [f"UPDATE time SET start_time = '{time}'" for time in TIMES],
    ("time", "no duplicate start times"): [UNENFORCED.format("time")],
    ("songplays", "every level is that of the user's history"): [
        "UPDATE users_history SET level = 'paid'",
        "UPDATE users_history SET level = NULL",
        "UPDATE users_history SET valid_from = valid_from + INTERVAL '1 second'",
        "UPDATE songplays SET level = 'paid'",
        "DELETE FROM users_history",
    ],
    ("users_history", "every level is free, paid or missing"): ["UPDATE users_history SET level = 'gold'"],
    ("users_history", "spans have no gaps and no overlaps"): SPANS,
    ("users_history", "spans of all users have no gaps and no overlaps"): SPANS,
    ("users_history", "the current span of a user equals users"): NOT_CURRENT,
    ("users_history", "the current span of every user equals users"): NOT_CURRENT,
    ("users_history", "every user of a span is in users"): ["DELETE FROM users"],
    ("events", "plays match songplays"): [
        "DELETE FROM events",
        "DELETE FROM songplays",
        "UPDATE events SET page = 'Home'",
        "UPDATE events SET item_in_session = 7",
        "UPDATE events SET event_time = event_time + INTERVAL '1 second'",
        "UPDATE events SET level = 'paid'",
        "UPDATE events SET user_id = NULL",
        "UPDATE songplays SET user_id = 9",
    ],
    ("events", "no duplicate events"): [UNENFORCED.format("events")],
    ("events", "no duplicate events in the whole table"): [UNENFORCED.format("events")],
    ("events", "every level is free, paid or unknown"): ["UPDATE events SET level = 'gold'"],
    ("events", "every event is counted in its session"): ["UPDATE sessions SET pages = 3", "DELETE FROM sessions"],
    ("events", "daily and hourly figures add up to the events"): [
        damage for table in AGGREGATES for damage in (f"UPDATE {table} SET plays = plays + 1", f"DELETE FROM {table}")
    ],
    ("sessions", "no duplicate sessions"): [UNENFORCED.format("sessions")],
    ("sessions", "sessions cover all events"): [
        "UPDATE sessions SET plays = 3",
        "DELETE FROM sessions",
        "DELETE FROM events",
    ],
    ("sessions", "no session ends before it begins"): ["UPDATE sessions SET duration = -1"],
    ("sessions", "every level at the start is free, paid or unknown"): ["UPDATE sessions SET level_at_start = 'gold'"],
    ("sessions", "every level at the end is free, paid or unknown"): ["UPDATE sessions SET level_at_end = 'gold'"],
    **{(table, check): [damage] for table, check in AGGREGATES.items() for damage in (UNENFORCED.format(table),)},
    **{
        (table, "plays add up to the events"): [
            f"UPDATE {table} SET plays = plays + 1",
            f"DELETE FROM {table}",
            "DELETE FROM events",
        ]
        for table in AGGREGATES
    },
    ("monthly_songs", "one row per month and song"): [UNENFORCED.format("monthly_songs")],
    ("monthly_songs", "plays add up to the days"): [
        "UPDATE monthly_songs SET plays = plays + 1",
        "DELETE FROM monthly_songs",
        "DELETE FROM daily_songs",
    ],
}


def load_day(lab: Lab) -> None:
    """Load a play and a song."""
    lab.put_events("2018-11-08", [event("2018-11-08T05:10")])
    lab.put_song("one", song("SO1"))
    lab.run(*DAY)


@pytest.fixture
def loaded(copy_of: CopyOf) -> Lab:
    """Return a lab with a play and a song."""
    return copy_of(load_day)


def damage(lab: Lab, sql: str) -> None:
    with psycopg.connect(lab.uri) as connection:
        connection.execute(sql)


def checked(lab: Lab, scope: str = "interval", start: str = DAY[0], end: str = DAY[1]) -> dict[tuple[str, str], Any]:
    """Evaluate the checks of a scope; return the results by table and check."""
    dag_id, task_id = {"interval": ("sparkify_warehouse", "data_quality"), "table": ("sparkify_audit", "audit")}[scope]
    try:
        lab.run(start, end, tasks=[task_id], dag_id=dag_id)
        failed = False
    except AirflowFailException:
        failed = True
    outcomes = lab.xcoms[task_id]["checks"]
    assert failed is any(not item["passed"] and item["severity"] == "error" for item in outcomes)
    return {(item["table"], item["check"]): item for item in outcomes}


def test_every_shipped_check_has_a_test_of_its_damage() -> None:
    assert set(DAMAGE) == {(check.table, check.name) for check in load(CHECKS) if check.table in DESIGN}


@pytest.mark.parametrize(
    ("table", "check", "sql"),
    [(*of, sql) for of, damages in DAMAGE.items() for sql in damages],
    ids=lambda text: text[:50],
)
def test_damaged_data_fails_the_check(loaded: Lab, table: str, check: str, sql: str) -> None:
    (declared,) = [item for item in load(CHECKS) if (item.table, item.name) == (table, check)]
    damage(loaded, sql)
    outcome = checked(loaded, declared.scope)[table, check]
    assert not outcome["passed"]
    assert (outcome["why"], outcome["remedy"]) == (declared.why, declared.remedy)


@pytest.mark.parametrize("scope", ["interval", "table"])
def test_valid_data_passes_all_checks(loaded: Lab, scope: str) -> None:
    assert [of for of, outcome in checked(loaded, scope).items() if not outcome["passed"]] == []


@pytest.mark.parametrize("scope", ["interval", "table"])
def test_an_empty_hour_passes(loaded: Lab, scope: str) -> None:
    outcomes = checked(loaded, scope, "2018-11-08T06:00", "2018-11-08T07:00")
    assert all(outcome["passed"] for outcome in outcomes.values())


def test_damage_in_other_intervals_is_ignored(loaded: Lab) -> None:
    damage(loaded, "UPDATE songplays SET level = 'gold'")
    outcomes = checked(loaded, "interval", "2018-11-08T06:00", "2018-11-08T07:00")
    assert all(outcome["passed"] for outcome in outcomes.values())


def test_all_checks_run_and_failures_have_rows_and_a_remedy(loaded: Lab) -> None:
    damage(loaded, "UPDATE songplays SET level = 'gold'; UPDATE time SET weekday = 0")
    with pytest.raises(AirflowFailException) as caught:
        loaded.run(*DAY, tasks=["data_quality"])
    message = str(caught.value)
    assert "4 of 26 data quality checks failed for [2018-11-08 00:00, 2018-11-09 00:00)" in message
    assert "- songplays: every level is free or paid: 1 of 1 rows, expected none. Revenue reports split" in message
    assert "'level': 'gold'" in message
    assert "- time: every date part matches its start time: 1 of 1 rows, expected none." in message


@pytest.mark.parametrize("time", TIMES)
def test_rows_with_invalid_timestamps_are_shown(loaded: Lab, time: str) -> None:
    damage(loaded, f"UPDATE songplays SET level = 'gold', start_time = '{time}'; UPDATE time SET start_time = '{time}'")
    with pytest.raises(AirflowFailException, match="every level is free or paid: 1 of 1 rows"):
        loaded.run(*DAY, tasks=["data_quality"])
    outcomes = {(item["table"], item["check"]): item for item in loaded.xcoms["data_quality"]["checks"]}
    (sample,) = outcomes["songplays", "every level is free or paid"]["sample"]
    assert sample["start_time"].startswith(time.removesuffix(" BC"))
    outcome = checked(loaded, "table")["songplays", "every play has a valid timestamp"]
    assert outcome["sample"][0]["start_time"] == sample["start_time"]
    assert outcome["sample"][0]["interval_time"] == "2018-11-08 05:10:00"  # what to reload


def test_a_warning_does_not_fail(loaded: Lab) -> None:
    damage(loaded, "UPDATE operations.staged_periods SET shrunk_from = 2 * size_bytes")
    result = loaded.run(*DAY, tasks=["data_quality"])["data_quality"]
    assert (result["checks"], result["failed"], result["warned"]) == (26, 0, 1)


def test_every_result_is_recorded_before_the_task_fails(loaded: Lab) -> None:
    damage(loaded, "UPDATE songplays SET level = 'gold', user_id = NULL")
    with pytest.raises(AirflowFailException):
        loaded.run(*DAY, tasks=["data_quality"])
    rows = loaded.query(
        "SELECT dag_id, run_id, run_type, interval_start, interval_end, outcome, observed, expected, failing_rows, "
        "total_rows, sample FROM operations.data_quality_results WHERE check_name = 'every level is free or paid' "
        "AND table_name = 'songplays' ORDER BY checked_at"
    )
    day = (datetime(2018, 11, 8), datetime(2018, 11, 9))  # noqa: DTZ001 - as the database has it
    run = ("sparkify_warehouse", "manual__2018-11-08", "manual", *day)
    assert [row[:-1] for row in rows] == [
        (*run, "passed", "0 of 1 rows", "none", 0, 1),
        (*run, "failed", "1 of 1 rows", "none", 1, 1),
    ]
    ((play,),) = loaded.query("SELECT songplay_id FROM songplays")
    (shown,) = json.loads(rows[1][-1])
    assert shown == {"songplay_id": play, "start_time": "2018-11-08 05:10:00", "level": "gold"}
    counts = loaded.query("SELECT outcome, COUNT(*) FROM operations.data_quality_results GROUP BY 1 ORDER BY 1")
    assert counts == [("failed", 2), ("passed", 26 + 23), ("warned", 1)]  # events differ from songplays, too


def test_invalid_checks_fail_before_anything_is_loaded(empty_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text("table: users\nkey: user_id\nchecks:\n  - name: x\n    uniq: user_id\n")
    create = empty_lab.dag.get_task("create_tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(create, "checks", str(tmp_path))
        with pytest.raises(AirflowFailException, match=r"users\.yaml line 4: unknown: .uniq.; did you mean unique\?"):
            empty_lab.run(*DAY)
    assert empty_lab.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []
    task = DataQualityOperator(task_id="broken", checks=str(tmp_path))
    with pytest.raises(AirflowFailException, match=r"users\.yaml line 4: unknown: .uniq.; did you mean unique\?"):
        empty_lab.execute(task)


def test_a_missing_column_fails_before_anything_is_loaded(empty_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(
        "table: users\nkey: user_id\nchecks:\n  - {name: x, unique: user, why: w, remedy: r, scope: table}\n"
    )
    create = empty_lab.dag.get_task("create_tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(create, "checks", str(tmp_path))
        with pytest.raises(AirflowFailException, match=r"users\.yaml line 4: the table users has no column user$"):
            empty_lab.run(*DAY)
    assert empty_lab.counts()["staging_events"] == 0


# --- no false alarms ---


def test_contradicting_events_of_one_millisecond_pass(lab: Lab) -> None:
    """The history has one of the levels, each play its own."""
    plays = [event("2018-11-08T05:10", 1, item, level=level) for item, level in enumerate(("paid", "free"))]
    lab.put_events("2018-11-08", plays)
    lab.run(*DAY)
    assert lab.query("SELECT level FROM songplays ORDER BY level") == [("free",), ("paid",)]
    assert lab.query("SELECT level FROM users_history") == [("free",)]
    assert lab.query("SELECT check_name FROM operations.data_quality_results WHERE outcome <> 'passed'") == []


@pytest.mark.parametrize("scope", ["interval", "table"])
def test_aggregates_are_not_compared_while_another_run_loads(loaded: Lab, scope: str) -> None:
    damage(
        loaded, "UPDATE sessions SET plays = 3; UPDATE daily_activity SET plays = 3; UPDATE users SET level = 'paid'"
    )
    assert not all(outcome["passed"] for outcome in checked(loaded, scope).values())
    damage(loaded, "UPDATE operations.staged_periods SET loading_run = 'another'")
    assert all(outcome["passed"] for outcome in checked(loaded, scope).values())


def alarms(lab: Lab, first: datetime, days: int) -> list[str]:
    """Evaluate the checks of every hour and every day; return the results that did not pass."""
    found = []
    for number in range(24 * days):
        start, end = first + number * HOUR, first + (number + 1) * HOUR
        outcomes = checked(lab, "interval", start.isoformat(), end.isoformat())
        if end.hour == 0:
            outcomes |= checked(lab, "table", (end - 24 * HOUR).isoformat(), end.isoformat())
        found += [f"{start}: {item}" for item in outcomes.values() if not item["passed"]]
    return found


@pytest.mark.slow
@pytest.mark.sample
def test_no_check_fails_on_the_real_sample(sample_lab: Lab) -> None:
    sample_lab.run("2018-11-01", "2018-11-11")
    assert alarms(sample_lab, datetime(2018, 11, 1), days=10) == []  # noqa: DTZ001
    evaluated = sample_lab.one(
        "SELECT COUNT(DISTINCT (interval_start, interval_end)) FROM operations.data_quality_results"
    )
    assert evaluated == 240 + 1  # the last hour of a day closes it, and covers it; and the load


@pytest.mark.slow
def test_no_check_fails_on_generated_weeks(lab: Lab, tmp_path: Path) -> None:
    """Two weeks, so that the second is compared with the first."""
    write(Options(days=14, songs=50), tmp_path)
    sync(tmp_path, lab.store)
    lab.run("2018-11-01", "2018-11-15")
    assert alarms(lab, datetime(2018, 11, 8), days=7) == []  # noqa: DTZ001
    expected = lab.query("SELECT expected FROM operations.data_quality_results WHERE kind = 'volume'")
    assert sum("the mean of 1 earlier week is" in text for (text,) in expected) > 100
