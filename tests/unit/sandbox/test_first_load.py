"""The first load: which DAGs are unpaused, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from sandbox.airflow import AUDIT_ID, DAG_ID, RECONCILE_ID, REPORT_ID
from sandbox.first_load import FirstLoad
from tests.support.airflow_api import FakeApi

START = date(2026, 11, 20)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def first_load(api: FakeApi) -> FirstLoad:
    return FirstLoad(api.client(), START)


def unpaused(api: FakeApi) -> set[str]:
    return {dag_id for dag_id, paused in api.paused.items() if not paused}


def test_the_history_is_one_run_that_begins_with_the_first_scheduled_one(api: FakeApi, first_load: FirstLoad) -> None:
    assert first_load.advance() is False
    assert first_load.advance() is False
    assert api.variables == {"sparkify_reconcile_since": "2026-11-20"}
    assert unpaused(api) == {REPORT_ID, DAG_ID}
    (run,) = api.triggered
    start, end = (datetime.fromisoformat(run["conf"][name]) for name in ("start", "end"))
    assert start == datetime(2026, 11, 20, tzinfo=UTC)
    assert timedelta() <= datetime.now(UTC) - end < timedelta(hours=1, minutes=1)
    assert run["dag_run_id"] == f"first_load__2026-11-20T00:00_{end:%Y-%m-%dT%H:00}"


def test_without_a_full_hour_there_is_no_history(api: FakeApi) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert FirstLoad(api.client(), tomorrow).advance() is False
    assert api.triggered == []
    assert unpaused(api) == {REPORT_ID, DAG_ID}


def test_the_reconciliation_and_the_audit_begin_once_the_first_runs_have_ended(
    api: FakeApi, first_load: FirstLoad
) -> None:
    for runs in (["queued"], ["running", "queued"], ["success", "running"], ["failed", "queued"]):
        api.runs[DAG_ID] = [*runs]
        assert first_load.advance() is False
        assert api.paused[RECONCILE_ID] is api.paused[AUDIT_ID] is True
    api.runs[DAG_ID] = ["success", "failed"]
    assert first_load.advance() is True
    assert api.paused[RECONCILE_ID] is api.paused[AUDIT_ID] is False
    assert api.triggered == []


def test_a_dag_that_a_user_paused_stays_paused(api: FakeApi, first_load: FirstLoad) -> None:
    first_load.advance()
    api.paused[REPORT_ID] = True
    api.runs[DAG_ID], api.runs[RECONCILE_ID] = ["success"], ["success"]
    assert FirstLoad(api.client(), START).advance() is True
    assert api.paused == {DAG_ID: False, REPORT_ID: False, AUDIT_ID: False, RECONCILE_ID: True}
    api.paused[REPORT_ID] = True
    assert first_load.advance() is True
    assert api.paused[REPORT_ID] is True


def test_a_dag_that_is_not_parsed_yet_is_unpaused_later(api: FakeApi, first_load: FirstLoad) -> None:
    del api.paused[DAG_ID]
    assert first_load.advance() is False
    api.paused[DAG_ID] = True
    assert first_load.advance() is False
    assert api.paused[DAG_ID] is False


def test_another_first_day_replaces_the_variable(api: FakeApi, first_load: FirstLoad) -> None:
    first_load.advance()
    FirstLoad(api.client(), date(2026, 11, 21)).advance()
    assert api.variables == {"sparkify_reconcile_since": "2026-11-21"}


def test_once_loaded_nothing_is_requested(api: FakeApi, first_load: FirstLoad) -> None:
    api.runs[DAG_ID], api.runs[RECONCILE_ID] = ["success"], ["success"]
    assert first_load.advance() is True
    api.requests.clear()
    assert first_load.advance() is True
    assert api.requests == []


def test_a_variable_that_may_not_be_set_is_an_error() -> None:
    refuse = httpx.MockTransport(lambda request: httpx.Response(200 if "token" in str(request.url) else 403, json={
        "access_token": "token"}))  # fmt: skip
    client = FakeApi().client()
    client._transport = refuse
    with pytest.raises(httpx.HTTPStatusError, match="PATCH /api/v2/variables/sparkify_reconcile_since with 403"):
        FirstLoad(client, START).advance()
