"""The DAG loads the same tables over the Redshift client as on PostgreSQL."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import servers
from sparkify.operators import ReconcileOperator
from sparkify.warehouse import WarehouseError
from tests.integration.operators.test_report import report
from tests.redshift.endpoint import PASSWORD, ROLE
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector

DAY = ("2018-11-01", "2018-11-02")


def fill(lab: Lab, *, songs: int = 5) -> None:
    """Write songs and two days of events, including a stray."""
    plays = [
        event(
            f"2018-11-01T{number % 24:02}:00:00.{number:03}000", number, 0, userId=str(number % 7), song=f"T {number}"
        )
        for number in range(60)
    ]
    stray = event("2018-11-02T03:00:00", 500, 0, userId="8", level="paid")
    lab.put_events(DAY[0], [*plays, plays[0], event("2018-11-01T04:00:00", 400, 0, page="Home", userId=""), stray])
    lab.put_events(DAY[1], [event("2018-11-02T05:00:00", 600, 0, userId="3", level="paid")])
    for number in range(songs):
        lab.put_song(str(number), song(f"SO{number}", title=f"T {number}", artist_name="Des'ree", year=2000 + number))


def history(lab: Lab) -> None:
    """Load hours, days, reruns and a full refresh, with late, changed and deleted songs."""
    fill(lab, songs=3)
    lab.run("2018-11-01T04:00", "2018-11-01T05:00")
    lab.run(*DAY)
    fill(lab)
    lab.put_song("1", song("SO1", title="T 1", artist_name="Desree", year=2020))
    lab.store.delete("song_data/A/A/A/2.json")
    lab.run("2018-11-02T05:00", "2018-11-02T06:00", accept_vanished=True)
    lab.run(*DAY)
    lab.run("2018-11-01", "2018-11-03", full_refresh=True)


def on_postgres(make_lab: Callable[[], Lab], work: Callable[[Lab], Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables after the same work on PostgreSQL."""
    lab = make_lab()
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in lab.environment.items():
            patch.setenv(variable, value)
        work(lab)
    return lab.tables()


def test_tables_are_the_same(redshift: Lab, endpoint: Endpoint, make_lab: Callable[[], Lab]) -> None:
    history(redshift)
    assert len(endpoint.startups) >= 5 * 8  # one session per task
    assert redshift.tables() == on_postgres(make_lab, history)
    expected = {
        "staging_events": 64, "staging_songs": 4, "songplays": 62, "users": 8, "songs": 4, "artists": 1, "time": 62,
        "events": 63, "daily_songs": 61, "monthly_songs": 61, "daily_users": 9, "daily_activity": 2,
    }  # fmt: skip
    assert redshift.counts() | expected == redshift.counts()


