"""Every shipped check passes on good data and fails on the damage it guards against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators import DataQualityOperator
from tests.data import event, song

if TYPE_CHECKING:
    from tests.lab import Lab

DAY = ("2018-11-01", "2018-11-02")
QUALITY = ["data_quality"]

# The damage, and the check that has to see it.
DAMAGE = [
    ("DELETE FROM songplays", "no play is lost"),
    (
        "ALTER TABLE songplays DROP CONSTRAINT songplays_pkey; INSERT INTO songplays SELECT * FROM songplays",
        "no play is there twice",
    ),
    ("UPDATE songplays SET level = 'gold'", "every level is free or paid"),
    ("UPDATE songplays SET level = NULL", "every level is free or paid"),
    ("DELETE FROM users", "every player is in users"),
    ("DELETE FROM users", "every user seen is in users"),
    ("DELETE FROM time", "every start is in time"),
    ("DELETE FROM songs", "every linked song is in songs"),
    ("UPDATE users SET level = ''", "every user's level is free or paid"),
    ("UPDATE songs SET title = ''", "every song has a title and a positive duration"),
    ("UPDATE songs SET duration = 0", "every song has a title and a positive duration"),
    ("DELETE FROM artists", "every song's artist is in artists"),
    ("UPDATE time SET weekday = 0", "every moment is taken apart as a calendar does"),
    ("UPDATE time SET hour = 24", "every moment is taken apart as a calendar does"),
]


@pytest.fixture
def loaded(lab: Lab) -> Lab:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.put_song("one", song("SO1"))
    lab.run(*DAY)
    return lab


def damage(lab: Lab, sql: str) -> None:
    with psycopg.connect(lab.uri) as connection:
        connection.execute(sql)


@pytest.mark.parametrize(("sql", "check"), DAMAGE, ids=[f"{check}: {sql}"[:90] for sql, check in DAMAGE])
def test_damage_is_seen(loaded: Lab, sql: str, check: str) -> None:
    damage(loaded, sql)
    with pytest.raises(AirflowFailException, match=f"- {check}: observed [1-9]"):
        loaded.run(*DAY, tasks=QUALITY)


def test_damage_is_tested_for_every_shipped_check(loaded: Lab) -> None:
    result = loaded.run(*DAY, tasks=QUALITY)["data_quality"]
    assert result["checks"] == len({check for _, check in DAMAGE})


def test_an_empty_hour_passes(loaded: Lab) -> None:
    loaded.run("2018-11-01T06:00", "2018-11-01T07:00")


def test_all_checks_run_and_each_failure_is_named(loaded: Lab) -> None:
    damage(loaded, "UPDATE songplays SET level = 'gold'; UPDATE time SET weekday = 0")
    with pytest.raises(AirflowFailException) as caught:
        loaded.run(*DAY, tasks=QUALITY)
    message = str(caught.value)
    assert "2 of 11 data quality checks failed for [2018-11-01 00:00, 2018-11-02 00:00)" in message
    assert "every level is free or paid: observed 1, expected = 0." in message
    assert "every moment is taken apart as a calendar does: observed 1, expected = 0." in message


def test_damage_elsewhere_is_not_this_interval_s(loaded: Lab) -> None:
    damage(loaded, "UPDATE songplays SET level = 'gold'")
    loaded.run("2018-11-01T06:00", "2018-11-01T07:00", tasks=QUALITY)


def test_checks_that_cannot_be_read_fail_for_good(loaded: Lab) -> None:
    task = DataQualityOperator(task_id="broken", checks=["checks:\n  - name: x\n    sql: SELECT 1\n    expect: some"])
    task.interval_start, task.interval_end = DAY
    with pytest.raises(AirflowFailException, match="Check 'x': expect must be a comparison"):
        loaded.execute(task)
