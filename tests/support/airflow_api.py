"""A fake of Airflow's REST API, limited to the calls of the sandbox."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx

from sandbox import airflow
from sandbox.api import AirflowClient


class FakeApi:
    """Airflow's API: ``runs`` of the warehouse's DAG, and ``requests`` after the login."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.paused = {airflow.DAG_ID: True, airflow.REPORT_ID: True, airflow.AUDIT_ID: True}
        self.requests: list[str] = []
        self.rejected: set[str] = set()
        self.token = "first"
        self.logins = 0
        self._created = 0

    def client(self) -> AirflowClient:
        """Return a client of this API."""
        return AirflowClient("http://airflow", "operator", "secret", transport=httpx.MockTransport(self))

    def add(self, start: datetime | None, end: datetime | None = None, **details: Any) -> None:
        """Add a run for a data interval, by default an hour; without ``start``, the run has no interval."""
        end = end or (start and start + timedelta(hours=1))
        run = {
            "dag_run_id": f"run-{self._created}",
            "state": "success",
            "conf": None,
            "data_interval_start": start and f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "data_interval_end": end and end.isoformat(),
        }
        self._created += 1
        self.runs.append({**run, **details})

    def triggered(self) -> list[tuple[str, str]]:
        """Return the ranges of the triggered runs, as days and hours."""
        return [(run["conf"]["start"][8:13], run["conf"]["end"][8:13]) for run in self.runs if "note" in run]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            self.logins += 1
            assert json.loads(request.content) == {"username": "operator", "password": "secret"}
            return httpx.Response(201, json={"access_token": self.token})
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return httpx.Response(401)
        self.requests.append(f"{request.method} {request.url.path}")
        dag_id = request.url.path.split("/")[4]
        if dag_id not in self.paused:
            return httpx.Response(404, json={"detail": f"The Dag with ID: `{dag_id}` was not found"})
        if request.method == "PATCH":
            self.paused[dag_id] = json.loads(request.content)["is_paused"]
        elif request.method == "POST":
            body = json.loads(request.content)
            assert body.pop("logical_date") is None
            if body["dag_run_id"] in self.rejected:
                return httpx.Response(409, json={"detail": "it exists"})
            self.add(None, state="queued", **body)
            return httpx.Response(200, json={"dag_run_id": body["dag_run_id"]})
        elif request.url.path.endswith("/dagRuns"):
            query = request.url.params
            runs = self.runs if dag_id == airflow.DAG_ID else []
            runs = [run for run in runs if query.get("state", run["state"]) == run["state"]][::-1]
            offset = int(query.get("offset", 0))
            page = runs[offset : offset + int(query["limit"])]
            return httpx.Response(200, json={"total_entries": len(runs), "dag_runs": page})
        return httpx.Response(200, json={"is_paused": self.paused[dag_id]})
