"""Files that COPY accepts, but that are invalid: events with an invalid timestamp, files without rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.integration.operators.test_stage_to_redshift import DAY, EVENTS, FIVE, LAST, staged
from tests.support.data import event

if TYPE_CHECKING:
    from sandbox.lab import Lab

DAY_START = 1_541_030_400_000  # 2018-11-01, in milliseconds
# Milliseconds, and the text of the database for them.
ABSURD = {
    "microseconds sent as milliseconds": (DAY_START * 1000, "50803-"),
    "before the lower bound": (-1, "1969-12-31 23:59:59.999"),
    "before Christ": (-100_000_000_000_000, "BC"),
    "far in the future": (253_402_300_799_000, "9999-12-31 23:59:59"),
    "the upper bound": (7_258_118_400_000, "2200-01-01 00:00:00"),
}
REJECTED = "SELECT file_name, line_number, column_name, error_code, raw_value, reason FROM operations.rejected_rows"


def at(ts: int, session: int = 2) -> dict[str, object]:
    return event("2018-11-01T05:10", session) | {"ts": ts}


class TestInvalidTimestamps:
    @pytest.mark.parametrize("kind", ABSURD)
    def test_they_are_rejected_like_other_invalid_rows(self, lab: Lab, kind: str) -> None:
        ts, value = ABSURD[kind]
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), at(ts)])
        file = f"s3://{lab.bucket}/log_data/2018/11/2018-11-01-events.json"
        for hours in (FIVE, LAST, DAY):
            with pytest.raises(AirflowFailException, match=r"(?s)More than 0 rows of .*a max_errors above 0") as caught:
                lab.run(*hours, tasks=EVENTS)
            assert value in str(caught.value)
            assert "landing" not in str(caught.value)
            assert staged(lab) == []
            ((name, line, column, code, raw, reason),) = lab.query(REJECTED)
            assert (name, line, column, code) == (file, 0, "ts", 1)
            assert value in raw
            assert reason == f"ts is {raw}: the warehouse accepts [1970-01-01, 2200-01-01)"
        result = lab.run(*DAY, max_errors=1)["stage_events"]
        assert (result["rows"], result["rejected"], result["strays"]) == (1, 1, 0)
        assert staged(lab) == [1]
        assert len(lab.query(REJECTED)) == 1

    def test_the_bounds_are_valid(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [at(0, 1), at(7_258_118_399_999, 2)])
        assert lab.run(*DAY, tasks=EVENTS)["stage_events"]["strays"] == 2

    def test_they_count_towards_max_errors(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), at(-1), event("2018-11-01T05:10", None)])
        with pytest.raises(AirflowFailException, match="More than 1 rows"):
            lab.run(*DAY, tasks=EVENTS, max_errors=1)
        assert [code for *_, code, _, _ in lab.query(REJECTED)] == [1213, 1]
        assert lab.run(*DAY, tasks=EVENTS, max_errors=2)["stage_events"]["rejected"] == 2

    def test_with_several_files_the_prefix_is_recorded(self, lab: Lab) -> None:
        for part in "ab":
            lab.put_events("2018-11-01", [at(-1, ord(part))])
            lab.store.rename(
                "log_data/2018/11/2018-11-01-events.json", f"log_data/2018/11/2018-11-01-events.json.{part}"
            )
        lab.run(*DAY, tasks=EVENTS, max_errors=2)
        prefix = f"s3://{lab.bucket}/log_data/2018/11/2018-11-01-events.json"
        assert [name for name, *_ in lab.query(REJECTED)] == [prefix, prefix]

    def test_all_are_counted_and_the_first_1000_recorded(self, lab: Lab) -> None:
        lab.put_events(
            "2018-11-01", [event("2018-11-01T05:10", 1), *(at(-session, session) for session in range(1, 1502))]
        )
        assert lab.run(*DAY, tasks=EVENTS, max_errors=2000)["stage_events"]["rejected"] == 1501
        assert len(lab.query(REJECTED)) == 1000

    def test_they_are_deleted_when_the_file_is_corrected(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [at(-1)])
        lab.run(*DAY, tasks=EVENTS, max_errors=1)
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        lab.run(*FIVE, tasks=EVENTS)
        assert lab.query(REJECTED) == []


class TestFilesWithoutRows:
    @pytest.mark.parametrize("content", ["", "\n \n"])
    def test_a_file_without_rows_is_logged_and_counted(
        self, lab: Lab, content: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        lab.put("log_data/2018/11/2018-11-01-events.json", content)
        assert lab.run(*FIVE, tasks=EVENTS)["stage_events"]["empty"] == 1
        (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        url = f"s3://{lab.bucket}/log_data/2018/11/2018-11-01-events.json"
        assert warning.endswith(f"file={url} bytes={len(content)}")

    def test_an_empty_file_among_others(self, lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        lab.put("log_data/2018/11/2018-11-01-events.json.2", "")
        result = lab.run(*FIVE, tasks=EVENTS)["stage_events"]
        assert (result["rows"], result["empty"]) == (1, 1)
        assert "events.json.2 bytes=0" in caplog.text

    def test_a_file_whose_rows_are_rejected_or_of_other_hours_is_not_empty(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T06:10", 1)])
        assert lab.run(*FIVE, tasks=EVENTS)["stage_events"]["empty"] == 0
        lab.put_events("2018-11-01", [event("2018-11-01T06:10", None)])
        assert lab.run(*FIVE, tasks=EVENTS, max_errors=1)["stage_events"]["empty"] == 0
        lab.put_events("2018-11-01", [at(-1)])
        assert lab.run(*FIVE, tasks=EVENTS, max_errors=1)["stage_events"]["empty"] == 0


def test_the_error_about_too_many_rejected_rows_has_the_remedies(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T05:11", 2, status="bad")])
    with pytest.raises(AirflowFailException) as caught:
        lab.run(*FIVE, tasks=EVENTS)
    source = f"s3://{lab.bucket}/log_data/2018/11/2018-11-01-events.json"
    first, remedies, row = str(caught.value).split("\n")
    assert first == (
        f"More than 0 rows of {source} were rejected: nothing of [2018-11-01 05:00, 2018-11-01 06:00) was staged."
    )
    assert remedies == (
        "Correct the file and clear the task; operations.rejected_rows has file, line, column and reason. Or load the "
        "other rows: trigger the DAG again with start=2018-11-01T05:00:00Z, end=2018-11-01T06:00:00Z and a max_errors "
        "above 0; clearing the task cannot change params."
    )
    assert row.startswith(f"- {source} line 2, column status: Invalid digit")
    assert row.endswith(", got 'bad' (error 1207)")
    # The web UI shows the message of an exception in one line, and a record of the log in several.
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [str(caught.value)]
