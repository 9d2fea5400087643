"""The numbers of the panels match those of the files and of the history, computed independently."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.interval import Interval
from sparkify.quality import history
from sparkify.quality.result import CheckResult
from sparkify.warehouse import connect
from sparkify.web import panels
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.lab import Lab


def rows(name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a panel."""
    return [tuple(row) for row in panels.read(name)["rows"]]


def plays_of(sample: Path) -> Iterator[dict[str, Any]]:
    """Yield the plays of the sample's files, each once."""
    seen = set()
    with tarfile.open(sample) as archive:
        for member in archive:
            if "log_data/" in member.name and member.isfile():
                file = archive.extractfile(member)
                assert file
                for line in file.read().decode().splitlines():
                    item = json.loads(line)
                    key = (item["sessionId"], item["itemInSession"])
                    if item["page"] == "NextSong" and key not in seen:
                        seen.add(key)
                        yield item


def most(counts: Counter[Any]) -> list[Any]:
    """Return the ten most frequent values; ties are ordered by code point."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]


@pytest.mark.sample
def test_the_real_sample(sample_lab: Lab, sample: Path) -> None:
    sample_lab.run("2018-11-01", "2018-11-11")
    plays = list(plays_of(sample))
    times = [datetime.fromtimestamp(item["ts"] / 1000, UTC) for item in plays]

    counts = [row[:2] for row in rows("tables")]
    assert counts == sorted(counts)
    assert set(counts) >= {
        ("artists", 2614), ("songplays", 1594), ("songs", 2892), ("staging_events", 1882), ("staging_songs", 2892),
        ("time", 1594), ("users", 79),
    }  # fmt: skip
    by_hour = Counter(f"{time:%Y-%m-%dT%H}:00:00.000Z" for time in times)
    assert rows("plays_by_hour") == sorted(by_hour.items())
    assert 100 < len(by_hour) < 336
    by_weekday = Counter((time.isoweekday(), time.hour) for time in times)
    assert rows("plays_by_weekday") == sorted((*key, count) for key, count in by_weekday.items())
    days = [sum(plays for day, _, plays in rows("plays_by_weekday") if day == weekday) for weekday in range(1, 8)]
    assert days == [356, 154, 174, 172, 407, 187, 144]
    hours = Counter(dict.fromkeys(range(24), 0))
    for _, hour, count in rows("plays_by_weekday"):
        hours[hour] += count
    assert hours.most_common(3) == [(16, 159), (18, 139), (17, 126)]

    assert rows("top_songs")[0] == ("You're The One", "Dwight Yoakam", 10)
    songs = Counter((item["song"], item["artist"]) for item in plays)
    assert rows("top_songs") == [(*names, count) for names, count in most(songs)]
    assert rows("top_artists") == most(Counter(item["artist"] for item in plays))
    by_day = Counter(str(time.date()) for time in times)
    paid = Counter(str(time.date()) for time, item in zip(times, plays, strict=True) if item["level"] == "paid")
    assert rows("plays_by_day") == [(day, by_day[day]) for day in sorted(by_day)]
    assert [(day, paid_plays, plays) for day, _, _, paid_plays, plays, *_ in reversed(rows("paid_share"))] == [
        (day, paid[day], by_day[day]) for day in sorted(by_day)
    ]
    assert rows("users_by_level") == [("free", 63), ("paid", 16)]
    assert sum(count for _, count, _ in rows("browsers")) == 1594
    assert rows("rejected_rows") == []
    ((until, scheduled, _, latest),) = rows("freshness")
    assert (until, scheduled) == ("2018-11-11T00:00:00.000Z", None)
    assert latest == f"{max(times).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def test_a_duplicate_play_in_the_log_counts_once(lab: Lab) -> None:
    twice = event("2018-11-01T05:00:00", 1, 1)
    lab.put_events(
        "2018-11-01",
        [
            twice,
            twice,
            event("2018-11-01T05:10:00", 1, 2),
            event("2018-11-01T06:00:00", 1, 3, song="Other", artist="Another", level="paid"),
            event("2018-11-01T07:00:00", 1, 4, page="Home", song=None, artist=None),
        ],
    )
    lab.put_song("1", song("SO1"))
    lab.run("2018-11-01", "2018-11-02")
    assert rows("top_songs") == [("You Gotta Be", "Des'ree", 2), ("Other", "Another", 1)]
    assert rows("top_artists") == [("Des'ree", 2), ("Another", 1)]
    assert rows("plays_by_hour") == [("2018-11-01T05:00:00.000Z", 2), ("2018-11-01T06:00:00.000Z", 1)]
    assert rows("plays_by_weekday") == [(4, 5, 2), (4, 6, 1)]  # a Thursday
    assert rows("plays_by_day") == [("2018-11-01", 3)]
    assert rows("paid_share") == [("2018-11-01", 33.3, 100.0, 1, 3, 1, 1)]  # a listener who upgrades counts as paid


# The result of microseconds, nanoseconds or seconds sent as milliseconds, and of a wrong clock.
IMPLAUSIBLE = ("10001-06-15 05:00", "0044-03-15 05:00 BC", "9999-12-31 23:59:59.999", "1969-12-31", "2190-01-01")


def put_implausible(lab: Lab) -> None:
    """Insert rows with invalid timestamps, as an earlier version of the project staged them."""
    with psycopg.connect(lab.uri) as connection:
        for number, time in enumerate(IMPLAUSIBLE):
            connection.execute(
                "INSERT INTO staging_events (iteminsession, sessionid, page, level, userid, song, artist, ts, "
                "interval_time) VALUES (%s, 900, 'NextSong', 'gold', 8, 'S', 'A', %s, '2018-11-01 23:59:59.999')",
                [number, time],
            )
            connection.execute(
                "INSERT INTO songplays (songplay_id, start_time, session_id, level, interval_time, row_version) "
                "VALUES (%s, %s, 900, 'gold', '2018-11-01 23:59:59.999', '')",
                [f"bad {number}", time],
            )
            connection.execute(
                "INSERT INTO time VALUES (%s, 5, 15, 24, 6, 2018, 8, '2018-11-01 23:59:59.999', '')", [time]
            )


def put_implausible_marts(lab: Lab) -> None:
    """Insert the groups of such rows into the marts."""
    with psycopg.connect(lab.uri) as connection:
        for time in IMPLAUSIBLE:
            for insert in (
                "events SELECT 900, CAST(EXTRACT(YEAR FROM t) AS INTEGER), t, CAST(t AS DATE), 9, 'gold', 'NextSong', "
                "'S', 'A', 1, 'Netscape', TRUE, '2018-11-01 23:59:59.999', ''",
                "daily_activity SELECT CAST(t AS DATE), 'gold', 7, 7, 7, 7, 7, 7, 7, 7",
                "daily_songs SELECT CAST(t AS DATE), 'S', 'A', 'key', 700, 7",
                "monthly_songs SELECT CAST(DATE_TRUNC('month', t) AS DATE), 'S', 'A', 'key', 700",
                "daily_users SELECT CAST(t AS DATE), 9, 7, 7, 7",
                "hourly_plays SELECT DATE_TRUNC('hour', t), CAST(t AS DATE), 'gold', 'Netscape', 700",
            ):
                connection.execute(
                    f"INSERT INTO {insert} FROM (SELECT CAST(%s AS TIMESTAMP) AS t) AS i".encode(), [time]
                )


def test_invalid_timestamps_are_excluded_and_counted(lab: Lab) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:00:00", 1, 1), event("2018-11-01T06:00:00", 1, 2)])
    lab.run("2018-11-01", "2018-11-02")
    before = {name: rows(name) for name in panels.declared()}
    put_implausible(lab)
    put_implausible_marts(lab)
    after = {name: rows(name) for name in panels.declared()}
    for name in panels.declared().keys() - {"tables"}:
        assert after[name] == before[name], name
    bad = len(IMPLAUSIBLE)
    assert {row[0]: row[3] for row in after["tables"] if row[3]} == dict.fromkeys(
        ("staging_events", "songplays", "time", "events", "hourly_plays"), bad
    )
    newest = [{row[0]: row[2] for row in found["tables"]} for found in (before, after)]
    for table in ("songplays", "time", "events", "hourly_plays"):
        assert newest[0][table] == newest[1][table] == "2018-11-01T06:00:00.000Z"


def test_charts_have_a_limited_number_of_points(tables: Lab) -> None:
    with psycopg.connect(tables.uri) as connection:
        connection.execute(
            "INSERT INTO daily_activity "
            "SELECT DATE '2010-01-01' + n, 'free', 1, 1, 1, 1, 1, 1, 1, 1 FROM generate_series(0, 5000) AS n"
        )
        connection.execute(
            "INSERT INTO daily_users SELECT DATE '2010-01-01' + n, n, 1, 0, 1 FROM generate_series(0, 5000) AS n"
        )
        connection.execute(
            "INSERT INTO hourly_plays SELECT hour, CAST(hour AS DATE), 'free', 'Other', 1 FROM generate_series("
            "TIMESTAMP '2018-01-01', '2018-01-31 23:00', '1 hour') AS hour"
        )
    hours, days = rows("plays_by_hour"), rows("plays_by_day")
    assert (len(hours), hours[-1][0]) == (336, "2018-01-31T23:00:00.000Z")
    assert (len(days), days[-1][0]) == (3660, "2023-09-10")
    assert (hours, days) == (sorted(hours), sorted(days))
    assert [len(rows(name)) for name in ("paid_share", "conversions", "retention")] == [3660] * 3
    assert len(rows("active_users")) <= 4000


def test_a_panel_and_the_catalogue_have_the_same_figures(lab: Lab) -> None:
    """Also where a panel computes a figure itself, to read its table once."""
    users = [event(f"2018-11-{day:02}T05:00:00", 100 * day + user, userId=str(user))
             for user, days in {1: (1, 2, 8, 15), 2: (1, 15), 3: (8, 9)}.items() for day in days]  # fmt: skip
    for day in range(1, 16):
        lab.put_events(f"2018-11-{day:02}", [item for item in users if item["sessionId"] // 100 == day])
    lab.run("2018-11-01", "2018-11-16")
    select = (
        "SELECT CAST(cohort_week AS VARCHAR(10)), age, CAST(value AS FLOAT) FROM metrics.retention ORDER BY 1 DESC, 2"
    )
    assert [row[:3] for row in rows("retention")] == lab.query(select)
    assert [row[3] for row in rows("retention")] == [1, 1, 2, 2, 2]
    assert rows("active_users") == [
        ("day", "2018-11-15", 2), ("day", "2018-11-09", 1), ("day", "2018-11-08", 2), ("day", "2018-11-02", 1),
        ("day", "2018-11-01", 2), ("month", "2018-11-01", 3), ("week", "2018-11-12", 2), ("week", "2018-11-05", 2),
        ("week", "2018-10-29", 2),
    ]  # fmt: skip


def test_sign_ups_and_conversions(lab: Lab) -> None:
    registered = datetime(2018, 11, 1, 4, tzinfo=UTC).timestamp() * 1000
    pages = {"Submit Upgrade": "free", "Submit Downgrade": "paid", "Cancellation Confirmation": "paid"}
    lab.put_events(
        "2018-11-01",
        [
            event("2018-11-01T05:00:00", 1, 0, userId="1", registration=registered),
            event("2018-11-01T05:10:00", 2, 0, userId="2"),
            *(
                event(
                    f"2018-11-01T06:0{number}:00",
                    1,
                    1 + number,
                    userId="1",
                    page=page,
                    level=level,
                    song=None,
                    artist=None,
                )
                for number, (page, level) in enumerate(pages.items())
            ),
        ],
    )
    lab.run("2018-11-01", "2018-11-02")
    assert rows("conversions") == [("2018-11-01", 1, 1, 1, 1, 50.0)]


def test_a_large_table_is_not_counted(tables: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "COUNTED", 1000)
    with psycopg.connect(tables.uri) as connection:
        connection.execute(
            "INSERT INTO songplays (songplay_id, start_time, session_id, interval_time, row_version) "
            "SELECT n, '2018-11-01', n, '2018-11-01', '' FROM generate_series(1, 2000) AS n"
        )
        connection.execute("ANALYZE songplays")
        connection.execute("DELETE FROM songplays WHERE songplay_id = '1'")
        connection.execute("INSERT INTO users (user_id, interval_time, row_version) VALUES (1, '2018-11-01', '')")
    found = {row[0]: (row[1], row[4]) for row in rows("tables")}
    assert found["songplays"] == (2000, True)
    assert found["users"] == (1, False)


def note(
    hour: int, run_type: str = "backfill", *, dag_id: str = "sparkify_warehouse", attempt: int = 0, **checks: bool
) -> None:
    """Record the results of the checks of an hour's run."""
    start = datetime(2018, 11, 1, tzinfo=UTC) + timedelta(hours=hour)
    interval = Interval(start, start + timedelta(hours=1))
    results = [
        CheckResult(
            "songplays", name, "not_null", "error", "interval", passed, "1", "0", 1, 9, [{"hour": hour}], "", "", 0.1
        )
        for name, passed in checks.items()
    ]
    with connect("redshift") as warehouse:
        run = {"dag_id": dag_id, "run_id": f"{run_type}__{hour}__{attempt}", "run_type": run_type}
        warehouse.transaction(lambda: history.record(warehouse, results, interval, **run), lock=[history.RESULTS])


