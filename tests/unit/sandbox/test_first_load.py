"""The first load: which DAGs are unpaused, and when."""

from __future__ import annotations

from datetime import date

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


def test_the_reconciliation_begins_after_the_first_scheduled_run(api: FakeApi, first_load: FirstLoad) -> None:
    assert first_load.advance() is False
    assert api.variables == {"sparkify_reconcile_since": "2026-11-20"}
    assert unpaused(api) == {REPORT_ID, DAG_ID}
    api.runs[DAG_ID] = ["running"]
    assert first_load.advance() is False
    assert unpaused(api) == {REPORT_ID, DAG_ID}
    api.runs[DAG_ID] = ["failed"]
    assert first_load.advance() is False
    assert unpaused(api) == {REPORT_ID, DAG_ID, RECONCILE_ID}


def test_the_history_is_loaded_once_the_run_of_the_reconciliation_has_ended(
    api: FakeApi, first_load: FirstLoad
) -> None:
    api.runs[DAG_ID] = ["success"]
    for reconciled, loading in (([], []), (["running"], []), (["success"], ["queued"]), (["success"], ["running"])):
        api.runs[RECONCILE_ID], api.runs[DAG_ID] = reconciled, ["success", *loading]
        assert first_load.advance() is False
        assert api.paused[AUDIT_ID] is True
    api.runs[DAG_ID] = ["success", "success"]
    assert first_load.advance() is True
    assert api.paused[AUDIT_ID] is False


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
