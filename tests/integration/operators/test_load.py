"""Facts and dimensions match their source, whatever the order of runs."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from tests.support.data import event, song

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY = ("2018-11-01T00:00", "2018-11-02T00:00")


def hour(number: int, day: int = 1) -> tuple[str, str]:
    """Return the range of an hour of November 2018."""
    if number == 23:
        return f"2018-11-{day:02}T23:00", f"2018-11-{day + 1:02}T00:00"
    return f"2018-11-{day:02}T{number:02}:00", f"2018-11-{day:02}T{number + 1:02}:00"


def test_a_play_delivered_twice_counts_once(lab: Lab) -> None:
    play = event("2018-11-01T05:10")
    lab.put_events("2018-11-01", [play, play])
    lab.run(*DAY)
    assert lab.counts()["staging_events"] == 2
    assert lab.counts()["songplays"] == 1


def test_only_plays_are_facts_and_all_events_have_users(lab: Lab) -> None:
    lab.put_events(
        "2018-11-01",
        [
            event("2018-11-01T05:10", 1, 0, page="Home", userId="8"),
            event("2018-11-01T05:11", 1, 1, userId="8"),
            event("2018-11-01T05:12", 2, 0, page="Login", userId="", firstName=None, auth="Logged Out"),
            event("2018-11-01T05:13", 3, 0, page="About", userId="9"),
        ],
    )
    lab.run(*DAY)
    assert lab.one("SELECT COUNT(*) FROM songplays") == 1
    assert lab.query("SELECT user_id FROM users ORDER BY 1") == [(8,), (9,)]


def test_an_old_hour_does_not_reset_a_newer_level(lab: Lab) -> None:
    lab.put_events(
        "2018-11-01",
        [
            event("2018-11-01T05:10", 1, 0, level="free"),
            event("2018-11-01T07:10", 1, 1, level="paid"),
        ],
    )
    lab.run(*hour(7))
    lab.run(*hour(5))
    assert lab.query("SELECT user_id, level FROM users") == [(8, "paid")]
    assert lab.one("SELECT COUNT(*) FROM songplays") == 2


def test_a_level_is_reset_when_its_event_is_withdrawn(lab: Lab) -> None:
    early, late = event("2018-11-01T05:10", 1, 0, level="free"), event("2018-11-01T07:10", 1, 1, level="paid")
    lab.put_events("2018-11-01", [early, late])
    lab.run(*DAY)
    lab.put_events("2018-11-01", [early])
    lab.run(*hour(7))
    assert lab.query("SELECT level FROM users") == [("free",)]
    assert lab.one("SELECT COUNT(*) FROM songplays") == 1
    assert lab.one("SELECT COUNT(*) FROM time") == 1


def test_a_user_without_events_is_removed(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", userId="8"), event("2018-11-01T05:11", 2, userId="9")])
    lab.run(*DAY)
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", userId="8")])
    lab.run(*hour(5))
    assert lab.query("SELECT user_id FROM users") == [(8,)]


def test_a_play_that_moves_to_another_hour_is_not_duplicated(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY)
    lab.put_events("2018-11-01", [event("2018-11-01T03:10")])
    lab.run(*hour(3))
    lab.run(*hour(5))
    assert lab.query("SELECT CAST(start_time AS VARCHAR) FROM songplays") == [("2018-11-01 03:10:00",)]
    assert lab.query("SELECT hour FROM time") == [(3,)]


def test_date_parts_are_utc_with_iso_weeks(lab: Lab) -> None:
    # 2018-12-31 is a Monday of ISO week 1 of 2019.
    lab.put_events("2018-12-31", [event("2018-12-31T23:59:59.123")])
    lab.run("2018-12-31", "2019-01-01")
    assert lab.query("SELECT hour, day, week, month, year, weekday FROM time") == [(23, 31, 1, 12, 2018, 1)]
    assert lab.one("SELECT CAST(start_time AS VARCHAR) FROM songplays") == "2018-12-31 23:59:59.123"


def test_a_play_is_linked_by_title_artist_and_duration(lab: Lab) -> None:
    lab.put_song("one", song("SO1"))
    lab.put_song("two", song("SO2", duration=246.30813, artist_id="AR2"))
    lab.put_events(
        "2018-11-01",
        [
            event("2018-11-01T05:10", 1, 0),
            event("2018-11-01T05:11", 1, 1, artist="Desree"),
            event("2018-11-01T05:12", 1, 2, length=246.3),
            event("2018-11-01T05:13", 1, 3, song="You gotta be"),
        ],
    )
    lab.run(*DAY)
    assert lab.query("SELECT song_id, artist_id FROM songplays ORDER BY start_time") == [
        ("SO1", "AR1"),
        (None, None),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize("late", [False, True], ids=["the song first", "the play first"])
def test_trailing_blanks_are_ignored_and_kept(lab: Lab, late: bool) -> None:
    """Redshift ignores them in comparisons; the public data has titles such as 'Bad Meaning Good '."""
    plays = [
        event("2018-11-01T05:10", 1, 0, song="Bad Meaning Good"),
        event("2018-11-01T05:11", 1, 1, song="Bad Meaning Good  ", artist="Des'ree "),
        event("2018-11-01T05:12", 1, 2, song=" Bad Meaning Good"),
    ]
    if late:
        lab.put_events("2018-11-01", plays)
        lab.run(*hour(5))
    lab.put_song("1", song("SO1", title="Bad Meaning Good "))
    lab.put_events("2018-11-01", plays)
    lab.run(*hour(6 if late else 5))
    assert lab.query("SELECT song_id FROM songplays ORDER BY start_time") == [("SO1",), ("SO1",), (None,)]
    assert lab.query("SELECT title FROM songs") == [("Bad Meaning Good ",)]
    assert lab.one("SELECT song FROM staging_events WHERE iteminsession = 1") == "Bad Meaning Good  "


def test_a_play_that_matches_two_songs_is_one_fact(lab: Lab) -> None:
    lab.put_song("one", song("SO2"))
    lab.put_song("two", song("SO1"))
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY)
    assert lab.query("SELECT song_id FROM songplays") == [("SO1",)]


SPELLINGS = [
    song("SO1", artist_name="Des'ree", year=0),
    song("SO2", artist_name="Des'Ree", year=1994, artist_location="London, England"),
    song("SO3", artist_name="Desree", year=1994, artist_location=""),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_an_artist_has_the_spelling_of_the_latest_song_in_any_order(lab: Lab, order: tuple[int, ...]) -> None:
    for number in order:
        lab.put_song(str(number), SPELLINGS[number])
        lab.run(*DAY, tasks=["stage_songs", "load_artists"])
    assert lab.query("SELECT artist_id, name, location FROM artists") == [("AR1", "Desree", "")]


def test_a_changed_song_changes_the_dimensions(lab: Lab) -> None:
    for number in range(3):
        lab.put_song(str(number), SPELLINGS[number])
    lab.run(*DAY)
    lab.put_song("2", song("SO3", artist_name="Someone else", artist_id="AR9", title="New title"))
    lab.run(*DAY)
    assert lab.query("SELECT artist_id, name FROM artists ORDER BY 1") == [("AR1", "Des'Ree"), ("AR9", "Someone else")]
    assert lab.query("SELECT title FROM songs WHERE song_id = 'SO3'") == [("New title",)]
    lab.store.delete("song_data/A/A/A/2.json")
    lab.run(*DAY, accept_vanished=True)
    assert lab.query("SELECT song_id FROM songs ORDER BY 1") == [("SO1",), ("SO2",)]
    assert lab.query("SELECT artist_id FROM artists") == [("AR1",)]


def test_a_dimension_is_skipped_if_no_batch_was_added_or_retired(lab: Lab) -> None:
    lab.put_song("one", song("SO1"))
    lab.run(*DAY)
    again = lab.run(*DAY)
    assert (again["load_songs"], again["load_artists"]) == (None, None)
    assert lab.run(*DAY, full_refresh=True)["load_songs"]["rows"] == 1
    lab.store.delete("song_data/A/A/A/one.json")
    assert lab.run(*DAY, accept_vanished=True)["load_songs"]["rows"] == 0
    assert lab.query("SELECT song_id FROM songs") == []


def test_songs_that_a_failed_load_missed_are_loaded_by_the_next_run(lab: Lab) -> None:
    lab.put_song("one", song("SO1"))
    lab.run(*DAY, tasks=["stage_songs"])  # as if the load had failed permanently
    results = lab.run(*DAY)
    assert results["stage_songs"] is None
    assert lab.query("SELECT song_id FROM songs") == [("SO1",)]


LATER = ("2018-11-02T00:00", "2018-11-02T01:00")
THEN = pytest.mark.parametrize("then", [LATER, DAY], ids=["a later hour runs", "the same day runs again"])


def test_rows_that_have_not_changed_are_not_written(lab: Lab) -> None:
    plays = [event(f"2018-11-01T05:{minute}", 1, minute) for minute in range(10, 20)]
    lab.put_song("one", song("SO1"))
    lab.put_events("2018-11-01", plays)
    lab.run(*DAY)
    before = writers(lab)
    assert {table: len(rows) for table, rows in before.items()} == {
        "songplays": 10,
        "events": 10,
        "time": 10,
        "users": 1,
    }
    lab.run(*DAY)
    assert writers(lab) == before
    lab.put_events("2018-11-01", [*plays[:-1], event("2018-11-01T05:19", 1, 19, song="Another")])
    lab.run(*DAY)
    assert {table: len(rows - before[table]) for table, rows in writers(lab).items()} == {
        "songplays": 1, "events": 1, "time": 0, "users": 0,
    }  # fmt: skip


def writers(lab: Lab) -> dict[str, set[tuple]]:
    """Return the rows of each table, with the transactions that wrote them."""
    tables = {"songplays": "songplay_id", "events": "item_in_session", "time": "start_time", "users": "user_id"}
    return {table: set(lab.query(f"SELECT {key}, xmin::text FROM {table}")) for table, key in tables.items()}


@THEN
def test_a_late_arriving_song_is_linked_to_its_plays(lab: Lab, then: tuple[str, str]) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY)
    assert lab.query("SELECT song_id FROM songplays") == [(None,)]
    lab.put_song("one", song("SO1"))
    lab.run(*then)
    assert lab.query("SELECT song_id, artist_id FROM songplays") == [("SO1", "AR1")]


@THEN
def test_a_song_that_is_withdrawn_is_unlinked(lab: Lab, then: tuple[str, str]) -> None:
    lab.put_song("one", song("SO1"))
    lab.put_song("two", song("SO2", title="Another"))
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY)
    lab.store.delete("song_data/A/A/A/one.json")
    lab.run(*then, accept_vanished=True)
    assert lab.query("SELECT song_id, artist_id FROM songplays") == [(None, None)]


@THEN
def test_a_song_that_changes_its_title_is_linked_to_other_plays(lab: Lab, then: tuple[str, str]) -> None:
    lab.put_song("one", song("SO1"))
    lab.put_events("2018-11-01", [event("2018-11-01T05:10"), event("2018-11-01T05:15", 1, 1, song="Another")])
    lab.run(*DAY)
    lab.put_song("one", song("SO1", title="Another"))
    lab.run(*then)
    assert lab.query("SELECT song_id FROM songplays ORDER BY start_time") == [(None,), ("SO1",)]


def test_a_song_that_is_staged_but_not_loaded_is_not_linked_yet(lab: Lab) -> None:
    lab.put_song("one", song("SO1"))
    lab.put_events("2018-11-01", [event("2018-11-01T05:10")])
    lab.run(*DAY, tasks=["stage_songs", "stage_events", "load_songplays"])
    assert lab.query("SELECT song_id FROM songplays") == [(None,)]
    lab.run(*LATER)
    assert lab.query("SELECT song_id FROM songplays") == [("SO1",)]


def random_days(seed: int) -> dict[str, list[dict[str, object]]]:
    """Two days of events of few users, with duplicates and strays."""
    chance = random.Random(seed)
    days: dict[str, list[dict[str, object]]] = {"2018-11-01": [], "2018-11-02": []}
    for number in range(60):
        day = chance.choice(list(days))
        stray = chance.random() < 0.1
        at = chance.choice(list(days)) if stray else day
        item = event(
            f"{at}T{chance.randrange(24):02}:{chance.randrange(60):02}",
            number // 5,
            number % 5,
            userId=str(chance.randrange(4)),
            level=chance.choice(["free", "paid"]),
            page=chance.choice(["NextSong", "NextSong", "Home"]),
        )
        days[day] += [item] * chance.choice([1, 1, 1, 2])
        if chance.random() < 0.1:
            days[chance.choice(list(days))].append(item)
    return days


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_shuffled_and_repeated_hours_result_in_the_tables_of_one_run(lab: Lab, seed: int) -> None:
    for day, events in random_days(seed).items():
        lab.put_events(day, events)
    lab.put_song("one", song("SO1"))
    lab.run("2018-11-01", "2018-11-03")
    expected = lab.tables()
    assert expected["songplays"]

    lab.run("2018-11-01", "2018-11-03", tasks=["create_tables"], recreate_tables="recreate all tables")
    hours = [hour(number, day) for day in (1, 2) for number in range(24)]
    chance = random.Random(seed)
    history = hours + chance.sample(hours, 10)
    chance.shuffle(history)
    for start, end in history:
        lab.run(start, end)
    assert lab.tables() == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_full_refresh_results_in_the_same_tables_as_merging(lab: Lab, seed: int) -> None:
    for day, events in random_days(seed).items():
        lab.put_events(day, events)
    for number, item in enumerate(SPELLINGS):
        lab.put_song(str(number), item)
    for number in range(24):
        lab.run(*hour(number, 2))
        lab.run(*hour(number, 1))
    merged = lab.tables()
    lab.run(*hour(5), full_refresh=True)
    assert lab.tables() == merged
