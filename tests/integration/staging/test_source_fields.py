"""Fields that the source adds, renames or changes are recorded, and reported with file, line and column."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk.exceptions import AirflowFailException

from sandbox.airflow import aws_connection
from sparkify.operators import StageToRedshiftOperator
from sparkify.s3 import Bucket, S3Error
from sparkify.staging import source_fields as module
from tests.support.data import event, song, source_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab
    from sparkify.s3 import S3Object

DAY = ("2018-11-08", "2018-11-09")
EVENTS = ["stage_events"]
SONGS = ["stage_songs"]
MEGABYTE = 1_000_000
CHECK = "the log has the declared fields"


def events(count: int = 60, day: str = DAY[0]) -> list[dict[str, Any]]:
    return [event(f"{day}T05:{number % 60:02}", number) for number in range(count)]


def renamed(items: list[dict[str, Any]], old: str, new: str) -> list[dict[str, Any]]:
    return [{new if name == old else name: value for name, value in item.items()} for item in items]


def checked(lab: Lab, *, audit: bool = False) -> dict[str, Any]:
    """Evaluate the checks; return the result of the one of the fields."""
    dag_id, task = ("sparkify_audit", "audit") if audit else ("sparkify_warehouse", "data_quality")
    try:
        lab.run(*DAY, dag_id=dag_id, tasks=[task])
        failed = False
    except AirflowFailException:
        failed = True
    (result,) = [item for item in lab.xcoms[task]["checks"] if item["kind"] == "fields"]
    assert failed is (not result["passed"] and result["severity"] == "error")
    found: dict[str, Any] = result
    return found


def staged(lab: Lab, tasks: list[str] = EVENTS, **params: Any) -> Any:
    return lab.run(*DAY, tasks=tasks, **params)[tasks[-1]]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of the bytes of each sampling request."""
    sizes: list[int] = []
    read = Bucket.read_part

    def counted(self: Bucket, item: S3Object, part: str | None) -> Any:
        found = read(self, item, part)
        sizes.append(len(found[0]) if found else 0)
        return found

    monkeypatch.setattr(Bucket, "read_part", counted)
    return sizes


