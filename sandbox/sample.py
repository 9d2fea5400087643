"""The service ``sample``: an app that writes events to the bucket, and triggers runs for missed hours.

It does in containers what :mod:`sandbox.live` does on a laptop.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from obstore.exceptions import BaseError

from sandbox import airflow, feed, live_hours

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import date

    from obstore.store import S3Store

    from sparkify.interval import Interval

URL = "http://airflow-api-server:8080"
USER = "operator"
PAGE = 100  # runs; the most that Airflow's API returns at once by default
# Touched while the service is healthy, once the first hours are loaded; the health check polls it.
LOADED = Path("/tmp/loaded")  # noqa: S108 - in a container without other users


def main() -> None:
    """Write events and trigger runs until the container is stopped."""
    loader = Loader(
        httpx.Client(base_url=URL, timeout=60, trust_env=False, auth=Login(os.environ["OPERATOR_PASSWORD"]))
    )
    store = _bucket(os.environ["AIRFLOW_VAR_SPARKIFY_BUCKET"])
    start = feed.first_day(store)
    app = feed.Feed(feed.options(start), store)
    _tell(f"Writing the events since {start}")
    said = ""
    while True:
        try:
            report = app.advance(datetime.now(UTC))
            if loader.advance(start, datetime.fromisoformat(report.at)):
                LOADED.touch()
            now = f"{report.songs:,} songs; {'loaded' if LOADED.exists() else 'loading'}"
        except (BaseError, OSError, httpx.HTTPError) as error:
            # A service is down or starting: the next iteration retries.
            now = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if now != said:
            _tell(now)
            said = now
        # Aligned to the clock, like `make up`: the run of an hour finds its complete file. More often until the first
        # load.
        step = feed.EVERY if LOADED.exists() else 5
        time.sleep(step - time.time() % step)


def _bucket(name: str) -> S3Store:
    """Open the bucket of the connection ``aws``; create it if it is missing."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    from sparkify.s3 import stores_of

    hook = S3Hook("aws")
    if not hook.check_for_bucket(name):
        hook.create_bucket(name, region_name=hook.region_name)
    return stores_of("aws")(name)


class Login(httpx.Auth):
    """Log in to Airflow's API, and again when the token has expired.

    :param password: that of the user ``operator``.
    """

    requires_response_body = True

    def __init__(self, password: str) -> None:
        self._password = password
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            body = {"username": USER, "password": self._password}
            answer = yield httpx.Request("POST", request.url.join("/auth/token"), json=body)
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


class Loader:
    """Triggers runs for missed hours, through Airflow's API: the app has no access to its database.

    :param client: of Airflow's API, logged in as a user who may trigger and unpause the DAGs.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._intervals: dict[str, Interval | None] = {}  # of the DAG's runs; None if a run has none

    def advance(self, start: date, until: datetime) -> bool:
        """Unpause the DAGs that never had a run, and trigger a run for hours that none covers.

        :param start: the first day that events were written for.
        :param until: the moment that they are written up to.
        :returns: whether anything has been loaded yet.
        """
        loaded: bool = self._runs(airflow.DAG_ID, limit=1, state="success")["total_entries"] > 0
        # The report first: it misses the days that are loaded while it is paused. The audit needs loaded data.
        for dag_id in (airflow.REPORT_ID, airflow.DAG_ID, *([airflow.AUDIT_ID] if loaded else [])):
            answer = self._client.get(f"/api/v2/dags/{dag_id}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return loaded  # not parsed yet: the next iteration retries
            paused = answer.raise_for_status().json()["is_paused"]
            # A DAG that had a run and was paused since stays paused.
            if paused and not self._runs(dag_id, limit=1)["total_entries"]:
                self._client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()
                paused = False
            if dag_id == airflow.DAG_ID and not paused:
                self._cover(datetime(start.year, start.month, start.day, tzinfo=UTC), until)
        return loaded

    def _cover(self, begin: datetime, until: datetime) -> None:
        """Trigger runs for hours that neither a run nor the schedule covers."""
        if live_hours.overdue(self._covered, begin, until):
            self._read_runs()
            client = nullcontext(self._client)
            live_hours.catch_up(self._covered, airflow.DAG_ID, begin, until, lambda: client, _tell_once)

    @property
    def _covered(self) -> list[Interval]:
        return [interval for interval in self._intervals.values() if interval]

    def _read_runs(self) -> None:
        """Read the unknown runs, latest first: usually one page, however long the history is."""
        offset, new = 0, PAGE
        while new == PAGE:
            found = self._runs(airflow.DAG_ID, limit=PAGE, offset=offset, order_by="-id")["dag_runs"]
            unknown = [run for run in found if run["dag_run_id"] not in self._intervals]
            for run in unknown:
                self._intervals[run["dag_run_id"]] = _interval(run)
            offset, new = offset + PAGE, len(unknown)

    def _runs(self, dag_id: str, **parameters: Any) -> Any:
        answer = self._client.get(f"/api/v2/dags/{dag_id}/dagRuns", params=parameters)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {"total_entries": 0, "dag_runs": []}  # the DAG is not parsed yet
        return answer.raise_for_status().json()


def _interval(run: dict[str, Any]) -> Interval | None:
    start, end = (
        datetime.fromisoformat(run[name]) if run[name] else None
        for name in ("data_interval_start", "data_interval_end")
    )
    return live_hours.interval_of(airflow.DAG_ID, run["dag_run_id"], start, end, run["conf"], _tell_once)


def _tell(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}", flush=True)


_tell_once = cache(_tell)


if __name__ == "__main__":
    main()