@pytest.fixture
def tables(lab: Lab) -> Lab:
    return lab


def outcomes(dag_id: str = "sparkify_warehouse") -> list[tuple[str, str, str, str]]:
    """Return start, check, run and outcome of each square of a DAG."""
    answer = panels.read("quality")
    found = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    return [
        (item["interval_start"][5:13], item["check_name"], item["run_id"], item["outcome"])
        for item in found
        if item["dag_id"] == dag_id
    ]


def test_the_latest_evaluation_of_an_hour_counts(tables: Lab) -> None:
    note(5, one=False, two=True)
    note(6, one=True, two=True)
    note(5, one=True, two=True, attempt=1)
    assert outcomes() == [
        ("11-01T05", "one", "backfill__5__1", "passed"),
        ("11-01T05", "two", "backfill__5__1", "passed"),
        ("11-01T06", "one", "backfill__6__0", "passed"),
        ("11-01T06", "two", "backfill__6__0", "passed"),
    ]


def test_a_check_that_failed_last_has_a_sample_of_that_run(tables: Lab) -> None:
    note(5, one=False, two=False, three=True)
    note(6, one=False, two=True, three=True)
    answer = panels.read("quality")
    found = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert [(item["check_name"], item["run_id"], item["sample"]) for item in found if item["sample"]] == [
        ("one", "backfill__6__0", '[{"hour": 6}]')
    ]


