"""The app of docker-compose.yaml asks Airflow's API only: which hours it has loaded, at which cost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox import airflow
from sandbox.sample import PAGE, Loader, Login

DAY = date(2018, 11, 1)
MIDNIGHT = datetime(2018, 11, 1, tzinfo=UTC)


class Api:
    """Airflow's API: ``runs`` are those of the DAG, ``requests`` what was asked after the login."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.paused = {airflow.DAG_ID: True, airflow.REPORT_ID: True, airflow.AUDIT_ID: True}
        self.requests: list[str] = []
        self.token = "first"

    def add(self, start: datetime, state: str = "success", conf: dict[str, str] | None = None) -> None:
        end = start + timedelta(hours=1)
        interval: dict[str, str | None] = {
            "data_interval_start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "data_interval_end": end.isoformat(),
        }
        if conf:
            interval = dict.fromkeys(interval)  # of a run that was triggered without a logical date
        self.runs.append({"dag_run_id": f"run-{len(self.runs)}", "state": state, "conf": conf, **interval})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            assert json.loads(request.content) == {"username": "operator", "password": "secret"}
            return httpx.Response(201, json={"access_token": self.token})
        given = request.headers.get("Authorization", "none yet")
        assert given == given.strip()  # else it is not sent at all
        if given != f"Bearer {self.token}":
            return httpx.Response(401)
        self.requests.append(f"{request.method} {request.url.path}")
        dag_id = request.url.path.split("/")[4]
        if dag_id not in self.paused:
            return httpx.Response(404)
        if request.method == "PATCH":
            self.paused[dag_id] = json.loads(request.content)["is_paused"]
        elif request.method == "POST":
            given = json.loads(request.content)["conf"]
            self.add(MIDNIGHT, state="queued", conf=given)
        elif not request.url.path.endswith("/dagRuns"):
            return httpx.Response(200, json={"is_paused": self.paused[dag_id]})
        else:
            asked = request.url.params
            runs = self.runs if dag_id == airflow.DAG_ID else []
            runs = [run for run in runs if asked.get("state", run["state"]) == run["state"]][::-1]
            offset = int(asked.get("offset", 0))
            page = runs[offset : offset + int(asked["limit"])]
            return httpx.Response(200, json={"total_entries": len(runs), "dag_runs": page})
        return httpx.Response(200, json={})


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def loader(api: Api) -> Loader:
    return Loader(httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(api), auth=Login("secret")))


def triggered(api: Api) -> list[tuple[str, str]]:
    """The ranges that runs were triggered for, as days and hours."""
    return [(run["conf"]["start"][8:13], run["conf"]["end"][8:13]) for run in api.runs if run["conf"]]


def test_what_no_run_covers_is_triggered_once(api: Api, loader: Loader) -> None:
    assert loader.advance(DAY, MIDNIGHT + timedelta(hours=6, minutes=10)) is False
    assert triggered(api) == [("01T00", "01T05")]  # the last full hour is the schedule's
    assert api.paused == {airflow.DAG_ID: False, airflow.REPORT_ID: False, airflow.AUDIT_ID: True}
    loader.advance(DAY, MIDNIGHT + timedelta(hours=6, minutes=11))
    assert triggered(api) == [("01T00", "01T05")]
    # The schedule's run, a pause of the machine, and the schedule again.
    api.add(MIDNIGHT + timedelta(hours=5))
    api.add(MIDNIGHT + timedelta(hours=9))
    assert loader.advance(DAY, MIDNIGHT + timedelta(hours=10, minutes=5)) is True
    assert triggered(api) == [("01T00", "01T05"), ("01T06", "01T09")]
    assert api.paused[airflow.AUDIT_ID] is False


def test_what_somebody_paused_stays_paused(api: Api, loader: Loader) -> None:
    api.add(MIDNIGHT)
    loader.advance(DAY, MIDNIGHT + timedelta(hours=6))
    assert api.paused[airflow.DAG_ID] is True
    assert triggered(api) == []


def test_a_dag_that_is_not_parsed_yet_is_waited_for(api: Api, loader: Loader) -> None:
    api.paused.clear()
    assert loader.advance(DAY, MIDNIGHT + timedelta(hours=6)) is False
    assert {request.split()[0] for request in api.requests} == {"GET"}


def test_the_cost_does_not_depend_on_the_history(api: Api, loader: Loader) -> None:
    api.paused[airflow.DAG_ID] = False
    for hour in range(3 * PAGE):
        api.add(MIDNIGHT + timedelta(hours=hour))
    now = MIDNIGHT + timedelta(hours=3 * PAGE + 1)
    read = f"GET /api/v2/dags/{airflow.DAG_ID}/dagRuns"
    loader.advance(DAY, now)
    assert api.requests.count(read) > 3
    # Nothing new: it is only asked whether anything is loaded. An hour later: and what is new.
    for later, reads in ((0, 1), (1, 2)):
        api.requests.clear()
        if later:
            api.add(now - timedelta(hours=1))
        loader.advance(DAY, now + timedelta(hours=later))
        assert api.requests.count(read) == reads
    assert triggered(api) == []


def test_an_expired_token_is_renewed(api: Api, loader: Loader) -> None:
    loader.advance(DAY, MIDNIGHT + timedelta(hours=6))
    api.token = "second"
    loader.advance(DAY, MIDNIGHT + timedelta(hours=7, minutes=1))
    assert triggered(api) == [("01T00", "01T05"), ("01T05", "01T06")]
