"""Staging errors are explained and recorded, and change no staged rows."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox import servers
from sandbox.airflow import aws_connection
from sparkify.operators import StageToRedshiftOperator
from sparkify.s3 import S3Error
from sparkify.staging.period_copy import PeriodCopy
from sparkify.warehouse import CopyFailedError, RejectedRow, WarehouseError
from sparkify.warehouse.postgres.session import Postgres
from tests.integration.operators.test_stage_to_redshift import DAY, EVENTS, FIVE, staged
from tests.support.data import event, song

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab


def with_fields(task: object, **fields: object) -> StageToRedshiftOperator:
    """Return a copy of a staging task with other fields."""
    import copy

    assert isinstance(task, StageToRedshiftOperator)
    changed = copy.copy(task)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


class TestRejectedRows:
    """Rejected rows are recorded once, with the staged rows of their file."""

    LINES = "SELECT line_number, column_name, error_code FROM operations.rejected_rows ORDER BY line_number"
    BROKEN = event("2018-11-01T05:11", 2) | {"ts": None}

    def test_rejects_of_a_day_are_not_duplicated(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), self.BROKEN, event("2018-11-01T06:10", None)])
        six = ("2018-11-01T06:00", "2018-11-01T07:00")
        for hour in (six, FIVE, DAY, six):
            result = lab.run(*hour, tasks=EVENTS, max_errors=2)["stage_events"]
            assert result["rejected"] == 2
            assert lab.query(self.LINES) == [(2, "ts", 1213), (3, "sessionid", 1213)]
        assert lab.query(
            "SELECT table_name, period_start, batch_id, run_id, file_name, reason, raw_value "
            "FROM operations.rejected_rows WHERE line_number = 2"
        ) == [
            (
                "staging_events",
                datetime(2018, 11, 1),  # noqa: DTZ001 - TIMESTAMP has no zone
                None,
                f"manual__{six[0]}",
                f"s3://{lab.bucket}/log_data/2018/11/2018-11-01-events.json",
                "Missing data for not-null field",
                "",
            )
        ]
        raw = lab.one("SELECT raw_line FROM operations.rejected_rows WHERE line_number = 2")
        assert json.loads(raw) == self.BROKEN
        assert lab.one("SELECT NOW() AT TIME ZONE 'UTC' - MAX(rejected_at) FROM operations.rejected_rows") < timedelta(
            minutes=1
        )

    def test_rejects_of_other_periods_are_kept(self, lab: Lab) -> None:
        for day in ("2018-11-01", "2018-11-02", "2018-11-03"):
            lab.put_events(day, [{"page": "Home"}])
        lab.run("2018-11-01", "2018-11-04", tasks=EVENTS, max_errors=1)
        lab.put_events("2018-11-02", [event("2018-11-02T05:10", 1)])
        lab.run("2018-11-02", "2018-11-03", tasks=EVENTS)
        assert lab.query("SELECT CAST(period_start AS VARCHAR) FROM operations.rejected_rows ORDER BY 1") == [
            ("2018-11-01 00:00:00",),
            ("2018-11-03 00:00:00",),
        ]

    def test_rejects_of_a_deleted_file_are_removed(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [self.BROKEN])
        lab.run(*DAY, tasks=EVENTS, max_errors=1)
        lab.store.delete("log_data/2018/11/2018-11-01-events.json")
        lab.run(*DAY, tasks=EVENTS, accept_vanished=True)
        assert lab.query(self.LINES) == []

    def test_rejects_of_a_failed_copy_remain_until_one_succeeds(
        self, lab: Lab, caplog: pytest.LogCaptureFixture
    ) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), self.BROKEN])
        for _ in range(2):
            with pytest.raises(AirflowFailException):
                lab.run(*FIVE, tasks=EVENTS)
            assert staged(lab) == []
            assert lab.query(self.LINES) == [(2, "ts", 1213)]
        lab.run(*FIVE, tasks=EVENTS, max_errors=1)
        assert "Rows were rejected: rows=1 source=s3://" in caplog.text
        assert "operations.rejected_rows" in caplog.text
        assert lab.query(self.LINES) == [(2, "ts", 1213)]
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        lab.run("2018-11-01T06:00", "2018-11-01T07:00", tasks=EVENTS)
        assert lab.query(self.LINES) == []

    def test_those_of_a_failed_copy_do_not_replace_those_of_a_concurrent_run(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab.put_events("2018-11-01", [self.BROKEN])
        land = PeriodCopy.into

        def overtaken(self: PeriodCopy, *arguments: Any, **named: Any) -> Any:
            try:
                return land(self, *arguments, **named)
            except CopyFailedError:
                monkeypatch.undo()
                for name, value in lab.environment.items():
                    monkeypatch.setenv(name, value)
                lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
                lab.run(*DAY, tasks=["stage_events"])
                raise

        monkeypatch.setattr(PeriodCopy, "into", overtaken)
        with pytest.raises(AirflowFailException):
            lab.run(*FIVE, tasks=["stage_events"])
        assert staged(lab) == [1]
        assert lab.query(self.LINES) == []

    def test_an_error_of_s3_after_rejected_rows_is_retried(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.put_events("2018-11-01", [self.BROKEN])

        def fail(self: Postgres, command: str) -> Any:
            raise CopyFailedError("S3 is slow", [RejectedRow("s3://a/b", 2, "ts", 1213, "Missing")], terminal=False)

        monkeypatch.setattr(Postgres, "_copy", fail)
        with pytest.raises(CopyFailedError, match="S3 is slow"):
            lab.run(*DAY, tasks=["stage_events"], max_errors=5)

    def test_long_text_is_truncated(self, lab: Lab) -> None:
        value = "%s ' \\ \0 ? é" + 9000 * "é"
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1, userId=value)])
        lab.run(*DAY, tasks=EVENTS, max_errors=1)
        ((raw, kept),) = lab.query("SELECT raw_line, raw_value FROM operations.rejected_rows")
        assert kept == value.replace("\0", ".").encode()[:4096].decode(errors="ignore")
        assert len(raw.encode()) in (4095, 4096)


class TestBadInput:
    """Each error names its object, and no staged row is lost."""

    @pytest.fixture(autouse=True)
    def loaded(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1)])
        lab.run(*DAY, tasks=EVENTS)

    def fails(
        self, lab: Lab, match: str, error: type[Exception] = AirflowFailException, **fields: object
    ) -> pytest.ExceptionInfo[Exception]:
        """Return the error of the task: by default one that is not retried."""
        task = with_fields(lab.dag.get_task("stage_events"), **fields)
        with pytest.raises(error, match=match) as caught:
            lab.execute(task, start=DAY[0], end=DAY[1])
        assert isinstance(caught.value, AirflowFailException) == (error is AirflowFailException)
        assert staged(lab) == [1]
        return caught

    def test_malformed_json(self, lab: Lab) -> None:
        good = json.dumps(event("2018-11-01T05:10", 1))
        lab.put("log_data/2018/11/2018-11-01-events.json", f'{good}\n{{"artist": "x", "ts": }}\n{good}')
        self.fails(lab, r"(?s)log_data/2018/11/2018-11-01-events.json line 2.*position \d+")

    def test_a_value_too_long(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 2, level="é" * 9)])
        self.fails(lab, r"(?s)line 1.*level.*1204")

    def test_a_wrong_type(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 2, userId="eight")])
        self.fails(lab, r"line 1, column userid: .*, got 'eight' \(error 1207\)")

    def test_personal_values_are_not_shown(self, lab: Lab) -> None:
        lab.put_events("2018-11-01", [event("2018-11-01T05:10", 2, lastName=300 * "Summers")])
        caught = self.fails(lab, r"line 1, column lastname: .* \(error 1204\)")
        assert "Summers" not in str(caught.value)

    def test_a_corrupt_file(self, lab: Lab) -> None:
        self.fails(
            lab,
            r"(?s)^A file of .*Correct the file and clear the task\.\n- s3://.*events\.json: .* \(error 9001\)$",
            copy_options=["TIMEFORMAT 'epochmillisecs'", "GZIP"],
        )

    def test_a_column_that_does_not_exist(self, lab: Lab) -> None:
        """The database rejects a statement because of its content: SQLSTATE 42703."""
        self.fails(lab, r'column "tz" does not exist \(SQLSTATE 42703\)\. A retry', interval_column="tz")

    def test_a_missing_bucket(self, lab: Lab) -> None:
        self.fails(lab, "no-such-bucket", bucket="no-such-bucket")

    def test_a_missing_jsonpaths_file(self, lab: Lab) -> None:
        self.fails(lab, "paths.json", error=WarehouseError, jsonpaths=f"s3://{lab.bucket}/paths.json")

    def test_an_invalid_jsonpaths_file(self, lab: Lab) -> None:
        lab.put("paths.json", '{"jsonpaths": ["$.artist"')
        self.fails(lab, r"paths\.json", jsonpaths=f"s3://{lab.bucket}/paths.json")

    def test_an_unknown_copy_option(self, lab: Lab) -> None:
        self.fails(lab, "FIXEDWIDTH", copy_options=["FIXEDWIDTH 'a:1'"])

    def test_rejected_credentials(self, lab: Lab, monkeypatch: pytest.MonkeyPatch, s3: servers.S3Server) -> None:
        secret = "a-secret-nobody-may-see"
        monkeypatch.setenv("AIRFLOW_CONN_AWS", aws_connection(s3.endpoint, secret_key=secret))
        with pytest.raises(S3Error, match="refused") as caught:
            lab.run(*DAY, tasks=EVENTS)
        assert secret not in "".join(traceback.format_exception(caught.value))
        assert staged(lab) == [1]

    def test_a_missing_connection(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT")
        with pytest.raises(WarehouseError, match=r"'redshift' does not exist.*AIRFLOW_CONN_REDSHIFT"):
            lab.run(*DAY, tasks=EVENTS)

    def test_a_missing_aws_connection(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AIRFLOW_CONN_AWS")
        with pytest.raises(S3Error, match="`aws`"):
            lab.run(*DAY, tasks=EVENTS)

    def test_a_database_that_is_down_can_be_retried(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        down = {"conn_type": "postgres", "host": str(tmp_path), "login": "postgres", "schema": "x"}
        with monkeypatch.context() as patched:
            patched.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(down))
            with pytest.raises(WarehouseError, match=r"'redshift', type postgres\) is unreachable") as caught:
                lab.run(*DAY, tasks=EVENTS)
            assert not isinstance(caught.value, AirflowFailException)
        lab.run(*DAY, tasks=EVENTS)

    def test_a_database_without_a_free_connection_can_be_retried(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limited = {**json.loads(lab.environment["AIRFLOW_CONN_REDSHIFT"]), "login": "limited"}
        with psycopg.connect(lab.uri, autocommit=True) as connection, monkeypatch.context() as patched:
            connection.execute("CREATE ROLE limited LOGIN CONNECTION LIMIT 0")
            patched.setenv("AIRFLOW_CONN_REDSHIFT", json.dumps(limited))
            try:
                with pytest.raises(
                    WarehouseError, match=r"no free connection: .*too many connections.*fewer"
                ) as caught:
                    lab.run(*DAY, tasks=EVENTS)
            finally:
                connection.execute("DROP ROLE limited")
            assert not isinstance(caught.value, AirflowFailException)
        lab.run(*DAY, tasks=EVENTS)

    def test_no_secret_is_logged(self, lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        lab.put_song("one", song("SO1"))
        lab.run(*DAY)
        assert "COPY" in caplog.text
        assert servers.SECRET_KEY not in caplog.text
