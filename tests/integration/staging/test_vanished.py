"""Rows outlive their files: a run deletes the rows of vanished files only if it is told to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.staging.vanished import VanishedFilesError
from tests.integration.operators.test_stage_to_redshift import DAY, EVENTS, SONGS
from tests.support.data import event, song

if TYPE_CHECKING:
    from sandbox.lab import Lab

FIVE = ("2018-11-01T05:00:00Z", "2018-11-01T06:00:00Z")
SIX = ("2018-11-01T06:00:00Z", "2018-11-01T07:00:00Z")
KEY = "log_data/2018/11/2018-11-01-events.json"


LOADING = "SELECT loading_run FROM operations.staged_periods WHERE loading_run IS NOT NULL"


def state(lab: Lab) -> Any:
    """Return everything that staging writes."""
    tables = ("staging_events", "staging_songs", "operations.staged_periods", "operations.staged_objects")
    return [lab.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


def sessions(lab: Lab) -> list[int]:
    return [row[0] for row in lab.query("SELECT sessionid FROM staging_events ORDER BY 1")]


def parts(lab: Lab) -> list[tuple[int, int, bool]]:
    """Return the staged parts of the day: first and last hour, and whether there were files."""
    return lab.query(
        "SELECT CAST(EXTRACT(EPOCH FROM part_start - period_start) / 3600 AS INT), "
        "CAST(EXTRACT(EPOCH FROM part_end - period_start) / 3600 AS INT), objects > 0 "
        "FROM operations.staged_periods ORDER BY part_start"
    )


@pytest.fixture
def loaded(lab: Lab) -> Lab:
    """A lab with a day of events, whose file is deleted then."""
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T06:10", 2)])
    lab.put_events("2018-11-02", [event("2018-11-02T05:10", 3)])
    lab.run("2018-11-01", "2018-11-03", tasks=EVENTS)
    lab.store.delete(KEY)
    return lab


class TestPeriods:
    @pytest.mark.parametrize("run", [DAY, FIVE, ("2018-10-01", "2018-12-01"), SIX])
    def test_the_rows_of_a_vanished_file_are_kept(self, loaded: Lab, run: tuple[str, str]) -> None:
        before = state(loaded)
        with pytest.raises(VanishedFilesError, match=r"2018-11-01 00:00 \(2 rows\) have vanished") as caught:
            loaded.run(*run, tasks=EVENTS)
        assert state(loaded) == before
        assert "restore them and clear the task" in str(caught.value)
        assert "accept_vanished" in str(caught.value)
        assert "2018-11-02" not in str(caught.value).partition("\n")[0].partition("Nothing")[0]

    def test_a_period_without_rows_in_the_interval_counts_as_well(self, loaded: Lab) -> None:
        """The file of the day has vanished, so its later hours would be lost as well."""
        with pytest.raises(VanishedFilesError):
            loaded.run("2018-11-01T20:00", "2018-11-01T21:00", tasks=EVENTS)

    def test_accepted_deletions_delete_the_rows_of_the_interval(self, loaded: Lab) -> None:
        loaded.run(*FIVE, tasks=EVENTS, accept_vanished=True)
        assert sessions(loaded) == [2, 3]
        assert parts(loaded)[:3] == [(0, 5, True), (5, 6, False), (6, 24, True)]
        with pytest.raises(VanishedFilesError, match=r"\(1 rows\)"):
            loaded.run(*DAY, tasks=EVENTS)
        loaded.run(*DAY, tasks=EVENTS, accept_vanished=True)
        assert sessions(loaded) == [3]
        loaded.run(*DAY, tasks=EVENTS)  # there is nothing left to lose

    def test_a_restored_file_is_loaded(self, loaded: Lab) -> None:
        with pytest.raises(VanishedFilesError):
            loaded.run(*DAY, tasks=EVENTS)
        loaded.put_events("2018-11-01", [event("2018-11-01T05:10", 4)])
        loaded.run(*DAY, tasks=EVENTS)
        assert sessions(loaded) == [3, 4]

    def test_a_file_without_rows_may_vanish(self, lab: Lab) -> None:
        lab.put(KEY, "")
        lab.run(*DAY, tasks=EVENTS)
        lab.store.delete(KEY)
        lab.run(*DAY, tasks=EVENTS)
        assert parts(lab) == [(0, 24, False)]

    def test_rows_that_were_staged_before_parts_were_recorded_are_kept(self, loaded: Lab) -> None:
        with psycopg.connect(loaded.uri) as connection:
            connection.execute(
                "UPDATE operations.staged_periods SET part_start = NULL, part_end = NULL, objects = NULL"
            )
        with pytest.raises(VanishedFilesError):
            loaded.run(*FIVE, tasks=EVENTS)


class TestParts:
    def test_hourly_runs_of_one_version_are_one_part_once_they_are_loaded(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        for run in (SIX, FIVE):
            lab.run(*run)
        assert parts(lab) == [(5, 6, True), (6, 7, True)]
        lab.run("2018-11-01T07:00", "2018-11-01T08:00")
        assert parts(lab) == [(5, 7, True), (7, 8, True)]
        assert lab.query(LOADING) == []

    def test_a_run_confirms_what_it_has_loaded_even_if_checks_fail(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1, level="gold")])
        lab.run(*FIVE, tasks=EVENTS)
        assert lab.query(LOADING) == [(f"manual__{FIVE[0]}",)]
        with pytest.raises(AirflowFailException, match="every level is free or paid"):
            lab.run(*FIVE)
        assert lab.query(LOADING) == []

    def test_a_run_does_not_confirm_what_another_one_has_staged_since(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        loads = [task for task in lab.dag.task_ids if task != "data_quality"]
        lab.run(*FIVE, tasks=loads)
        lab.run(*DAY, tasks=EVENTS)
        lab.run(*FIVE, tasks=["data_quality"])
        assert lab.query(LOADING) == [(f"manual__{DAY[0]}",)]

    def test_each_part_has_the_version_it_was_staged_from(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        lab.run(*FIVE, tasks=EVENTS)
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T06:10", 2)])
        lab.run(*SIX, tasks=EVENTS)
        assert parts(lab) == [(5, 6, True), (6, 7, True)]
        lab.run(*DAY, tasks=EVENTS)
        assert parts(lab) == [(0, 24, True)]


class TestShrunk:
    def test_a_shrunk_file_is_a_warning_until_it_is_corrected(self, lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
        whole = [event(f"2018-11-01T05:{minute}", minute) for minute in range(10, 20)]
        lab.put_events("2018-11-01", whole)
        assert lab.run(*DAY)["data_quality"]["warned"] == 0
        lab.put_events("2018-11-01", whole[:4])
        with caplog.at_level(logging.WARNING):
            assert lab.run(*DAY)["data_quality"]["warned"] == 1
        assert "Files have shrunk" in caplog.text
        assert lab.run(*FIVE)["data_quality"]["warned"] == 1
        found = lab.query(
            "SELECT observed FROM operations.data_quality_results WHERE check_name = 'no file has shrunk' AND "
            "outcome = 'warned'"
        )
        assert len(found) == 2
        lab.put_events("2018-11-01", whole)
        assert lab.run(*DAY)["data_quality"]["warned"] == 0


class TestObjects:
    @pytest.fixture
    def songs(self, lab: Lab) -> Lab:
        for number in range(20):
            lab.put_song(f"{number:02}", song(f"SO{number:02}"))
        lab.run(*DAY, tasks=SONGS)
        return lab

    def delete(self, lab: Lab, count: int) -> None:
        lab.store.delete([f"song_data/A/A/A/{number:02}.json" for number in range(count)])

    def test_a_mass_disappearance_deletes_nothing(self, songs: Lab) -> None:
        self.delete(songs, 3)
        before = state(songs)
        with pytest.raises(
            VanishedFilesError, match=r"3 of 20 staged objects have vanished .* more than 10%"
        ) as caught:
            songs.run(*DAY, tasks=SONGS)
        assert state(songs) == before
        assert "song_data/A/A/A/00.json" in str(caught.value)
        with pytest.raises(VanishedFilesError):
            songs.run(*DAY, tasks=SONGS, full_refresh=True)
        songs.run(*DAY, tasks=SONGS, accept_vanished=True)
        assert songs.one("SELECT COUNT(*) FROM staging_songs") == 17

    def test_single_deletions_are_applied(self, songs: Lab) -> None:
        self.delete(songs, 2)
        songs.run(*DAY, tasks=SONGS)
        assert songs.one("SELECT COUNT(*) FROM staging_songs") == 18

    def test_quarantined_objects_have_no_rows_to_lose(self, lab: Lab) -> None:
        lab.put_song("good", song("SO1"))
        for number in range(5):
            lab.put(f"song_data/A/A/A/bad{number}.json", "{")
        lab.run(*DAY, tasks=SONGS)
        lab.store.delete([f"song_data/A/A/A/bad{number}.json" for number in range(5)])
        lab.run(*DAY, tasks=SONGS)
        assert lab.one("SELECT COUNT(*) FROM operations.staged_objects") == 1