class TestTable:
    """What the table contains."""

    def test_members_types_counts_and_an_example(self, lab: Lab) -> None:
        lab.put_events(DAY[0], [event("2018-11-08T05:00", 1), event("2018-11-08T06:00", 2, userId="", extra=1)])
        staged(lab)
        period = datetime(2018, 11, 8)  # noqa: DTZ001 - as the database has it
        rows = lab.query(
            "SELECT field_name, column_name, json_type, occurrences, first_seen, last_seen, line_number, batch_id "
            "FROM operations.source_fields WHERE field_name IN ('ts', 'userId', 'extra') ORDER BY 1, 3"
        )
        assert rows == [
            ("extra", None, "missing", 1, period, period, 1, None),
            ("extra", None, "number", 1, period, period, 2, None),
            ("ts", "ts", "number", 2, period, period, 1, None),
            ("userId", "userid", "empty", 1, period, period, 2, None),
            ("userId", "userid", "string", 1, period, period, 1, None),
        ]
        files = lab.query("SELECT DISTINCT table_name, file_name FROM operations.source_fields")
        assert files == [("staging_events", f"s3://{lab.bucket}/log_data/2018/11/2018-11-08-events.json")]

    def test_no_value_of_the_source(self, lab: Lab) -> None:
        lab.put_events(DAY[0], [event("2018-11-08T05:00", firstName="Scheherazade")])
        staged(lab)
        rows = lab.query("SELECT CAST(f AS VARCHAR) FROM operations.source_fields AS f")
        assert len(rows) == 18
        assert not [row for row in rows if "Scheherazade" in str(row)]

    def test_of_objects_first_and_last_seen_are_their_modifications(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.put_song("two", song("SO2", title=311))
        staged(lab, SONGS)
        rows = lab.query(
            "SELECT batch_id, json_type, occurrences, last_seen - first_seen, file_name "
            "FROM operations.source_fields WHERE field_name = 'title' ORDER BY json_type"
        )
        folder = f"s3://{lab.bucket}/song_data/A/A/A"
        assert rows == [
            (1, "number", 1, timedelta(0), f"{folder}/two.json"),
            (1, "string", 1, timedelta(0), f"{folder}/one.json"),
        ]
        ((first,),) = lab.query("SELECT MIN(first_seen) FROM operations.source_fields")
        modified = next(item for page in lab.store.list("song_data") for item in page)["last_modified"]
        assert abs(first - modified.replace(tzinfo=None)) < timedelta(minutes=1)

    def test_a_batch_is_replaced_together_with_its_fields(self, lab: Lab) -> None:
        lab.put_song("one", song("SO1"))
        lab.put_song("two", song("SO2", extra=1))
        staged(lab, SONGS)
        lab.put_song("two", song("SO2"))
        lab.put("song_data/A/A/A/bad.json", '{"song_id": ')
        staged(lab, SONGS)
        found = lab.query("SELECT DISTINCT batch_id, occurrences FROM operations.source_fields")
        assert found == [(2, 2)]
        assert "extra" not in [row[2] for row in source_fields(lab)]
        lab.store.delete(["song_data/A/A/A/one.json", "song_data/A/A/A/two.json"])
        staged(lab, SONGS, accept_vanished=True)
        assert source_fields(lab) == []

    def test_a_deleted_file_has_no_fields(self, lab: Lab) -> None:
        lab.put_events(DAY[0], events())
        staged(lab)
        lab.store.delete("log_data/2018/11/2018-11-08-events.json")
        staged(lab, accept_vanished=True)
        assert source_fields(lab) == []

    def test_pretty_printed_objects(self, lab: Lab) -> None:
        lab.put("song_data/A/A/A/both.json", "\n".join(json.dumps(song(f"SO{n}"), indent=2) for n in range(3)))
        assert staged(lab, SONGS)["rows"] == 3
        assert {(row[2], row[5]) for row in source_fields(lab)} == {(name, 3) for name in song("SO1")}

    def test_a_rejected_row_does_not_matter(self, lab: Lab) -> None:
        lines = [json.dumps(event("2018-11-08T05:00")), '{"ts": ', "[]", json.dumps(event("2018-11-08T05:00"))]
        lab.put("log_data/2018/11/2018-11-08-events.json", "\n".join(lines))
        assert staged(lab, max_errors=5)["rejected"] == 2
        assert {row[5] for row in source_fields(lab)} == {2}

    @pytest.mark.parametrize(
        ("options", "compress", "sampled"),
        [(["GZIP"], gzip.compress, True), (["BZIP2"], bz2.compress, False)],
    )
    def test_compressed_files(
        self, lab: Lab, options: list[str], compress: Callable[[bytes], bytes], sampled: bool
    ) -> None:
        lab.put("songs/one", compress(json.dumps(song("SO1")).encode()))
        task = StageToRedshiftOperator(
            task_id="stage", table="staging_songs", bucket=lab.bucket, key="songs/", copy_options=options
        )
        assert lab.execute(task)["rows"] == 1
        assert len(source_fields(lab)) == (10 if sampled else 0)


class TestCost:
    """A sample is small, and taken only of files that have changed."""

    def test_unchanged_files_are_not_sampled_again(self, lab: Lab, reads: list[int]) -> None:
        lab.put_events(DAY[0], events())
        lab.put_song("one", song("SO1"))
        lab.run("2018-11-08T05:00", "2018-11-08T06:00")
        assert len(reads) == 2
        before = source_fields(lab)
        lab.run("2018-11-08T06:00", "2018-11-08T07:00")
        lab.run(*DAY)
        assert len(reads) == 2
        assert source_fields(lab) == before
        lab.put_events(DAY[0], events(61))
        lab.run(*DAY)
        assert len(reads) == 3

    def test_both_ends_of_a_large_file(self, lab: Lab, reads: list[int]) -> None:
        items = [*events(4_000), *renamed(events(20), "song", "title")]
        lab.put_events(DAY[0], items)
        staged(lab)
        assert reads == [module.OF_PERIOD.size // 2] * 2
        rows = lab.query("SELECT field_name, line_number FROM operations.source_fields WHERE json_type = 'string'")
        assert dict(rows)["title"] == 0
        assert dict(rows)["song"] == 1

    def test_a_range_of_many_files_reads_a_megabyte(self, lab: Lab, reads: list[int]) -> None:
        days = [f"2018-11-{day:02}" for day in range(1, 29)]
        for day in days:
            lab.put_events(day, events(300, day))
        lab.run(days[0], "2018-11-29", tasks=EVENTS)
        assert sum(reads) <= MEGABYTE
        assert len(reads) == 2 * module.PERIODS
        sampled = lab.query("SELECT DISTINCT period_start FROM operations.source_fields ORDER BY 1")
        assert len(sampled) == module.PERIODS
        assert (sampled[0][0].day, sampled[-1][0].day) == (1, 28)

    def test_many_objects_in_several_batches_read_a_megabyte(
        self, lab: Lab, reads: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sparkify.staging.ledger.BATCH_SIZE", 40)
        big = "\n".join(json.dumps(song(f"SO{number}", title=100 * "x")) for number in range(200))
        for number in range(90):
            lab.put(f"song_data/{number:03}.json", big)
        staged(lab, SONGS)
        assert MEGABYTE / 2 < sum(reads) <= MEGABYTE
        assert len(reads) <= 2 * module.OBJECTS.files
        assert lab.query("SELECT DISTINCT batch_id FROM operations.source_fields ORDER BY 1") == [(1,), (2,), (3,)]


class TestReports:
    """What the check reports."""

    def test_a_renamed_field(self, lab: Lab) -> None:
        lab.put_events("2018-11-07", events(60, "2018-11-07"))
        lab.put_events(DAY[0], [*events(2), *renamed(events()[2:], "userAgent", "user_agent")])
        lab.run("2018-11-07", "2018-11-08")
        staged(lab)
        result = checked(lab)
        file = f"s3://{lab.bucket}/log_data/2018/11/2018-11-08-events.json"
        assert result["severity"] == "error"
        assert result["sample"] == [
            {"field": "userAgent", "problem": "NULL in 97 % of 60 sampled objects, 0 % before", "columns": "useragent",
             "file": file, "line": 3},
            {"field": "user_agent", "problem": "new, of type string", "columns": None, "file": file, "line": 3},
            {"field": "userAgent", "problem": "missing in 58 of 60 sampled objects", "columns": "useragent",
             "file": file, "line": 3},
        ]  # fmt: skip
        assert f"user_agent is new, of type string ({file} line 3)" in result["observed"]

    @pytest.mark.parametrize(
        ("change", "problem", "severity"),
        [
            (lambda items: renamed(items, "userAgent", "user_agent"), "userAgent: missing", "error"),
            (lambda items: renamed(items, "auth", "authentication"), "auth: missing", "warn"),
            (lambda items: [{**item, "plan": "x"} for item in items], "plan: new", "warn"),
            (lambda items: [*items[1:], {**items[0], "userId": True}], "userId: type boolean", "error"),
            (lambda items: [{**item, "location": {}} for item in items], "location: type object", "error"),
            (lambda items: [{**item, "song": None} for item in items], "song: nulls", "error"),
            (lambda items: [{**item, "gender": None} for item in items], "gender: nulls", "warn"),
            (lambda items: [*items, {**items[0], "level": None}], "level: nulls", "error"),
        ],
    )
    def test_drift_is_reported_until_the_file_is_repaired(
        self, lab: Lab, change: Callable[[list[dict[str, Any]]], Any], problem: str, severity: str
    ) -> None:
        lab.put_events("2018-11-07", events(60, "2018-11-07"))
        lab.run("2018-11-07", "2018-11-08")
        lab.put_events(DAY[0], events())
        lab.run(*DAY, tasks=["stage_events", "load_songplays", "load_users", "load_time"])
        assert checked(lab)["passed"]
        lab.put_events(DAY[0], change(events()))
        staged(lab, max_errors=100)
        result = checked(lab)
        assert problem in result["problems"]
        assert result["severity"] == severity
        assert not result["passed"]
        lab.put_events(DAY[0], events())
        staged(lab)
        assert checked(lab)["passed"]

    def test_a_changed_song_object(self, lab: Lab) -> None:
        for number in range(60):
            lab.put_song(str(number), song(f"SO{number}"))
        lab.run(*DAY)
        assert checked(lab, audit=True)["observed"] == "10 fields in 60 sampled objects"
        lab.put_song("new", {name: value for name, value in song("SO99", label="x").items() if name != "year"})
        lab.run(*DAY)
        result = checked(lab, audit=True)
        assert (result["problems"], result["severity"]) == (["label: new", "year: missing"], "warn")
        assert {row["file"] for row in result["sample"]} == {f"s3://{lab.bucket}/song_data/A/A/A/new.json"}
        lab.put_song("new", song("SO99"))
        lab.run(*DAY)
        assert checked(lab, audit=True)["passed"]

    @pytest.mark.parametrize("name", ["events", "songs"])
    def test_hours_without_files_pass(self, lab: Lab, name: str) -> None:
        lab.put_song("one", song("SO1"))
        lab.run(*DAY)
        assert checked(lab, audit=name == "songs")["passed"]


class TestFailures:
    """Files that change or cannot be read meanwhile."""

    def test_a_file_that_changes_meanwhile_is_sampled_by_the_run_that_stages_it(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        lab.put_events(DAY[0], events())
        with monkeypatch.context() as patched:
            read = Bucket.read_part

            def replaced(self: Bucket, *arguments: Any) -> Any:
                lab.put_events(DAY[0], events(70))
                return read(self, *arguments)

            patched.setattr(Bucket, "read_part", replaced)
            staged(lab)
        assert source_fields(lab) == []
        assert "Not sampled, the file has changed" in caplog.text
        staged(lab)
        assert {row[5] for row in source_fields(lab)} == {70}

    @pytest.mark.parametrize("body", [None, b"x"])
    @pytest.mark.parametrize("part", ["bytes=0-99", "bytes=-100", None])
    def test_a_deleted_or_shorter_object_is_not_read(self, lab: Lab, body: bytes | None, part: str | None) -> None:
        lab.put("one", 300 * b"x")
        bucket = Bucket(lab.bucket, "aws")
        (item,) = bucket.objects("one")
        found = bucket.read_part(item, part)
        assert found
        assert len(found[0]) == (100 if part else 300)
        lab.store.delete("one")
        if body:
            lab.put("one", body)
        assert bucket.read_part(item, part) is None

    def test_a_server_that_answers_ranges_with_status_206(self, aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Like Amazon S3; rclone, the server of the other tests, answers them with 200."""
        monkeypatch.setenv("AIRFLOW_CONN_AWS", aws_connection(aws))
        client = AwsBaseHook(aws_conn_id="aws", client_type="s3").conn
        client.create_bucket(Bucket="ranges", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        client.put_object(Bucket="ranges", Key="one", Body=b"0123456789")
        bucket = Bucket("ranges", "aws")
        (item,) = bucket.objects("one")
        found = [bucket.read_part(item, part) for part in ("bytes=0-3", "bytes=-3", None)]
        assert [part[0] for part in found if part] == [b"0123", b"789", b"0123456789"]
        client.put_object(Bucket="ranges", Key="one", Body=b"0")
        assert bucket.read_part(item, "bytes=5-9") is None

    def test_an_unreadable_object_is_an_error(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.put("one", b"x")
        (item,) = Bucket(lab.bucket, "aws").objects("one")
        wrong = json.loads(lab.environment["AIRFLOW_CONN_AWS"])
        wrong["password"] = "mistyped"
        monkeypatch.setenv("AIRFLOW_CONN_AWS", json.dumps(wrong))
        with pytest.raises(S3Error, match="needs Get on the bucket"):
            Bucket(lab.bucket, "aws").read_part(item, None)