def test_each_dag_has_its_last_thirty_intervals(tables: Lab) -> None:
    note(0, dag_id="sparkify_audit", one=False)
    for hour in reversed(range(40)):  # a backfill that runs backwards: its last run is the earliest hour
        note(hour, one=hour != 3)
    assert [outcome for *_, outcome in outcomes("sparkify_audit")] == ["failed"]
    found = outcomes()
    assert len(found) == 30
    assert found[0][0] == "11-01T00"
    assert [item[3] for item in found if item[0] == "11-01T03"] == ["failed"]


def test_freshness_is_that_of_the_hourly_dag(tables: Lab) -> None:
    note(3, one=True)
    note(9, dag_id="sparkify_audit", run_type="scheduled", one=True)
    assert rows("freshness")[0][:2] == ("2018-11-01T04:00:00.000Z", None)
    note(5, run_type="scheduled", one=False)  # an hour that failed its checks is loaded
    assert rows("freshness")[0][:2] == ("2018-11-01T06:00:00.000Z", "2018-11-01T06:00:00.000Z")


@pytest.mark.parametrize("start", ["2018-11-01", "2190-01-01"])
def test_a_range_into_the_future_is_fresh_up_to_the_time_of_its_checks(tables: Lab, start: str) -> None:
    note(3, "scheduled", one=True)
    with psycopg.connect(tables.uri) as connection:
        connection.execute(
            "INSERT INTO operations.data_quality_results SELECT dag_id, run_id, 'manual', %s, '2199-12-31', "
            "'2018-11-10 05:17', table_name, check_name, kind, severity, scope, outcome, observed, expected, "
            "failing_rows, total_rows, sample, seconds FROM operations.data_quality_results",
            [start],
        )
    ((until, scheduled, *_),) = rows("freshness")
    assert scheduled == "2018-11-01T04:00:00.000Z"
    # A range in the future has loaded nothing.
    assert until == ("2018-11-10T05:17:00.000Z" if start == "2018-11-01" else scheduled)


def test_the_latest_rejects_and_their_count(tables: Lab) -> None:
    with psycopg.connect(tables.uri) as connection:
        connection.cursor().executemany(
            "INSERT INTO operations.rejected_rows (table_name, period_start, run_id, rejected_at, file_name, "
            "line_number, column_name, error_code, reason, raw_line, raw_value) "
            "VALUES ('staging_events', '2018-11-01', 'run', %s, 'file', %s, 'userid', 1207, 'Invalid digit', '{', 'x')",
            [(datetime(2018, 11, 1, 5, number % 2), number) for number in range(40)],  # noqa: DTZ001
        )
    found = rows("rejected_rows")
    assert len(found) == 25
    assert [row[4] for row in found[:21]] == [*range(1, 40, 2), 0]
    assert {row[-2:] for row in found} == {("period", 40)}
    with psycopg.connect(tables.uri) as connection:
        connection.execute("UPDATE operations.rejected_rows SET period_start = NULL, batch_id = -1")
    assert {row[-2:] for row in rows("rejected_rows")} == {("object", 40)}
