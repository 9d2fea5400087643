"""A client of Airflow's REST API.

https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html;
docs/decisions/0006-own-airflow-client.md says why it is not ``apache-airflow-client``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


# Page size of the API (its maximum_page_limit).
PAGE = 100


class TokenAuth(httpx.Auth):
    """Log in to Airflow with the first request, and again when the token has expired.

    https://airflow.apache.org/docs/apache-airflow/stable/security/api.html
    """

    requires_response_body = True

    def __init__(self, user: str, password: str) -> None:
        self._credentials = {"username": user, "password": password}
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._token:
            yield from self._log_in(request)
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._log_in(request)
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _log_in(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", request.url.join("/auth/token"), json=self._credentials)
        self._token = expect_success(response).json()["access_token"]


class AirflowClient(httpx.Client):
    """An HTTP client that is logged in to Airflow, with the calls that several commands need.

    A response that is an error raises ``httpx.HTTPStatusError``, with Airflow's explanation.

    :param url: the base URL of the API server.
    :param timeout: seconds to wait for a response.
    :param transport: replaces the network in tests.
    """

    def __init__(
        self, url: str, user: str, password: str, *, timeout: float = 120, transport: httpx.BaseTransport | None = None
    ) -> None:
        # No proxy: the server is on this machine, or in the same network of containers.
        super().__init__(
            base_url=url, auth=TokenAuth(user, password), timeout=timeout, trust_env=False, transport=transport
        )

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request and return its response.

        :raises httpx.HTTPStatusError: if the response is an error.
        """
        return expect_success(super().send(request, **options))

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return a DAG's details; None if Airflow has not parsed it yet."""
        try:
            details: dict[str, Any] = self.get(f"/api/v2/dags/{dag_id}").json()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return None
            raise
        return details

    def unpause(self, dag_id: str) -> None:
        """Unpause a DAG."""
        self.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def set_variable(self, key: str, value: str) -> None:
        """Set an Airflow Variable."""
        body = {"key": key, "value": value}
        try:
            self.patch(f"/api/v2/variables/{key}", json=body)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            self.post("/api/v2/variables", json=body)

    def dag_runs(self, dag_id: str, **parameters: Any) -> dict[str, Any]:
        """Return a page of a DAG's runs, as ``dag_runs``, and the number of all that match, as ``total_entries``."""
        page: dict[str, Any] = self.get(f"/api/v2/dags/{dag_id}/dagRuns", params=parameters).json()
        return page

    def trigger(self, dag_id: str, conf: Mapping[str, Any], **details: Any) -> str:
        """Trigger a run of a DAG and return its id.

        :param conf: its params.
        :param details: other fields of the request, such as ``dag_run_id``.
        """
        body = {"logical_date": None, "conf": conf, **details}
        run_id: str = self.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).json()["dag_run_id"]
        return run_id


def dag_run_path(dag_id: str, run_id: str) -> str:
    """Return the path of a DAG run; its id may contain characters that have a meaning in URLs."""
    return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"


def expect_success(response: httpx.Response) -> httpx.Response:
    """Return the response.

    :raises httpx.HTTPStatusError: if it is an error, with the request and Airflow's explanation.
    """
    if response.is_error:
        response.read()
        request = response.request
        raise httpx.HTTPStatusError(
            f"Airflow answered {request.method} {request.url.path} with {response.status_code}: {response.text[:500]}",
            request=request,
            response=response,
        )
    return response
