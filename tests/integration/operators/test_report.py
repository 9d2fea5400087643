"""The daily report has the figures of its day, and is a self-contained page."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from moto.server import ThreadedMotoServer

from sandbox.airflow import aws_connection
from sparkify.dag.run import InvalidRunError
from sparkify.operators import report as module
from sparkify.s3 import Bucket
from sparkify.warehouse import WarehouseError
from sparkify.warehouse.postgres.session import Postgres
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.lab import Lab
    from tests.conftest import CopyOf

KEY = "reports/2018/11/2018-11-08.html"
DAY = "2018-11-08"


def report(lab: Lab, day: str = DAY) -> str:
    """Write the report of a day and return the page."""
    task = importlib.import_module("sparkify_report").dag.get_task("write_report")
    result = lab.execute(task, run={"partition_key": day, "run_id": f"asset_triggered__{day}"})
    page = bytes(lab.store.get(f"reports/{day[:4]}/{day[5:7]}/{day}.html").bytes())
    assert result["bytes"] == len(page)
    return page.decode()


def cards(page: str) -> dict[str, list[str]]:
    """Return the texts below each heading of a page."""

    class Reader(HTMLParser):
        tag = heading = ""

        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, list[str]] = {}

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tag = tag

        def handle_data(self, data: str) -> None:
            text = " ".join(data.split())
            if self.tag in ("h1", "h2") and text:
                self.heading = text
                self.found[text] = []
                self.tag = ""
            elif text and self.tag != "style" and self.heading:
                self.found[self.heading].append(text)

    reader = Reader()
    reader.feed(page)
    return reader.found


def ranking(texts: list[str], width: int) -> list[tuple[str, ...]]:
    """Return the rows of a table, each of some texts, below the head, which ends with "Plays"."""
    rows = texts[texts.index("Plays") + 1 :]
    return [tuple(rows[at : at + width]) for at in range(0, len(rows), width)]


def load_days(lab: Lab) -> None:
    """Load two days: three listeners, levels, a play that was delivered twice, a song that the catalogue knows."""
    lab.put_song("one", song("SO1"))
    lab.put_events("2018-11-07", [event("2018-11-07T23:59:59.999", 1, n, userId="8") for n in range(2)])
    today = [event(f"{DAY}T10:{n:02}:00", 2, n, userId="8", level="paid") for n in range(5)]
    today += [
        event(f"{DAY}T00:00:00", 3, 0, userId="9", song="Alejandro", artist="Lady Gaga", location=None),
        event(f"{DAY}T23:59:59.999", 4, 0, userId="10", song="<b>Bold</b>", artist="\"A\" & 'B'", location="Köln"),
        event(f"{DAY}T11:00:00", 4, 1, userId="10", page="Home", song=None, artist=None),
    ]
    lab.put_events(DAY, [*today, today[0]])
    lab.put_events("2018-11-09", [event("2018-11-09T00:00:00", 9, n, userId="11") for n in range(7)])
    lab.run("2018-11-07", "2018-11-10")


@pytest.fixture
def loaded(copy_of: CopyOf) -> Lab:
    """Return a lab with the two days."""
    return copy_of(load_days)


def test_figures_are_those_of_the_day(loaded: Lab) -> None:
    found = cards(report(loaded))
    assert found["Plays"] == ["7", "+250 %", "on the day before", "none a week before"]
    assert found["Listeners"] == ["3", "+200 %", "on the day before", "none a week before"]
    assert found["Sessions"] == ["3", "+200 %", "on the day before", "none a week before"]
    assert found["Paid share"] == ["71.4 %", "0.0 %", "the day before", "none a week before"]
    assert found["Daily active users"] == ["3", "+200 %", "on the day before", "none a week before"]
    assert found["Sign-ups"] == ["0", "none the day before", "none a week before"]
    assert found["Upgrades"] == [
        "0",
        "none the day before",
        "none a week before",
        "0.0 % of free listeners",
        "0 downgraded, 0 cancelled",
    ]


def test_charts_have_text_alternatives(loaded: Lab) -> None:
    found = cards(report(loaded))
    hours = [text for text in found["Plays by hour"] if " to " in text]
    assert len(hours) == 24
    assert hours[0] == "00:00 to 01:00: 1 play, 0 paid, 1 free"
    assert hours[10] == "10:00 to 11:00: 5 plays, 5 paid, 0 free"
    assert hours[11] == "11:00 to 12:00: 0 plays, 0 paid, 0 free"
    assert hours[23] == "23:00 to 24:00: 1 play, 0 paid, 1 free"
    days = [text for text in found["Plays by day"] if " listener" in text]
    assert len(days) == 14
    assert days[0] == "Fri 26 October: 0 plays, 0 listeners"
    assert days[-2:] == ["Wed 7 November: 2 plays, 1 listener", "Thu 8 November: 7 plays, 3 listeners"]


def test_columns_are_proportional_to_their_numbers(loaded: Lab) -> None:
    page = report(loaded)
    hours, days = re.findall(r'<div class="columns".*?<div class="labels"', page, re.DOTALL)
    assert re.findall(r'<i class="(\w*)" style="height: ([\d.]+)%">', hours) == [
        ("free", "20.00"),
        ("paid", "100.00"),
        ("free", "20.00"),
    ]
    assert re.findall(r'<i class="(\w*)" style="height: ([\d.]+)%">', days) == [("", "28.57"), ("paid", "100.00")]


def test_rankings_have_the_names_of_the_app(loaded: Lab) -> None:
    found = cards(report(loaded))
    assert ranking(found["Most played songs"], 3) == [
        ("You Gotta Be", "Des'ree", "5"),
        ("<b>Bold</b>", "\"A\" & 'B'", "1"),
        ("Alejandro", "Lady Gaga", "1"),
    ]
    assert ranking(found["Most played artists"], 2) == [("Des'ree", "5"), ("\"A\" & 'B'", "1"), ("Lady Gaga", "1")]
    assert ranking(found["Places with the most plays"], 3) == [
        ("Phoenix-Mesa-Scottsdale, AZ", "1", "5"),
        ("Köln", "1", "1"),
        ("unknown", "1", "1"),
    ]


def test_a_query_that_the_page_does_not_know_becomes_a_table(loaded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    task = importlib.import_module("sparkify_report").dag.get_task("write_report")
    query = (
        "-- Plays by level\n-- As it was then.\nSELECT level, COUNT(*) AS all_plays FROM songplays "
        "WHERE {{ scope('start_time') }} GROUP BY level ORDER BY level"
    )
    monkeypatch.setattr(task, "queries", [*task.queries, query, "-- Nothing\nSELECT 1 AS one WHERE FALSE"])
    monkeypatch.setattr(task, "names", [*task.names, "levels", "nothing"])
    found = cards(report(loaded))
    assert found["Plays by level"] == ["As it was then.", "Level", "All plays", "free", "2", "paid", "5"]
    assert found["Nothing"] == ["No rows on this day."]


def test_it_describes_its_sources(loaded: Lab) -> None:
    with psycopg.connect(loaded.uri) as connection:
        connection.execute(
            "INSERT INTO operations.rejected_rows (table_name, period_start, run_id, rejected_at, file_name, "
            "line_number, error_code) VALUES ('staging_events', '2018-11-08', 'r', now(), 'f', 1, 1207), "
            "('staging_events', '2018-11-09', 'r', now(), 'f', 1, 1207), ('staging_songs', NULL, 'r', now(), 'f', 1, 1)"
        )
    about = " ".join(cards(report(loaded))["About these figures"])
    assert "Period from 2018-11-08 00:00 up to 2018-11-09 00:00 UTC" in about
    assert "Source 9 events in the day's log, with 7 distinct plays" in about
    assert "Rejected 1 line of the day's log" in about
    assert "Catalogue 5 of 7 plays" in about
    assert re.search(r"Created 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", about)
    assert about.endswith("DAG sparkify_report, run asset_triggered__2018-11-08")


def test_input_of_clients_is_escaped(loaded: Lab) -> None:
    page = report(loaded)
    assert "<b>Bold</b>" not in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>Bold</b>" in unescape(page)


def test_the_page_is_one_file(loaded: Lab) -> None:
    page = report(loaded)
    assert re.findall(r"<(?:script|link|img|iframe|object)\b", page) == []
    assert re.findall(r"url\(|@import", page) == []
    # Its only link is to the run.
    assert re.findall(r'(?:href|src)="([^"]+)"', page) == ["http://airflow/sparkify_report/write_report"]
    assert page.startswith("<!doctype html>")


def test_a_day_without_plays_says_so(loaded: Lab) -> None:
    found = cards(report(loaded, "2018-11-12"))
    assert "The day has no events either" in found["No plays on this day"][0]
    assert "Fri 9 November: 7 plays, 1 listener" in found["Plays by day"]
    assert "Plays" not in found
    assert "Most played songs" not in found


def test_a_day_of_events_without_plays_says_so(loaded: Lab) -> None:
    loaded.put_events("2018-12-24", [event("2018-12-24T08:00:00", 1, 0, page="Home")])
    loaded.run("2018-12-24", "2018-12-25")
    found = cards(report(loaded, "2018-12-24"))
    assert found["No plays on this day"] == ["The day has 1 event, but none of them is a play."]
    assert "Plays by day" not in found


def test_a_report_is_replaced(loaded: Lab) -> None:
    before = report(loaded)
    loaded.put_events(DAY, [event(f"{DAY}T10:00:00", 2, 0)])
    loaded.run(DAY, "2018-11-09")
    assert cards(before)["Plays"][0] == "7"
    assert cards(report(loaded))["Plays"][0] == "1"
    assert [item["path"] for batch in loaded.store.list("reports/") for item in batch] == [KEY]


def test_all_queries_see_the_same_snapshot(loaded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run replaces the day while the report is being written."""
    table = Postgres.table
    left = [1]

    def disturbed(self: Postgres, sql: str) -> Any:
        found = table(self, sql)
        if left and left.pop():
            with psycopg.connect(loaded.uri) as connection:
                for name in ("daily_activity", "daily_users", "daily_songs", "hourly_plays"):
                    connection.execute(f"DELETE FROM {name} WHERE day >= '{DAY}'")
        return found

    monkeypatch.setattr(Postgres, "table", disturbed)
    found = cards(report(loaded))
    assert not left
    assert found["Plays"][0] == "7"
    assert found["Most played artists"][2:4] == ["Des'ree", "5"]
    assert cards(report(loaded))["No plays on this day"]