def test_tasks_report_the_same_counts(
    redshift: Lab, make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(redshift)
    local = make_lab()
    fill(local)
    results = [redshift.run(*DAY)]
    for variable, value in local.environment.items():
        monkeypatch.setenv(variable, value)
    results.append(local.run(*DAY))
    for result in results:
        del result["create_tables"]  # PostgreSQL has indexes
        for counts in result.values():
            counts.pop("seconds")
    assert results[0] == results[1]
    assert results[0]["load_songplays"] == {"rows": 61}
    assert results[0]["load_users"] == {"rows": 8}


def changed_files(lab: Lab) -> None:
    """Load days in parts, then change, add and delete files, and reconcile until at rest."""
    fill(lab)
    lab.run("2018-11-01T04:00", "2018-11-01T05:00")
    lab.run("2018-11-02", "2018-11-03")
    lab.put_events("2018-11-05", [event("2018-11-05T05:00:00", 700, 0, userId="3")])
    lab.run("2018-11-05", "2018-11-06")
    assert lab.reconcile() == ["2018-11-01T00:00_2018-11-02T00:00"]
    lab.put_events("2018-11-03", [event("2018-11-03T05:00:00", 800, 0, userId="4")])
    lab.put_events("2018-11-04", [event("2018-11-04T05:00:00", 801, 0, userId="5")])
    lab.store.delete("log_data/2018/11/2018-11-05-events.json")
    assert lab.reconcile() == ["2018-11-03T00:00_2018-11-05T00:00"]
    rows = lab.query("SELECT state, version, run_id, attempts FROM operations.source_differences")
    assert [(row[0], row[2], row[3]) for row in rows] == [("vanished", None, 0)]


def test_a_reconciliation_is_the_same(
    redshift: Lab, endpoint: Endpoint, make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReconcileOperator, "now", lambda self: datetime.now(UTC) + timedelta(days=1))
    changed_files(redshift)
    assert sum("\nLOCK operations.source_differences" in sql for sql in endpoint.received) >= 4
    assert redshift.tables() == on_postgres(make_lab, changed_files)


def test_a_reconciliation_waits_for_the_tables(empty_redshift: Lab) -> None:
    empty_redshift.put_events(DAY[0], [event("2018-11-01T05:00:00", 1, 0)])
    empty_redshift.variables["sparkify_reconcile_since"] = DAY[0]
    assert empty_redshift.reconcile_pass() == []


def test_audit_and_report_are_the_same(
    redshift: Lab, make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    local = make_lab()
    found = []
    for lab in (redshift, local):
        for variable, value in lab.environment.items():
            monkeypatch.setenv(variable, value)
        fill(lab)
        lab.run(*DAY)
        lab.run(*DAY, dag_id="sparkify_audit")
        history = lab.query(
            "SELECT dag_id, table_name, check_name, outcome, observed, expected, failing_rows, total_rows, sample "
            "FROM operations.data_quality_results ORDER BY dag_id, table_name, check_name"
        )
        page = report(lab, DAY[0]).replace(lab.bucket, "bucket")
        found.append((history, re.sub(r"<dt>Created</dt><dd>.*", "", page)))
    assert {row[0] for row in found[1][0]} == {"sparkify_warehouse", "sparkify_audit"}
    assert found[0] == found[1]


def test_copy_commands_name_source_role_and_region(redshift: Lab, endpoint: Endpoint) -> None:
    fill(redshift)
    redshift.run(*DAY, tasks=["create_tables", "stage_events", "stage_songs"], max_errors=3)
    events, songs, ledger = endpoint.statements("COPY")
    source = f"s3://{redshift.bucket}"
    assert events.startswith("COPY landing_1 (artist, auth, firstname,")
    assert events.endswith(
        f" useragent, userid) FROM '{source}/log_data/2018/11/2018-11-01-events.json' IAM_ROLE '{ROLE}' "
        "FORMAT AS JSON 'auto ignorecase' MAXERROR 4 TIMEFORMAT 'epochmillisecs' COMPUPDATE OFF STATUPDATE OFF "
        f"REGION '{servers.REGION}'"
    )
    assert songs.startswith(
        "COPY landing_1 (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, "
        f"song_id, title, duration, year) FROM '{source}/manifests/staging_songs/batch-1-"
    )
    assert songs.endswith(
        f".manifest' IAM_ROLE '{ROLE}' MANIFEST FORMAT AS JSON 'auto' MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF "
        f"REGION '{servers.REGION}'"
    )
    assert ledger.startswith(f"COPY operations.staged_objects FROM '{source}/manifests/staging_songs/objects-")
    assert ledger.endswith(f".json' IAM_ROLE '{ROLE}' FORMAT AS JSON 'auto' COMPUPDATE OFF REGION '{servers.REGION}'")


@pytest.mark.parametrize("authorization", ["role", "default role", "keys"])
def test_logs_contain_no_key_or_password(
    redshift: Lab,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    authorization: str,
) -> None:
    aws = json.loads(redshift.environment["AIRFLOW_CONN_AWS"])
    role = {"role": ROLE, "default role": "default"}.get(authorization)
    aws["extra"] = {**aws["extra"], "copy_iam_role": role}
    monkeypatch.setenv("AIRFLOW_CONN_AWS", json.dumps(aws))
    fill(redshift)
    with caplog.at_level(logging.DEBUG):
        redshift.run(*DAY)
    commands = endpoint.statements("COPY")
    assert [servers.SECRET_KEY in command for command in commands] == [role is None] * 3
    logged = caplog.text + "".join(capsys.readouterr())
    assert "Sending Bind message to BE" in logged  # the client logs at level DEBUG
    assert servers.SECRET_KEY not in logged
    assert PASSWORD not in logged


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"copy_iam_role": "arn:aws:iam::123456789012:role/other"}, "not authorized to assume IAM Role"),
        ({"copy_iam_role": ROLE, "region_name": None}, "PermanentRedirect"),
    ],
    ids=["another role", "no region"],
)
def test_an_unauthorized_copy_fails_with_the_reason(
    redshift: Lab, monkeypatch: pytest.MonkeyPatch, extra: dict[str, str | None], reason: str
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    aws = json.loads(redshift.environment["AIRFLOW_CONN_AWS"])
    aws["extra"] = {**aws["extra"], **extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS", json.dumps(aws))
    fill(redshift)
    with pytest.raises(WarehouseError, match=f"COPY failed: .*{reason}"):
        redshift.run(*DAY, tasks=["create_tables", "stage_events"])
