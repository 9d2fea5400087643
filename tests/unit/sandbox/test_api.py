"""The client of Airflow's API: it logs in, and explains what Airflow rejects."""

from __future__ import annotations

import httpx
import pytest

from sandbox import airflow
from sandbox.api import AirflowClient, dag_run_path
from tests.support.airflow_api import FakeApi


def test_one_login_serves_all_requests_until_the_token_expires() -> None:
    api = FakeApi()
    client = api.client()
    for _ in range(2):
        assert client.dag(airflow.DAG_ID) == {"is_paused": True}
    assert api.logins == 1
    api.token = "second"
    client.unpause(airflow.DAG_ID)
    assert api.paused[airflow.DAG_ID] is False
    assert api.logins == 2


def test_an_unknown_dag_is_none() -> None:
    assert FakeApi().client().dag("no_such_dag") is None


def test_a_rejected_request_raises_with_airflow_s_explanation() -> None:
    with pytest.raises(
        httpx.HTTPStatusError,
        match=r"^Airflow answered POST /api/v2/dags/no_such_dag/dagRuns with 404: .*no_such_dag` was not found",
    ):
        FakeApi().client().trigger("no_such_dag", {})


def test_a_rejected_login_raises_without_the_password() -> None:
    refuse = httpx.MockTransport(lambda request: httpx.Response(401, json={"detail": "Invalid credentials"}))
    client = AirflowClient("http://airflow", "operator", "secret", transport=refuse)
    with pytest.raises(httpx.HTTPStatusError, match=r"POST /auth/token with 401: .*Invalid credentials") as error:
        client.get("/api/v2/dags")
    assert "secret" not in str(error.value)


def test_a_run_id_is_quoted_in_a_path() -> None:
    assert dag_run_path("dag", "manual__2018-11-01T00:00:00+00:00/1") == (
        "/api/v2/dags/dag/dagRuns/manual__2018-11-01T00%3A00%3A00%2B00%3A00%2F1"
    )