def at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock of the report."""
    monkeypatch.setattr(module, "datetime", SimpleNamespace(now=lambda zone: moment.replace(tzinfo=zone)))


def checked(lab: Lab, *runs: tuple[str, str, str]) -> None:
    """Record intervals as loaded and checked: start, end, and time of the check."""
    with psycopg.connect(lab.uri) as connection:
        connection.cursor().executemany(
            "INSERT INTO operations.data_quality_results VALUES ('sparkify_warehouse', 'r', 'scheduled', %s, %s, %s, "
            "'songplays', 'c', 'unique', 'error', 'interval', 'passed', '', '', 0, 0, '', 0)",
            runs,
        )


def test_a_day_that_is_not_over_is_compared_with_the_same_part_of_other_days(
    loaded: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [
        event(f"2018-11-07T{time}", 1, n, userId="8") for n, time in enumerate(["10:59:59", "11:00:00", "23:00:00"])
    ]
    loaded.put_events("2018-11-07", [*before, event("2018-11-07T01:00:00", 5, 0, userId="9", level="paid")])
    loaded.run("2018-11-07", "2018-11-08")
    loaded.put_events("2018-11-01", [event("2018-11-01T11:00:00", 6, 9)])
    loaded.run("2018-11-01", "2018-11-02")
    at(datetime(2018, 11, 8, 11, 20), monkeypatch)  # noqa: DTZ001 - the zone is the caller's
    checked(loaded, (f"{DAY} 09:00", f"{DAY} 10:00", f"{DAY} 10:02"), (f"{DAY} 10:00", f"{DAY} 11:00", f"{DAY} 11:02"))
    page = report(loaded)
    found = cards(page)
    (notice,) = found["The day is not over"]
    assert notice.startswith("It is loaded up to 11:00 UTC. The figures cover this part of the day, and are compared")
    assert found["Thursday, 8 November 2018"] == ["00:00 to 11:00 UTC. All times are UTC."]
    # Before 11:00 there are 6 plays by 2 listeners in 2 sessions, 5 of them paid; the day before, 2 by 2 in 2, 1 paid.
    assert found["Plays"][1:] == ["+200 %", "on the day before by 11:00", "none a week before by 11:00"]
    assert found["Listeners"][1:] == ["as the day before by 11:00", "none a week before by 11:00"]
    assert found["Sessions"][1:] == ["as the day before by 11:00", "none a week before by 11:00"]
    assert found["Paid share"][1:] == ["50.0 %", "the day before by 11:00", "none a week before by 11:00"]
    hours = [text for text in found["Plays by hour"] if " to " in text]
    assert hours[9] == "09:00 to 10:00: 0 plays, 0 paid, 0 free"
    assert hours[12] == "12:00 to 13:00: not loaded yet"
    assert "This day so far and the 13 before it" in found["Plays by day"]
    assert "Thu 8 November: 7 plays, 3 listeners so far" in found["Plays by day"]
    assert "Period from 2018-11-08 00:00 up to 2018-11-08 11:00 UTC" in " ".join(found["About these figures"])


def test_an_unloaded_day_is_marked(loaded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    at(datetime(2018, 11, 12, 0, 20), monkeypatch)  # noqa: DTZ001
    checked(loaded, ("2018-11-11 23:00", "2018-11-12 00:00", "2018-11-12 00:02"))
    found = cards(report(loaded, "2018-11-12"))
    assert found["The day is not over"] == [
        "None of it is loaded yet. The report is written again when the day is complete."
    ]


def test_a_range_into_the_future_is_loaded_up_to_the_time_of_its_checks(
    loaded: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(datetime(2018, 11, 8, 11, 20), monkeypatch)  # noqa: DTZ001
    checked(loaded, ("2018-11-01", "2030-01-01", f"{DAY} 11:10"), ("2029-01-01", "2030-01-01", f"{DAY} 11:15"))
    assert "loaded up to 11:10 UTC" in cards(report(loaded))["The day is not over"][0]


def test_a_future_day_is_rejected(loaded: Lab) -> None:
    with pytest.raises(
        InvalidRunError, match=r"\[2190-05-01 00:00, .*\) has not begun: expected a start before 20.*earlier"
    ):
        report(loaded, "2190-05-01")
    assert list(loaded.store.list("reports/")) == []


def test_missing_tables_are_reported(empty_lab: Lab) -> None:
    with pytest.raises(AirflowFailException, match=r'"metrics.plays" does not exist \(SQLSTATE 42P01\)') as caught:
        report(empty_lab)
    assert isinstance(caught.value.__cause__, psycopg.errors.UndefinedTable)


def test_an_unreachable_warehouse_is_reported(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", "postgres://nobody@127.0.0.1:1/none")
    with pytest.raises(WarehouseError, match=r"127\.0\.0\.1:1 .*is unreachable"):
        report(lab)


@pytest.mark.sample
def test_the_real_sample(sample_lab: Lab) -> None:
    """Compared with the log, counted in Python."""
    sample_lab.run("2018-11-01", "2018-11-11")
    body = bytes(sample_lab.store.get("log_data/2018/11/2018-11-05-events.json").bytes()).decode()
    events = [json.loads(line) for line in body.splitlines()]
    plays = [item for item in events if item["page"] == "NextSong"]
    found = cards(report(sample_lab, "2018-11-05"))
    assert found["Plays"][0] == str(len(plays)) == "356"
    assert found["Listeners"][0] == str(len({item["userId"] for item in plays}))
    assert found["Sessions"][0] == "42"  # that began on the day
    artists = sorted(Counter(item["artist"] for item in plays).items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert ranking(found["Most played artists"], 2) == [(artist, str(number)) for artist, number in artists]
    songs = Counter((item["song"], item["artist"]) for item in plays)
    first = sorted(songs.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert ranking(found["Most played songs"], 3) == [(*names, str(number)) for names, number in first]
    hours = Counter(int(item["ts"] / 3_600_000) % 24 for item in plays)
    shown = re.findall(r"(\d\d):00 to \d\d:00: (\d+) plays?", " ".join(found["Plays by hour"]))
    assert {int(hour): int(number) for hour, number in shown if int(number)} == hours


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of an S3 server that stores the metadata of objects."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    monkeypatch.setenv("AIRFLOW_CONN_AWS", aws_connection(endpoint, region_name="us-east-1"))
    yield endpoint
    server.stop()


def test_the_content_type_is_html(moto: str) -> None:
    client = boto3.client(
        "s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="pages")
    bucket = Bucket("pages", "aws")
    bucket.put("page", b"<!doctype html>", content_type="text/html; charset=utf-8")
    assert client.head_object(Bucket="pages", Key="page")["ContentType"] == "text/html; charset=utf-8"
