"""Staging replaces a run's own interval, and loads new and changed objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sparkify.operators import LoadDimensionOperator, LoadFactOperator, StageToRedshiftOperator
from sparkify.staging.period_copy import PeriodCopy
from tests.support.data import event, song

if TYPE_CHECKING:
    from sandbox.lab import Lab

EVENTS = ["stage_events"]
SONGS = ["stage_songs"]
DAY = ("2018-11-01", "2018-11-02")
FIVE = ("2018-11-01T05:00", "2018-11-01T06:00")
LAST = ("2018-11-01T23:00", "2018-11-02T00:00")


def staged(lab: Lab) -> list[int]:
    """The sessions of the staged events, in order."""
    return [session for (session,) in lab.query("SELECT sessionid FROM staging_events ORDER BY ts, sessionid")]


class TestInterval:
    def test_a_run_stages_its_own_hour(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event(f"2018-11-01T{hour:02}:59:59.999", hour) for hour in range(24)])
        assert lab.run(*FIVE, tasks=EVENTS)["stage_events"]["rows"] == 1
        lab.run("2018-11-01T06:00", "2018-11-01T07:00", tasks=EVENTS)
        assert staged(lab) == [5, 6]

    def test_the_bounds_are_half_open(self, lab: Lab) -> None:
        times = ["2018-11-01T05:00:00", "2018-11-01T05:59:59.999", "2018-11-01T06:00:00"]
        lab.put_events("2018-11-01", [event(time, number) for number, time in enumerate(times)])
        lab.run(*FIVE, tasks=EVENTS)
        assert staged(lab) == [0, 1]

    def test_a_rerun_is_idempotent_and_loads_a_grown_file(self, lab: Lab) -> None:
        events = [event("2018-11-01T05:10", 1), event("2018-11-01T06:10", 2)]
        lab.put_events("2018-11-01", events)
        for _ in range(2):
            lab.run(*FIVE, tasks=EVENTS)
            assert staged(lab) == [1]
        lab.put_events("2018-11-01", [*events, event("2018-11-01T05:20", 3)])
        lab.run(*FIVE, tasks=EVENTS)
        assert staged(lab) == [1, 3]

    def test_a_withdrawn_event_is_removed(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T05:20", 2)])
        lab.run(*DAY, tasks=EVENTS)
        lab.put_events("2018-11-01", [event("2018-11-01T05:20", 2)])
        lab.run(*FIVE, tasks=EVENTS)
        assert staged(lab) == [2]

    def test_a_range_reads_every_file_that_it_overlaps(self, lab: Lab) -> None:
        for day in (1, 2, 3):
            lab.put_events(f"2018-11-0{day}", [event(f"2018-11-0{day}T{hour}:00", day) for hour in (10, 20)])
        result = lab.run("2018-11-01T15:00", "2018-11-03T15:00", tasks=EVENTS)["stage_events"]
        assert staged(lab) == [1, 1, 2, 2, 3]  # day 1 is closed, so it is reprocessed
        assert result["files"] == 3

    def test_a_missing_file_is_not_an_error(self, lab: Lab) -> None:
        lab.put_events("2018-11-02", [event("2018-11-02T05:00")])  # so that the bucket is not empty
        assert lab.run(*FIVE, tasks=EVENTS)["stage_events"] == pytest.approx(
            {"rows": 0, "rejected": 0, "strays": 0, "late": 0, "files": 0, "empty": 0, "seconds": 0}, abs=5
        )

    def test_the_run_that_closes_the_day_stages_strays(self, lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-09T05:10", 2)])
        assert lab.run(*FIVE, tasks=EVENTS)["stage_events"]["strays"] == 0
        lab.run("2018-11-09T05:00", "2018-11-09T06:00", tasks=EVENTS)
        assert staged(lab) == [1]
        assert lab.run(*LAST, tasks=EVENTS)["stage_events"]["strays"] == 1
        assert "Stray rows, outside the period of their file: rows=1" in caplog.text
        lab.run("2018-11-09", "2018-11-10", tasks=EVENTS)
        assert staged(lab) == [1, 2]

    def test_a_late_arriving_event_is_staged_by_the_run_that_closes_the_day(
        self, lab: Lab, caplog: pytest.LogCaptureFixture
    ) -> None:
        on_time = event("2018-11-01T05:10", 1)
        lab.put_events("2018-11-01", [on_time])
        lab.run(*FIVE, tasks=EVENTS)
        lab.put_events("2018-11-01", [on_time, event("2018-11-01T05:59", 2), event("2018-11-01T23:10", 3)])
        assert lab.run("2018-11-01T22:00", "2018-11-01T23:00", tasks=EVENTS)["stage_events"]["late"] == 0
        assert staged(lab) == [1]
        assert lab.run(*LAST, tasks=EVENTS)["stage_events"]["late"] == 1
        assert "Late-arriving rows: rows=1 table=staging_events before=2018-11-01 23:00:00+00:00" in caplog.text
        assert staged(lab) == [1, 2, 3]
        assert lab.run(*LAST, tasks=EVENTS)["stage_events"]["late"] == 0

    def test_an_overtaken_run_reads_again(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        read, readings = PeriodCopy.into, []

        def overtaken(self: PeriodCopy, *arguments: Any, **named: Any) -> Any:
            loaded = read(self, *arguments, **named)
            readings.append(loaded.rows)
            if len(readings) == 1:  # meanwhile the file grows, and a run of the whole day stages it
                lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T05:20", 2)])
                lab.run(*DAY, tasks=["stage_events"])
            return loaded

        monkeypatch.setattr(PeriodCopy, "into", overtaken)
        lab.run(*FIVE, tasks=["stage_events"])
        assert readings == [1, 2, 2]
        assert staged(lab) == [1, 2]

    def test_an_event_without_time_or_key_is_rejected_with_its_location(self, lab: Lab) -> None:
        broken = [
            event("2018-11-01T05:10", 1),
            event("2018-11-01T05:11", 2) | {"ts": None},
            event("2018-11-01T05:12", None),
        ]
        lab.put_events("2018-11-01", broken)
        with pytest.raises(AirflowFailException, match=r"2018-11-01-events.json line 2, column ts"):
            lab.run(*DAY, tasks=EVENTS)
        assert staged(lab) == []
        result = lab.run(*DAY, tasks=["stage_events"], max_errors=2)["stage_events"]
        assert (result["rows"], result["rejected"]) == (1, 2)
        assert lab.query(
            "SELECT line_number, TRIM(colname), err_code FROM stl_load_errors "
            "WHERE query = (SELECT MAX(query) FROM stl_load_errors) ORDER BY 1"
        ) == [(2, "ts", 1213), (3, "sessionid", 1213)]


class TestObjects:
    def test_it_is_skipped_without_new_objects(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["rows"] == 1
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"] is None
        assert lab.one("SELECT COUNT(*) FROM staging_songs") == 1

    def test_only_new_objects_are_read(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.run(*DAY, tasks=SONGS)
        lab.put_song("two", song("SO2"))
        result = lab.run(*DAY, tasks=SONGS)["stage_songs"]
        assert (result["objects"], result["rows"]) == (1, 1)
        assert lab.query("SELECT song_id, batch_id FROM staging_songs ORDER BY 1") == [("SO1", 1), ("SO2", 2)]

    def test_a_changed_object_is_read_again_with_its_batch(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.put_song("two", song("SO2"))
        lab.run(*DAY, tasks=SONGS)
        lab.put_song("three", song("SO3"))
        lab.run(*DAY, tasks=SONGS)
        lab.put_song("two", song("SO2b"))
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["objects"] == 2
        assert lab.query("SELECT song_id, batch_id FROM staging_songs ORDER BY 1") == [
            ("SO1", 3),
            ("SO2b", 3),
            ("SO3", 2),
        ]

    def test_the_rows_of_a_deleted_object_are_removed(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.put_song("two", song("SO2"))
        lab.run(*DAY, tasks=SONGS)
        lab.store.delete("song_data/A/A/A/one.json")
        lab.run(*DAY, tasks=SONGS, accept_vanished=True)
        assert lab.query("SELECT song_id FROM staging_songs") == [("SO2",)]
        lab.store.delete("song_data/A/A/A/two.json")
        lab.run(*DAY, tasks=SONGS, accept_vanished=True)
        assert lab.query("SELECT song_id FROM staging_songs") == []
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"] is None

    def test_a_full_refresh_reads_everything_again(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.run(*DAY, tasks=SONGS)
        assert lab.run(*DAY, tasks=SONGS, full_refresh=True)["stage_songs"]["objects"] == 1
        assert lab.query("SELECT song_id, batch_id FROM staging_songs") == [("SO1", 2)]

    def test_large_sets_are_split_into_batches(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sparkify.staging.ledger.BATCH_SIZE", 2)
        for number in range(5):
            lab.put_song(str(number), song(f"SO{number}"))
        lab.run(*DAY, tasks=SONGS)
        assert lab.query("SELECT batch_id, COUNT(*) FROM staging_songs GROUP BY 1 ORDER BY 1") == [
            (1, 2),
            (2, 2),
            (3, 1),
        ]
        lab.put_song("0", song("SO0", title="changed"))
        assert lab.run(*DAY, tasks=SONGS)["stage_songs"]["objects"] == 2

    def test_manifests_are_deleted_after_use(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.run(*DAY, tasks=SONGS)
        assert [item["path"] for page in lab.store.list("manifests") for item in page] == []


class TestGeneric:
    """Another source and another star schema, with the same operators."""

    def test_hourly_weather(self, lab: Lab) -> None:
        with psycopg.connect(lab.uri) as connection:
            connection.execute(
                "CREATE SCHEMA raw;"
                "CREATE TABLE raw.readings (station VARCHAR(8) NOT NULL, celsius NUMERIC(4, 1), at TIMESTAMP NOT NULL,"
                " slot TIMESTAMP NOT NULL DEFAULT '1970-01-01');"
                "CREATE TABLE temperature (station VARCHAR(8), at TIMESTAMP, celsius NUMERIC(4, 1),"
                " interval_time TIMESTAMP, row_version VARCHAR(64), PRIMARY KEY (station, at));"
                "CREATE TABLE station (station VARCHAR(8) PRIMARY KEY, warmest NUMERIC(4, 1),"
                " interval_time TIMESTAMP, row_version VARCHAR(64));"
            )
        for hour, warm in ((5, "12.5"), (6, "13.5")):
            reading = {"data": {"id": "S1", "t": warm}, "time": f"2020-02-29 0{hour}:30:00"}
            lab.put(f"weather/2020-02-29/0{hour}/readings", json.dumps(reading))
        lab.put("weather.json", json.dumps({"jsonpaths": ["$.data.id", "$.data.t", "$.time"]}))
        stage = StageToRedshiftOperator(
            task_id="stage",
            table="raw.readings",
            bucket=lab.bucket,
            key="weather/%Y-%m-%d/%H/",
            jsonpaths=f"s3://{lab.bucket}/weather.json",
            interval_column="at",
            file_period="hour",
            partition_column="slot",
            interval_start="{{ params.start }}",
            interval_end="{{ params.end }}",
        )
        select = (
            "SELECT r.station, r.at, r.celsius, r.slot AS interval_time, '' AS row_version FROM raw.readings AS r "
            "WHERE {{ scope('r.slot', station='r.station', at='r.at') }}"
        )
        fact = LoadFactOperator(
            task_id="fact",
            table="temperature",
            keys=["station", "at"],
            sql=select,
            interval_start="{{ params.start }}",
            interval_end="{{ params.end }}",
        )
        dimension = LoadDimensionOperator(
            task_id="dimension",
            table="station",
            keys=["station"],
            sql="SELECT t.station, t.celsius AS warmest, t.interval_time, LPAD(CAST(t.celsius AS VARCHAR), 9, '0') "
            "AS row_version FROM temperature AS t WHERE {{ scope('t.interval_time', station='t.station') }}",
            interval_start="{{ params.start }}",
            interval_end="{{ params.end }}",
        )
        for hour in (6, 5, 6):
            for task in (stage, fact, dimension):
                lab.execute(task, start=f"2020-02-29T0{hour}:00", end=f"2020-02-29T0{hour + 1}:00")
        assert lab.query("SELECT CAST(celsius AS VARCHAR) FROM temperature ORDER BY at") == [("12.5",), ("13.5",)]
        assert lab.query("SELECT CAST(warmest AS VARCHAR) FROM station") == [("13.5",)]

    def test_the_error_about_a_missing_audit_column_names_the_table(self, lab: Lab) -> None:
        with psycopg.connect(lab.uri) as connection:
            connection.execute("CREATE TABLE bare (at TIMESTAMP)")
        lab.put("x", "{}")
        stage = StageToRedshiftOperator(task_id="stage", table="bare", bucket=lab.bucket, key="x", interval_column="at")
        stage.interval_start, stage.interval_end = DAY
        with pytest.raises(AirflowFailException, match="bare has no column interval_time"):
            lab.execute(stage)

    def test_it_is_skipped_if_the_prefix_is_empty(self, lab: Lab) -> None:
        lab.put("other", "{}")
        with pytest.raises(AirflowSkipException, match="0 are staged"):
            lab.execute(lab.dag.get_task("stage_songs"), start=DAY[0], end=DAY[1])
