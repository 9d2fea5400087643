"""A fake of Airflow's REST API, limited to the calls of the sandbox."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sandbox import airflow
from sandbox.api import AirflowClient


class FakeApi:
    """Airflow's API: the DAGs, the states of their ``runs``, the Variables, and ``requests`` after the login.

    ``triggered`` has the bodies of the requests for runs.
    """

    def __init__(self) -> None:
        dags = (airflow.DAG_ID, airflow.REPORT_ID, airflow.AUDIT_ID, airflow.RECONCILE_ID)
        self.paused = dict.fromkeys(dags, True)
        self.runs: dict[str, list[str]] = {dag_id: [] for dag_id in dags}
        self.triggered: list[dict[str, Any]] = []
        self.variables: dict[str, str] = {}
        self.requests: list[str] = []
        self.token = "first"
        self.logins = 0

    def client(self) -> AirflowClient:
        """Return a client of this API."""
        return AirflowClient("http://airflow", "operator", "secret", transport=httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            self.logins += 1
            assert json.loads(request.content) == {"username": "operator", "password": "secret"}
            return httpx.Response(201, json={"access_token": self.token})
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return httpx.Response(401)
        self.requests.append(f"{request.method} {request.url.path}")
        if request.url.path.startswith("/api/v2/variables"):
            return self._variable(request)
        dag_id = request.url.path.split("/")[4]
        if dag_id not in self.paused:
            return httpx.Response(404, json={"detail": f"The Dag with ID: `{dag_id}` was not found"})
        if request.method == "PATCH":
            self.paused[dag_id] = json.loads(request.content)["is_paused"]
        elif request.method == "POST":
            self.triggered.append(json.loads(request.content))
            self.runs[dag_id].append("queued")
            return httpx.Response(200, json=self.triggered[-1])
        elif request.url.path.endswith("/dagRuns"):
            states = request.url.params.get_list("state")
            runs = [state for state in self.runs[dag_id] if not states or state in states]
            return httpx.Response(200, json={"total_entries": len(runs), "dag_runs": runs[:1]})
        return httpx.Response(200, json={"is_paused": self.paused[dag_id]})

    def _variable(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        key = request.url.path.rpartition("/")[2] if request.method == "PATCH" else body["key"]
        assert body["key"] == key
        if (request.method == "PATCH") != (key in self.variables):
            code = 404 if request.method == "PATCH" else 409
            return httpx.Response(code, json={"detail": f"The Variable with key: `{key}`"})
        self.variables[key] = body["value"]
        return httpx.Response(200, json=body)
